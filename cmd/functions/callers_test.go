package main

import (
	"fmt"
	"net/http"
	"sync"
	"testing"
)

// callers are clients that call a server without a pause, each over a connection that it keeps.
type callers struct {
	stopped chan struct{}
	all     sync.WaitGroup

	mu     sync.Mutex // guards the fields below
	more   *sync.Cond // another call has been answered
	calls  int
	faults []string
}

// startCallers starts n clients that put to url; check says what is wrong with the answer to a call that began when begin returned x.
func startCallers(n int, url string, begin func() int, check func(x int, answer string) string) *callers {
	c := &callers{stopped: make(chan struct{})}
	c.more = sync.NewCond(&c.mu)
	client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: n}}
	for range n {
		c.all.Go(func() {
			for {
				select {
				case <-c.stopped:
					client.CloseIdleConnections()
					return
				default:
				}
				x := begin()
				r := send(client, http.MethodPut, url, `{"n":1}`)
				fault := ""
				switch {
				case r.err != nil:
					fault = r.err.Error()
				case r.status != http.StatusOK:
					fault = fmt.Sprint(r.status, " ", r.body)
				default:
					fault = check(x, r.body)
				}
				c.count(fault)
			}
		})
	}
	return c
}

func (c *callers) count(fault string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.calls++
	c.more.Broadcast()
	if fault != "" {
		c.faults = append(c.faults, fault)
	}
}

// await returns when n more calls have been answered.
func (c *callers) await(n int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for end := c.calls + n; c.calls < end; {
		c.more.Wait()
	}
}

// stop ends the clients and fails t for each fault.
func (c *callers) stop(t *testing.T) {
	t.Helper()
	close(c.stopped)
	c.all.Wait()
	t.Logf("%d calls, %d faults", c.calls, len(c.faults))
	for i, fault := range c.faults {
		if i == 5 {
			t.Errorf("and %d more", len(c.faults)-i)
			break
		}
		t.Error(fault)
	}
}
