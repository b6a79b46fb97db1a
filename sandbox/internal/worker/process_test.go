//go:build unix

package worker

import (
	"bufio"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"regexp"
	"runtime"
	"sync"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/backstage/functions/sandbox/internal/wire"
)

// puppet is the operating-system process of a worker that the test plays itself, by the other ends of its pipes.
type puppet struct {
	process *Process
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

func (p *puppet) wait() (syscall.WaitStatus, resources) { return 0, resources{} }

// kill ends the process at once.
func (p *puppet) kill() {
	p.process.death = &Death{Reason: p.process.reason}
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
	cfg := &Config{
		Timeouts: Timeouts{Sync: 100 * time.Millisecond, Async: 5 * time.Second, Idle: time.Minute, Unread: time.Minute},
		Limits:   Limits{Frame: 8 << 20, Answer: 8 << 20, Logs: 256 << 10}, Egress: Egress{Watcher: noWatcher{}},
	}
	p := &puppet{calls: bufio.NewReader(stdin), answers: toStdout}
	p.process = newProcess(cfg, p, toStdin, stdout)
	return p
}

func TestTheCPUTimeOfADeadProcessIsThatSinceTheClockWasRead(t *testing.T) {
	ended := exec.Command("true")
	if err := ended.Run(); err != nil {
		t.Fatal(err)
	}
	p := newPuppet(t)
	p.number = ended.Process.Pid
	p.process.lastClock = 5 * time.Second
	close(p.process.clocked)
	for then, want := range map[time.Duration]time.Duration{
		2 * time.Second: 3 * time.Second,
		6 * time.Second: 0, // clocks may differ by a little
		0:               0, // it was dead already
	} {
		if used, now := p.process.cpuSince(then); used != want || now != 0 {
			t.Errorf("since %v it has used %v and its clock says %v, want %v and 0", then, used, now, want)
		}
	}
}

// noWatcher is a Watcher that nobody listens to.
type noWatcher struct{}

func (noWatcher) CallsQueued(int, <-chan struct{}) {}
func (noWatcher) CallStarted(int, Events)          {}
func (noWatcher) CallEnded(int)                    {}

// logs are events of which the lines that are printed matter.
type logs func()

func (l logs) Log(string, string)  { l() }
func (logs) Span(*wire.Frame)      {}
func (logs) Progress(*wire.Frame)  {}
func (l logs) AfterAnswer() Events { return l }
func (logs) LateEnd()              {}

var noLogs = logs(func() {})

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
	id := ""
	first := logs(func() {
		p.write(`{"type":"result","id":"%s","reusable":true,"status":200,"headers":[],"body":1}`, id)
		p.process.killAt(SyncDeadline, time.Now())
	})
	go func() {
		id = p.id()
		p.write(`{"type":"log","id":"%s","level":"info","text":"x"}`, id)
	}()
	answer, err := p.process.Serve(t.Context(), &Call{Events: first, With: []*wire.Invoke{{}}})
	if err != nil || !answer.Reusable || string(answer.Body) != "1" {
		t.Fatalf("the call that was answered: %+v, %v", answer, err)
	}
	_, err = p.process.Serve(t.Context(), &Call{Events: noLogs, Sent: true})
	if death, ok := errors.AsType[*Death](err); !ok || death.Reason != SyncDeadline {
		t.Errorf("the call that looped: %v", err)
	}
}

// Nobody but the call in progress may touch the pipes: calls of several goroutines wait for each other.
func TestCallsOnOneProcessDoNotMix(t *testing.T) {
	const calls = 20
	p := newPuppet(t)
	go func() {
		for range calls {
			id := p.id()
			if n := p.calls.Buffered(); n > 0 {
				t.Errorf("%d bytes of another call were sent before the answer", n)
			}
			p.write(`{"type":"result","id":"%s","reusable":true,"status":200,"headers":[],"body":"%s"}`, id, id)
		}
	}()
	var all sync.WaitGroup
	for range calls {
		all.Go(func() {
			call := &Call{Events: noLogs}
			answer, err := p.process.Serve(t.Context(), call)
			if err != nil || string(answer.Body) != `"`+call.ID+`"` {
				t.Errorf("call %s: %+v, %v", call.ID, answer, err)
			}
		})
	}
	all.Wait()
}

func TestAWorkerThatIsPendingTwiceIsBroken(t *testing.T) {
	p := newPuppet(t)
	go func() {
		id := p.id()
		p.write(`{"type":"pending","id":"%s"}`, id)
		p.write(`{"type":"pending","id":"%s"}`, id)
	}()
	_, err := p.process.Serve(t.Context(), &Call{Events: noLogs})
	if death, ok := errors.AsType[*Death](err); !ok || death.Reason != Protocol {
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
	for cmd, want := range map[*exec.Cmd]Reason{sleeping: Protocol, zombie: ""} {
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
