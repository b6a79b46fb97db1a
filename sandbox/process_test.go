package sandbox

import (
	"bufio"
	"fmt"
	"os"
	"os/exec"
	"regexp"
	"runtime"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/backstage/functions/sandbox/internal/wire"
)

// puppet is the operating-system process of a worker that the test plays itself, by the other ends of its pipes.
type puppet struct {
	process *process
	number  int // its process ID, if it is not the test's
	calls   *bufio.Reader
	answers *os.File
}

func (p *puppet) pid() int {
	if p.number != 0 {
		return p.number
	}
	return os.Getpid()
}

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
		cfg: &cfg, handle: p, stdin: toStdin, stdout: stdout, frames: wire.NewReader(stdout, cfg.Limits.wire()), reaped: make(chan struct{}),
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

// The end of a worker is told late on a busy machine: by its fork server, which waits for a processor as well.
func TestAnEndThatIsToldLateKeepsItsReason(t *testing.T) {
	sleeping, zombie := exec.Command("sleep", "1h"), exec.Command("true")
	for _, cmd := range []*exec.Cmd{sleeping, zombie} {
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _, _ = cmd.Process.Kill(), cmd.Wait() })
	}
	for !ending(zombie.Process.Pid) {
		runtime.Gosched()
	}
	for cmd, want := range map[*exec.Cmd]Reason{sleeping: ReasonProtocol, zombie: ""} {
		synctest.Test(t, func(t *testing.T) {
			p := newPuppet(t)
			p.number = cmd.Process.Pid
			p.process.reaped = make(chan struct{})
			if death := p.process.endSoon(); death.Reason != want {
				t.Errorf("%v: killed for %q, want %q", cmd, death.Reason, want)
			}
		})
	}
}
