package function

import (
	"context"
	"sync"
)

// Turns gives each of those who write to a store, or of what is written, one turn at a time. The zero value is ready. It is safe for concurrent
// use.
type Turns struct {
	mu   sync.Mutex // guards the fields below
	busy map[string]*turn
}

// turn is that of one name, there as long as somebody has it or waits for it.
type turn struct {
	token chan struct{} // holds one while nobody has it
	users int
}

// Take waits until it is the turn of name, or returns the cause of the context's end. The turn lasts until release is called.
func (t *Turns) Take(ctx context.Context, name string) (release func(), err error) {
	mine := t.join(name)
	select {
	case <-ctx.Done():
		t.leave(name, mine)
		return nil, context.Cause(ctx)
	case <-mine.token:
	}
	return func() {
		mine.token <- struct{}{}
		t.leave(name, mine)
	}, nil
}

func (t *Turns) join(name string) *turn {
	t.mu.Lock()
	defer t.mu.Unlock()
	mine, ok := t.busy[name]
	if !ok {
		mine = &turn{token: make(chan struct{}, 1)}
		mine.token <- struct{}{}
		if t.busy == nil {
			t.busy = map[string]*turn{}
		}
		t.busy[name] = mine
	}
	mine.users++
	return mine
}

func (t *Turns) leave(name string, mine *turn) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if mine.users--; mine.users == 0 {
		delete(t.busy, name)
	}
}

// Idle says whether nobody has a turn or waits for one.
func (t *Turns) Idle() bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	return len(t.busy) == 0
}
