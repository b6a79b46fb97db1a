package server

import (
	"fmt"
	"io"
)

// progressPart is how many bytes are fetched between two lines of progress that cannot be written again.
const progressPart = 10 << 20

// progress tells how much of a runtime was fetched.
type progress struct {
	out   io.Writer
	name  string
	again bool // write the last line again and again

	told int64  // bytes, at the last line
	last string // the last line
}

func (p *progress) tell(done, all int64) {
	part := int64(progressPart)
	if p.again {
		part = 1 << 20
	}
	if done-p.told < part && done != all {
		return
	}
	p.told = done
	text := fmt.Sprintf("%s: %d MB", p.name, done>>20)
	if all > 0 {
		text = fmt.Sprintf("%s: %d of %d MB", p.name, done>>20, all>>20)
	}
	if text == p.last {
		return
	}
	p.last = text
	if p.again {
		_, _ = fmt.Fprintf(p.out, "\r%s ", text) // progress may be lost
		return
	}
	_, _ = fmt.Fprintln(p.out, text)
}

// end ends the line.
func (p *progress) end() {
	if p.again && p.last != "" {
		_, _ = fmt.Fprintln(p.out)
	}
}
