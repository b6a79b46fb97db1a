package sentry

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"sync"
	"sync/atomic"
	"time"
)

// Bounds on the sending of reports.
const (
	queueSize    = 256 // reports that may wait; more are lost
	senders      = 4
	sendTimeout  = 5 * time.Second
	closeTimeout = 5 * time.Second
	lossReport   = time.Minute // between two log lines about lost reports
)

// sender delivers reports in a few goroutines. A project that does not take them is left alone for a while, so that it
// does not keep those of the others waiting.
type sender struct {
	client  *http.Client // for addresses that the operator gave
	tenants tenants      // for those of functions and namespaces
	logger  *slog.Logger
	rests   rests
	ctx     context.Context // ends the requests in progress
	cancel  context.CancelFunc
	work    sync.WaitGroup
	lost    atomic.Int64 // since the last log line

	queue chan *report // closed together with closed being set

	mu     sync.Mutex // guards the fields below, and sending to queue
	closed bool
	logged time.Time
}

var errQueueFull = errors.New("too many at once")

func newSender(o Options) *sender {
	ctx, cancel := context.WithCancel(context.Background())
	s := &sender{
		client: newClient(o.Transport), tenants: tenants{dial: o.Dial},
		logger: o.Logger, ctx: ctx, cancel: cancel, queue: make(chan *report, queueSize),
	}
	for range senders {
		s.work.Go(s.run)
	}
	return s
}

// accepts says whether a report to p would be sent now. If not it counts as lost.
func (s *sender) accepts(p project) bool {
	switch {
	case s.rests.is(p.key()):
		s.lost.Add(1)
		return false
	case len(s.queue) == cap(s.queue):
		s.lose(errQueueFull)
		return false
	}
	return true
}

// send queues r and never waits. After the end it does nothing.
func (s *sender) send(r *report) {
	if err := s.offer(r); err != nil {
		s.lose(err)
	}
}

func (s *sender) offer(r *report) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return nil
	}
	select {
	case s.queue <- r:
		return nil
	default:
		return errQueueFull
	}
}

// close waits until all is sent, or for closeTimeout.
func (s *sender) close() {
	s.mu.Lock()
	if !s.closed {
		s.closed = true
		close(s.queue)
	}
	s.mu.Unlock()
	defer s.cancel()
	giveUp := time.AfterFunc(closeTimeout, s.cancel)
	defer giveUp.Stop()
	s.work.Wait()
	s.client.CloseIdleConnections()
	s.tenants.close()
}

func (s *sender) run() {
	for r := range s.queue {
		key := r.project.key()
		if s.rests.is(key) { // since it was queued
			s.lost.Add(1)
			continue
		}
		rest, err := s.deliver(r)
		if rest > 0 {
			s.rests.set(key, rest)
		}
		if err != nil {
			s.lose(fmt.Errorf("%s: %w", r.project.dsn.GetHost(), err))
		}
	}
}

// lose counts a lost report, and logs once in a while how many there were.
func (s *sender) lose(err error) {
	s.lost.Add(1)
	s.mu.Lock()
	due := time.Since(s.logged) >= lossReport
	if due {
		s.logged = time.Now()
	}
	s.mu.Unlock()
	if due {
		s.logger.Warn("Failed to publish errors into Sentry", "events", s.lost.Swap(0), "error", err)
	}
}
