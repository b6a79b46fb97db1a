package sockets_test

import (
	"context"
	"net/http"
	"testing"

	"github.com/backstage/functions/internal/httpd/sockets"
	"github.com/backstage/functions/sandbox"
)

// Codes with which callers of these tests close: calls for the slow one end when their test says so.
var (
	codeQuick = []byte{4000 >> 8, 4000 & 0xff}
	codeSlow  = []byte{4001 >> 8, 4001 & 0xff}
)

// holdSlow has calls for ends with codeSlow wait until free is called, which the end of the test does too.
func (r *rig) holdSlow(t *testing.T) (free func()) {
	ctx, free := context.WithCancel(context.Background())
	t.Cleanup(free)
	r.running(func(life context.Context, e sockets.Event) (*sandbox.Result, error) {
		if e.Kind == sockets.EventClose && e.Code == 4001 {
			select {
			case <-ctx.Done():
			case <-life.Done():
			}
		}
		return echo(e), nil
	})
	return free
}

// ends counts the events of ends with that code.
func (r *rig) ends(code int) (count int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, e := range r.events {
		if e.Kind == sockets.EventClose && e.Code == code {
			count++
		}
	}
	return count
}

func TestSlowEndsOfOneOwnerDoNotHoldUpThoseOfOthers(t *testing.T) {
	r := newRig(t, nil)
	free := r.holdSlow(t)
	const slow = 40 // more than calls may run for all
	for range slow {
		c := r.dial(t, "X-Namespace: slow")
		c.write(frame(fin|hangup, codeSlow))
		c.end()
	}
	eventually(t, "calls for slow ends", func() bool { return r.ends(4001) >= 8 })
	for range 10 {
		c := r.dial(t, "X-Namespace: quick")
		c.write(frame(fin|hangup, codeQuick))
		c.end()
	}
	eventually(t, "calls for ends of another owner", func() bool { return r.ends(4000) == 10 })
	if got := r.ends(4001); got != 8 {
		t.Errorf("%d calls of one owner run", got)
	}
	free()
	r.closes(t, slow+10)
}

func TestAPlaceIsGivenBackWhenItsConnectionHasEnded(t *testing.T) {
	r := newRig(t, func(o *sockets.Options) { o.Most = 5 })
	free := r.holdSlow(t)
	for i := range 8 { // the sockets of the last four keep their places: too many calls wait
		c := r.dial(t)
		c.write(frame(fin|hangup, codeSlow))
		c.end()
		eventually(t, "the end", func() bool { return len(r.hub.IDs()) == 0 })
		if got, want := r.hub.Stats().Open, max(0, i-3); got != want {
			t.Fatalf("%d places are in use after %d ends, want %d", got, i+1, want)
		}
	}
	if _, status := r.handshake(t); status != http.StatusServiceUnavailable {
		t.Errorf("answered %d", status)
	}
	free()
	eventually(t, "the places", func() bool { return r.hub.Stats().Open == 0 })
	r.closes(t, 8)
	r.dial(t)
}

func TestCloseWaitsForCallsOfConnectionsThatHaveEnded(t *testing.T) {
	r := newRig(t, nil)
	free := r.holdSlow(t)
	c := r.dial(t)
	c.write(frame(fin|hangup, codeSlow))
	c.end()
	eventually(t, "the place", func() bool { return r.hub.Stats().Open == 0 })
	eventually(t, "the call", func() bool { return r.ends(4001) == 1 })
	closed := make(chan struct{})
	go func() {
		defer close(closed)
		r.hub.Close(context.Background())
	}()
	r.dialsUntilClosed(t)
	select {
	case <-closed:
		t.Error("Close has not waited for the call")
	default:
	}
	free()
	<-closed
}

// dialsUntilClosed waits until the Hub admits nobody.
func (r *rig) dialsUntilClosed(t *testing.T) {
	t.Helper()
	eventually(t, "Close to begin", func() bool {
		c, status := r.handshake(t)
		_ = c.Close()
		return status == http.StatusServiceUnavailable
	})
}
