package worker

import (
	"errors"
	"os"
	"strings"
	"sync"
)

// pipes are the three pipes of a process: our ends, and its own.
type pipes struct {
	stdin, stdout, stderr                *os.File
	childStdin, childStdout, childStderr *os.File
}

func newPipes() (*pipes, error) {
	p := new(pipes)
	var errs [3]error
	p.childStdin, p.stdin, errs[0] = os.Pipe()
	p.stdout, p.childStdout, errs[1] = os.Pipe()
	p.stderr, p.childStderr, errs[2] = os.Pipe()
	if err := errors.Join(errs[:]...); err != nil {
		return nil, errors.Join(err, p.closeChild(), p.closeParent())
	}
	return p, nil
}

func (p *pipes) closeChild() error  { return closeAll(p.childStdin, p.childStdout, p.childStderr) }
func (p *pipes) closeParent() error { return closeAll(p.stdin, p.stdout, p.stderr) }

// tail keeps the end of what a process writes to stderr. It is safe for concurrent use.
type tail struct {
	mu   sync.Mutex // guards text
	text []byte
}

const tailSize = 4 << 10

func (t *tail) Write(b []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.text = append(t.text, b...)
	if over := len(t.text) - tailSize; over > 0 {
		t.text = append(t.text[:0], t.text[over:]...)
	}
	return len(b), nil
}

func (t *tail) String() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return strings.TrimSpace(string(t.text))
}

func closeAll(files ...*os.File) error {
	var errs []error
	for _, file := range files {
		if file != nil {
			errs = append(errs, file.Close())
		}
	}
	return errors.Join(errs...)
}
