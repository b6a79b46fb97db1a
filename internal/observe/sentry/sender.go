package sentry

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"sync"
	"sync/atomic"
	"time"
)

// Bounds on the sending of reports to the server's own project, and to those of functions and namespaces.
const (
	serverQueueSize = 192 // reports that may wait; more are lost
	othersQueueSize = 64
	serverSenders   = 2 // goroutines
	othersSenders   = 4
	sendTimeout     = 5 * time.Second
	closeTimeout    = 5 * time.Second
	lossReport      = time.Minute // between two log lines about lost reports
)

// sender delivers reports in a few goroutines. The server's own project has its own, so that nobody else can keep its
// reports waiting. A project or a host that does not take them is left alone for a while.
type sender struct {
	client   *http.Client // for addresses that the operator gave
	tenants  tenants      // for those of functions and namespaces
	logger   *slog.Logger
	backoffs backoffs
	ctx      context.Context // ends the requests in progress
	cancel   context.CancelFunc
	work     sync.WaitGroup
	lost     atomic.Int64 // since the last log line

	server, others *queue

	mu     sync.Mutex // guards logged
	logged time.Time
}

func newSender(o Options) *sender {
	ctx, cancel := context.WithCancel(context.Background())
	s := &sender{
		client: newClient(o.Transport), tenants: tenants{dial: o.Dial}, logger: o.Logger, ctx: ctx, cancel: cancel,
		server: newQueue(serverQueueSize, false), others: newQueue(othersQueueSize, true),
	}
	for range serverSenders {
		s.work.Go(func() { s.run(s.server) })
	}
	for range othersSenders {
		s.work.Go(func() { s.run(s.others) })
	}
	return s
}

func (s *sender) queueOf(p project) *queue {
	if p.server {
		return s.server
	}
	return s.others
}

// accepts says whether a report to p would be sent now. If not it counts as lost.
func (s *sender) accepts(p project) bool {
	switch {
	case s.backsOff(p):
		s.lost.Add(1)
		return false
	case !s.queueOf(p).hasRoom(p.owner):
		s.lose(errQueueFull)
		return false
	}
	return true
}

// backsOff says whether nothing is sent to p or its host for now.
func (s *sender) backsOff(p project) bool {
	return s.backoffs.active(p.key()) || s.backoffs.active(p.hostKey())
}

// send queues r and never waits. After the end it does nothing.
func (s *sender) send(r *report) {
	if err := s.queueOf(r.project).offer(r); err != nil {
		s.lose(err)
	}
}

// close waits until all is sent, or for closeTimeout.
func (s *sender) close() {
	s.server.close()
	s.others.close()
	defer s.cancel()
	giveUp := time.AfterFunc(closeTimeout, s.cancel)
	defer giveUp.Stop()
	s.work.Wait()
	s.client.CloseIdleConnections()
	s.tenants.close()
}

func (s *sender) run(q *queue) {
	for r := q.take(); r != nil; r = q.take() {
		s.try(r)
		q.done(r)
	}
}

// try delivers r, unless its project has come to be left alone since it was queued.
func (s *sender) try(r *report) {
	if s.backsOff(r.project) {
		s.lost.Add(1)
		return
	}
	backoff, err := s.deliver(r)
	if backoff > 0 {
		s.backoffs.set(backoffKey(r.project, err), backoff)
	}
	if err != nil {
		s.lose(fmt.Errorf("%s: %w", r.project.dsn.GetHost(), err))
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
