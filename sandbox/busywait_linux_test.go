package sandbox

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"regexp"
	"syscall"
	"testing"

	"github.com/backstage/functions/sandbox/internal/wire"
)

// idleHandle is that of a process that never runs. It tells each time its PID is asked for.
type idleHandle struct {
	handle
	asked chan struct{}
}

func (h idleHandle) pid() int {
	h.asked <- struct{}{}
	return 1<<22 + 1 // more than PID_MAX_LIMIT of proc_sys_kernel(5): nobody's
}

func (idleHandle) wait() (status syscall.WaitStatus, peak int64) { return 0, 0 }

// pipedProcess is a process whose other side is the test's.
func pipedProcess(t *testing.T, h handle) (p *process, stdin, stdout *os.File) {
	t.Helper()
	ends := make([]*os.File, 4)
	for i := range 2 {
		r, w, err := os.Pipe()
		if err != nil {
			t.Fatal(err)
		}
		ends[2*i], ends[2*i+1] = r, w
	}
	t.Cleanup(func() { _ = closeAll(ends...) })
	cfg := DefaultConfig()
	return &process{cfg: &cfg, handle: h, stdin: ends[1], stdout: ends[2], frames: wire.NewReader(ends[2], cfg.Limits.Frame)}, ends[0], ends[3]
}

func TestABusyWaitEndsWithWhatItWaitsFor(t *testing.T) {
	for name, act := range map[string]func(stdout *os.File) error{
		"written": func(stdout *os.File) error {
			_, err := stdout.WriteString("x")
			return err
		},
		"closed": (*os.File).Close,
	} {
		t.Run(name, func(t *testing.T) {
			p, _, stdout := pipedProcess(t, nil)
			if err := act(stdout); err != nil {
				t.Fatal(err)
			}
			if !p.awaitAnswer() {
				t.Error("there is something to read")
			}
		})
	}
}

func TestABusyWaitOnClosedFilesEndsAtOnce(t *testing.T) {
	p, _, _ := pipedProcess(t, nil)
	if err := p.stdout.Close(); err != nil {
		t.Fatal(err)
	}
	if !p.awaitAnswer() {
		t.Error("nothing will come")
	}
}

func TestABusyWaitForNothingIsNoted(t *testing.T) {
	h := idleHandle{asked: make(chan struct{}, 100)}
	p, stdin, stdout := pipedProcess(t, h)
	go func() {
		line, err := bufio.NewReader(stdin).ReadString('\n')
		if err != nil {
			t.Error(err)
		}
		for range 3 { // at the begin of the call, by egress, and by the busy wait, which then gives up
			<-h.asked
		}
		id := regexp.MustCompile(`"id":"(\w+)"`).FindStringSubmatch(line)[1]
		if _, err := fmt.Fprintf(stdout, `{"type":"result","id":"%s","reusable":true,"status":200,"headers":[]}`+"\n", id); err != nil {
			t.Error(err)
		}
	}()
	call := &turn{inv: &Invocation{}, soon: true}
	result, reusable, err := p.invoke(context.Background(), call)
	if err != nil || result.Status != 200 || !reusable || !call.missed {
		t.Errorf("got %v, %v, %v, missed %v", result, reusable, err, call.missed)
	}
}
