package sandbox

import (
	"bufio"
	"fmt"
	"os"
	"regexp"
	"syscall"
	"testing"
	"time"

	"github.com/backstage/functions/sandbox/internal/wire"
)

// puppet is the operating-system process of a worker that the test plays itself, by the other ends of its pipes.
type puppet struct {
	process *process
	calls   *bufio.Reader
	answers *os.File
}

func (p *puppet) pid() int                          { return os.Getpid() }
func (p *puppet) wait() (syscall.WaitStatus, int64) { return 0, 0 }

// kill ends the process at once.
func (p *puppet) kill() {
	p.process.death = &DeathError{Reason: p.process.reason}
	close(p.process.reaped)
	_ = p.answers.Close()
}

func newPuppet(t *testing.T) *puppet {
	t.Helper()
	stdin, toStdin, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	stdout, toStdout, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = closeAll(stdin, toStdin, stdout, toStdout) })
	cfg := DefaultConfig()
	p := &puppet{calls: bufio.NewReader(stdin), answers: toStdout}
	p.process = &process{
		cfg: &cfg, handle: p, stdin: toStdin, stdout: stdout, frames: wire.NewReader(stdout, cfg.Limits.Frame), reaped: make(chan struct{}),
	}
	return p
}

var callID = regexp.MustCompile(`"id":"(\w+)"`)

// id returns the ID of the next call that the worker was sent.
func (p *puppet) id() string {
	line, _ := p.calls.ReadString('\n')
	return callID.FindStringSubmatch(line)[1]
}

func (p *puppet) write(format string, arguments ...any) {
	_, _ = fmt.Fprintf(p.answers, format+"\n", arguments...)
}

// The deadline of a call passes when its answer stands in the pipe and the call behind it loops.
func TestAnswersBeforeADeadlineAreReadAfterIt(t *testing.T) {
	p := newPuppet(t)
	first, second := &Invocation{}, &Invocation{}
	id := ""
	first.OnLog = func(LogLine) {
		p.write(`{"type":"result","id":"%s","reusable":true,"status":200,"headers":[],"body":1}`, id)
		p.process.killAt(ReasonSyncDeadline, time.Now())
	}
	go func() {
		id = p.id()
		p.write(`{"type":"log","id":"%s","level":"info","text":"x"}`, id)
	}()
	result, reusable, err := p.process.invoke(t.Context(), &turn{inv: first, behind: []*Invocation{second}})
	if err != nil || !reusable || string(result.Body) != "1" {
		t.Fatalf("the call that was answered: %v, %v, %v", result, reusable, err)
	}
	_, _, err = p.process.invoke(t.Context(), &turn{inv: second, sent: true})
	if death, ok := err.(*DeathError); !ok || death.Reason != ReasonSyncDeadline { //nolint:errorlint // as invoke makes it
		t.Errorf("the call that looped: %v", err)
	}
}

func TestAWorkerThatIsPendingTwiceIsBroken(t *testing.T) {
	p := newPuppet(t)
	go func() {
		id := p.id()
		p.write(`{"type":"pending","id":"%s"}`, id)
		p.write(`{"type":"pending","id":"%s"}`, id)
	}()
	_, _, err := p.process.invoke(t.Context(), &turn{inv: &Invocation{}})
	if death, ok := err.(*DeathError); !ok || death.Reason != ReasonProtocol { //nolint:errorlint // as invoke makes it
		t.Errorf("got %v", err)
	}
}
