package sandbox

import "time"

// shares counts the workers that serve calls, by group. The zero value is empty. Its user locks.
type shares struct {
	serving   counts
	active    counts // those of them whose calls are not known to wait, and computing
	computing counts // those that use a processor after their answer

	soughtUntil time.Time // until then it is looked which of active only wait: see SeekWaiting
}

// counts counts by name. The zero value is empty.
type counts struct {
	of    map[string]int
	total int
}

func (t *counts) add(name string, n int) {
	if t.of == nil {
		t.of = map[string]int{}
	}
	t.total += n
	if t.of[name] += n; t.of[name] == 0 {
		delete(t.of, name)
	}
}

// memoryState is what is known of the memory. The zero value is that of enough.
type memoryState struct {
	looked  time.Time
	scarce  bool
	short   bool
	ceiling int // the most workers while it is scarce
}
