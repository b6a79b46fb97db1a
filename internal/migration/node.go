package migration

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os/exec"
	"sync"
	"time"
)

// compileTimeout is the longest time to compile one function; V8 takes milliseconds.
const compileTimeout = 30 * time.Second

// Node compiles with a Node.js process, which it starts on first use. It is not safe for concurrent use.
type Node struct {
	// Binary is the path of Node.js, Script that of the runner's compile.js.
	Binary, Script string

	cmd     *exec.Cmd
	in      io.WriteCloser
	answers chan nodeAnswer
	asking  sync.WaitGroup
}

type nodeAnswer struct {
	Fault  string
	Behind Behind
	Detail string
	err    error
}

// Compile says why code does not compile; see Compiler.
func (n *Node) Compile(ctx context.Context, filename, code string) (fault string, err error) {
	a, err := n.ask(ctx, map[string]any{"filename": filename, "code": code})
	return a.Fault, err
}

// Behind says why code does not run in Backstage Functions; see Compiler.
func (n *Node) Behind(ctx context.Context, filename, stored string) (reason Behind, detail string, err error) {
	a, err := n.ask(ctx, map[string]any{"filename": filename, "stored": stored})
	if a.Fault != "" {
		return Unknown, a.Fault, err
	}
	return a.Behind, a.Detail, err
}

var errSlow = fmt.Errorf("takes longer than %v to compile", compileTimeout)

func (n *Node) ask(ctx context.Context, question any) (nodeAnswer, error) {
	text, err := json.Marshal(question)
	if err != nil {
		return nodeAnswer{}, err
	}
	if err := n.start(); err != nil {
		return nodeAnswer{}, err
	}
	timeout := time.NewTimer(compileTimeout)
	defer timeout.Stop()
	in := n.in
	n.asking.Go(func() { _, _ = in.Write(append(text, '\n')) }) // a failure ends the answers
	select {
	case a, ok := <-n.answers:
		if !ok {
			n.Close()
			return nodeAnswer{Fault: "Node.js ended while it compiled this"}, nil
		}
		return a, a.err
	case <-timeout.C:
		n.Close()
		return nodeAnswer{Fault: errSlow.Error()}, nil
	case <-ctx.Done():
		n.Close()
		return nodeAnswer{}, context.Cause(ctx)
	}
}

// start starts Node.js unless it runs. It has no environment: it reads untrusted code.
func (n *Node) start() error {
	if n.cmd != nil {
		return nil
	}
	cmd := exec.Command(n.Binary, "--max-old-space-size=512", n.Script)
	cmd.Env = []string{}
	in, err := cmd.StdinPipe()
	if err != nil {
		return err
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		return err
	}
	if err := cmd.Start(); err != nil {
		return fmt.Errorf("start Node.js: %w", err)
	}
	n.cmd, n.in, n.answers = cmd, in, make(chan nodeAnswer, 1)
	go read(out, n.answers)
	return nil
}

// read passes on answers until there are no more.
func read(out io.Reader, answers chan<- nodeAnswer) {
	defer close(answers)
	lines := bufio.NewReader(out)
	for {
		line, err := lines.ReadBytes('\n')
		if err != nil {
			return
		}
		var a nodeAnswer
		if err := json.Unmarshal(line, &a); err != nil {
			a.err = errors.New("unexpected answer of Node.js")
		}
		answers <- a
	}
}

// Close ends Node.js. It starts again on the next use.
func (n *Node) Close() {
	if n.cmd == nil {
		return
	}
	_ = n.cmd.Process.Kill()
	_ = n.in.Close()
	for range n.answers { //nolint:revive // until it has ended
	}
	_ = n.cmd.Wait() // it was killed
	n.asking.Wait()
	n.cmd = nil
}
