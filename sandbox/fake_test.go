package sandbox

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"time"
)

// fakeStarter makes children without processes. Their times are those of the synctest bubble they live in.
type fakeStarter struct {
	startTime time.Duration // how long a start takes
	reapTime  time.Duration // from kill to reaped
	fail      func(start int) error
	serve     func(c *fakeChild, inv *Invocation) (*Result, bool, error) // nil: see fakeChild.invoke

	after func(c *fakeChild, inv *Invocation) lateWork // what goes on after the answer, if set
	back  func(c *fakeChild, inv *Invocation) lateWork // has the child put back after the answer, if set

	waits func(inv *Invocation) bool // whether main returns before the answer is there
	calls func(c *call)              // is shown each call, if set

	again bool // starts wait for something that has ended

	mu       sync.Mutex // guards the fields below
	starts   int
	failedAt []time.Time
	alive    int // from the begin of the start until reaped
	most     int // the largest alive ever was
	children []*fakeChild
	mixed    []string // what broke the rules, such as keys that met on one child
	together int      // the most calls that were sent in one write
	resumed  int      // children that were idle after they were put back
	closed   bool
}

func (s *fakeStarter) restarts() bool { return s.again }

func (s *fakeStarter) start(ctx context.Context) (child, error) {
	s.mu.Lock()
	s.starts++
	n := s.starts
	s.alive++
	s.most = max(s.most, s.alive)
	s.mu.Unlock()
	select {
	case <-time.After(s.startTime):
	case <-ctx.Done():
		s.gone()
		return nil, context.Cause(ctx)
	}
	if s.fail != nil {
		if err := s.fail(n); err != nil {
			s.gone()
			s.mu.Lock()
			s.failedAt = append(s.failedAt, time.Now())
			s.mu.Unlock()
			return nil, err
		}
	}
	c := &fakeChild{starter: s, number: n, killed: make(chan struct{}), reaped: make(chan struct{})}
	s.mu.Lock()
	s.children = append(s.children, c)
	s.mu.Unlock()
	return c, nil
}

func (s *fakeStarter) gone() {
	s.mu.Lock()
	s.alive--
	s.mu.Unlock()
}

func (s *fakeStarter) describe() string { return "fake" }

func (s *fakeStarter) close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return fmt.Errorf("closed twice")
	}
	s.closed = true
	return nil
}

// mostAlive is the largest number that lived at once.
func (s *fakeStarter) mostAlive() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.most
}

// child returns the child of the n-th start that went well, from 0 on.
func (s *fakeStarter) child(n int) *fakeChild {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.children[n]
}

// failures forgets and returns the times of the starts that failed.
func (s *fakeStarter) failures() []time.Time {
	s.mu.Lock()
	defer s.mu.Unlock()
	at := s.failedAt
	s.failedAt = nil
	return at
}

// reasons lists why each child that is dead died, in the order of their starts.
func (s *fakeStarter) reasons() []Reason {
	s.mu.Lock()
	defer s.mu.Unlock()
	var reasons []Reason
	for _, c := range s.children {
		if r := c.killedFor(); r != "" {
			reasons = append(reasons, r)
		}
	}
	return reasons
}

// fakeChild serves calls whose Code is the time they take.
type fakeChild struct {
	starter *fakeStarter
	number  int
	killed  chan struct{}
	reaped  chan struct{}

	mu     sync.Mutex // guards the fields below
	reason Reason
	key    string
	cache  string // what it was given with its code
	calls  int
	queued []*Invocation // calls that were sent and have not been served
	idle   time.Duration // see stir
}

// stir has the child use so much of a processor between calls.
func (c *fakeChild) stir(used time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.idle = used
}

func (c *fakeChild) idleCPU() time.Duration {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.idle
}

// sentTogether checks that calls that were sent together are served in order.
func (s *fakeStarter) sentTogether(c *fakeChild, t *call) {
	s.mu.Lock()
	defer s.mu.Unlock()
	c.mu.Lock()
	defer c.mu.Unlock()
	s.together = max(s.together, 1+len(t.batch))
	if slices.ContainsFunc(t.batch, func(other *call) bool { return other.inv.MaxInvocations > 0 }) || len(t.batch) > 0 && t.inv.MaxInvocations > 0 {
		s.mixed = append(s.mixed, fmt.Sprintf("child %d: a call that limits its worker's calls was sent together with others", c.number))
	}
	switch {
	case t.sent && (len(c.queued) == 0 || c.queued[0] != t.inv):
		s.mixed = append(s.mixed, fmt.Sprintf("child %d: %s was served before the one sent first", c.number, t.inv.ID))
	case t.sent:
		c.queued = c.queued[1:]
	case len(c.queued) > 0:
		s.mixed = append(s.mixed, fmt.Sprintf("child %d: %s was sent while %d calls had not been served", c.number, t.inv.ID, len(c.queued)))
	default:
		for _, other := range t.batch {
			c.queued = append(c.queued, other.inv)
		}
	}
}

// forget ends the wait for the calls that were sent behind the one in progress.
func (c *fakeChild) forget() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.queued = nil
}

func (c *fakeChild) invoke(ctx context.Context, t *call) (result *Result, reusable bool, err error) {
	inv, first := t.inv, t.first
	if inv.Detached {
		ctx = context.WithoutCancel(ctx)
	}
	c.starter.sentTogether(c, t)
	if c.starter.calls != nil {
		c.starter.calls(t)
	}
	if c.starter.waits != nil && c.starter.waits(inv) {
		c.forget()
		t.pending()
	}
	defer func() {
		if _, failed := err.(*FunctionError); !reusable || err != nil && !failed { //nolint:errorlint // as made here
			c.forget()
		}
	}()
	c.mu.Lock()
	c.calls++
	if first != (c.key == "") || (!first && c.key != inv.Key) {
		c.starter.mu.Lock()
		c.starter.mixed = append(c.starter.mixed, fmt.Sprintf("child %d of %q got %q, first %v", c.number, c.key, inv.Key, first))
		c.starter.mu.Unlock()
	}
	c.key = inv.Key
	if first {
		c.cache = string(t.cache)
	}
	c.mu.Unlock()
	if c.starter.after != nil {
		t.late = c.starter.after(c, inv)
	}
	if c.starter.back != nil {
		t.putBack = c.starter.back(c, inv)
	}
	if c.starter.serve != nil {
		return c.starter.serve(c, inv)
	}
	return c.work(ctx, inv)
}

// work takes the time that inv.Code names.
func (c *fakeChild) work(ctx context.Context, inv *Invocation) (*Result, bool, error) {
	takes, err := time.ParseDuration(inv.Code)
	if err != nil {
		panic(err)
	}
	stop := context.AfterFunc(ctx, func() { c.kill(ReasonCanceled) })
	defer stop()
	select {
	case <-time.After(takes):
		return &Result{Status: 200, Body: []byte(inv.ID)}, true, nil
	case <-c.killed:
		<-c.reaped
		return nil, false, &DeathError{Reason: c.killedFor()}
	}
}

func (c *fakeChild) resume() {
	c.starter.mu.Lock()
	defer c.starter.mu.Unlock()
	c.starter.resumed++
}

func (c *fakeChild) kill(reason Reason) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.reason != "" {
		return
	}
	c.reason = reason
	close(c.killed)
	go func() {
		time.Sleep(c.starter.reapTime)
		c.starter.gone()
		close(c.reaped)
	}()
}

func (c *fakeChild) dead() <-chan struct{} { return c.reaped }

func (c *fakeChild) killedFor() Reason {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.reason
}
