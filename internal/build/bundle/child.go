package bundle

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime/debug"
)

// ChildName is the first argument of the child. A process of that name builds here, before main: so every program that
// has this package can be the child, a test binary too.
const ChildName = "functions-bundle"

// StackOverflow is what the Go runtime writes to stderr, among other things, when code is nested too deeply.
const StackOverflow = "stack overflow"

const (
	// maxStack bounds the stack of a goroutine, in bytes. Code nested 50,000 deep needs more.
	maxStack = 64 << 20
	// exitFailed is the exit code of a child that got no request which it could read, or could not answer.
	exitFailed = 81
	// besideHeap is the memory that a build takes beside Go's heap and unpacked packages, in bytes.
	besideHeap = 64 << 20
)

//nolint:gochecknoinits // the comment at ChildName says why
func init() {
	if len(os.Args) != 1 || os.Args[0] != ChildName {
		return
	}
	if err := serve(os.Stdin, os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(exitFailed)
	}
	os.Exit(0)
}

// serve answers one request.
func serve(in io.Reader, out io.Writer) error {
	debug.SetMaxStack(maxStack)
	debug.SetTraceback("none")
	in = bufio.NewReaderSize(in, 1<<20)
	var head Head
	if err := ReadHead(in, &head); err != nil {
		return fmt.Errorf("bundle: request: %w", err)
	}
	// Garbage is collected late: most builds end before.
	debug.SetGCPercent(400)
	result, err := work(in, &head)
	answer := result.answer(err)
	if answer == nil {
		return fmt.Errorf("bundle: %w", err)
	}
	text, err := AppendHead(nil, answer)
	if err != nil {
		return fmt.Errorf("bundle: answer: %w", err)
	}
	for _, part := range [][]byte{text, result.code, result.sourceMap} {
		if _, err := out.Write(part); err != nil {
			return fmt.Errorf("bundle: answer: %w", err)
		}
	}
	return nil
}

// result is what a build has made.
type result struct {
	code, sourceMap []byte
	warnings        []Message
	web             bool
}

// answer is the head of the answer; nil when err is a fault of this machine.
func (r *result) answer(err error) *Answer {
	var fault *faultError
	var large tooLargeError
	switch {
	case errors.As(err, &fault):
		*r = result{}
		return &Answer{Errors: fault.messages}
	case errors.As(err, &large):
		*r = result{}
		return &Answer{TooLarge: string(large)}
	case err != nil:
		return nil
	}
	return &Answer{Warnings: r.warnings, Web: r.web, Code: len(r.code), Map: len(r.sourceMap)}
}

// work unpacks what the request brings and builds it.
func work(in io.Reader, head *Head) (*result, error) {
	root, err := os.MkdirTemp("", "build-")
	if err == nil {
		root, err = filepath.EvalSymlinks(root) // esbuild tells files by their real paths
	}
	if err != nil {
		return &result{}, err
	}
	tree := &tree{root: root, left: head.MaxUnpacked}
	if err := tree.receive(in, head); err != nil {
		return &result{}, err
	}
	// The files that packages unpacked to are memory, too.
	debug.SetMemoryLimit(max(head.Memory-(head.MaxUnpacked-tree.left)-besideHeap, head.Memory/4))
	r, err := compile(tree, head)
	if err != nil {
		return &result{}, err
	}
	if len(r.code) > head.MaxCode {
		return &result{}, tooLargeError(fmt.Sprintf("the bundle has %d bytes, at most %d may be", len(r.code), head.MaxCode))
	}
	return r, nil
}

// faultError is a fault in what the author has sent.
type faultError struct{ messages []Message }

func (e *faultError) Error() string { return e.messages[0].String() }

// faultIn is a fault of one file as a whole.
func faultIn(file, text, hint string) error {
	return &faultError{[]Message{{File: file, Text: text, Hint: hint}}}
}

// tooLargeError says which limit is exceeded.
type tooLargeError string

func (e tooLargeError) Error() string { return string(e) }
