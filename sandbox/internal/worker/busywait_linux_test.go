package worker

import (
	"os"
	"testing"
)

// idle is a puppet's handle that is of no process, so that none ever runs. It tells each time its PID is asked for.
type idle struct {
	*puppet
	asked chan struct{}
}

func (h idle) pid() int {
	h.asked <- struct{}{}
	return 1<<22 + 1 // more than PID_MAX_LIMIT of proc_sys_kernel(5): nobody's
}

// exchange is one of a call that has not been sent.
func (p *puppet) exchange() *exchange {
	return &exchange{session: &p.process.session, process: p.process}
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
			p := newPuppet(t)
			if err := act(p.answers); err != nil {
				t.Fatal(err)
			}
			if !p.exchange().awaitAnswer() {
				t.Error("there is something to read")
			}
		})
	}
}

func TestABusyWaitOnClosedFilesEndsAtOnce(t *testing.T) {
	p := newPuppet(t)
	if err := p.process.stdout.Close(); err != nil {
		t.Fatal(err)
	}
	if !p.exchange().awaitAnswer() {
		t.Error("nothing will come")
	}
}

func TestABusyWaitForNothingIsNoted(t *testing.T) {
	p := newPuppet(t)
	h := idle{p, make(chan struct{}, 100)}
	p.process.handle = h
	go func() {
		id := p.id()
		for range 3 { // at the begin of the call, by egress, and by the busy wait, which then gives up
			<-h.asked
		}
		p.write(`{"type":"result","id":"%s","reusable":true,"status":200,"headers":[]}`, id)
	}()
	answer, err := p.process.Serve(t.Context(), &Call{Events: noLogs, BusyWait: true})
	if err != nil || answer.Status != 200 || !answer.Reusable || !answer.Missed {
		t.Errorf("got %+v, %v", answer, err)
	}
}
