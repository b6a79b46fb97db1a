package limits

import (
	"context"
	"errors"
	"time"

	"github.com/backstage/functions/internal/usage"
)

const (
	// sendEvery is how often usage is sent to the store: what was counted since is lost when the server is killed.
	sendEvery = 10 * time.Second
	// sendPause is the least time between two batches, and sendAgain that after one that could not be sent.
	sendPause = 100 * time.Millisecond
	sendAgain = time.Second
	// sendTimeout bounds the time to send one.
	sendTimeout = 5 * time.Second
	// mostPending is how many batches, one for each hour, are kept while the store is away. Later usage is counted in the
	// last hour.
	mostPending = 100
)

// sending is a batch and the entries of its records.
type sending struct {
	usage.Batch
	of []*entry
}

// Run sends usage and leases tokens until ctx ends, and then sends what there is.
func (l *Limiter) Run(ctx context.Context) {
	leasing := make(chan struct{})
	go func() {
		defer close(leasing)
		l.lease(ctx)
	}()
	defer func() { <-leasing }()
	l.send(ctx, true) // the store counts the servers
	next := time.Now().Add(sendEvery)
	for ctx.Err() == nil {
		pause := time.Until(next)
		if len(l.pending) > 0 {
			pause = sendAgain
		}
		whole := l.awaitTurn(ctx, pause)
		if ctx.Err() != nil {
			break
		}
		if whole {
			next = time.Now().Add(sendEvery)
		}
		l.send(ctx, whole)
	}
	last, cancel := context.WithTimeout(context.WithoutCancel(ctx), sendTimeout)
	defer cancel()
	l.send(last, true)
}

// awaitTurn returns after pause, or after sendPause when an entry is to be sent early. Whole says that all are due.
func (l *Limiter) awaitTurn(ctx context.Context, pause time.Duration) (whole bool) {
	timer := time.NewTimer(pause)
	defer timer.Stop()
	early := l.sync
	if len(l.pending) > 0 {
		early = nil
	}
	select {
	case <-ctx.Done():
		return true
	case <-timer.C:
		return true
	case <-early:
	}
	select {
	case <-ctx.Done():
	case <-time.After(sendPause):
	}
	return false
}

// sendEarly has e sent before its time, since the store's answer is needed.
func (l *Limiter) sendEarly(e *entry) {
	l.askMu.Lock()
	l.early[e] = struct{}{}
	l.askMu.Unlock()
	wake(l.sync)
}

// send sends what waits, and then what was counted since. A batch that fails is kept and sent first the next time, with
// its number, so the store adds it once.
func (l *Limiter) send(ctx context.Context, whole bool) {
	now := time.Now()
	if n := len(l.pending); n == 0 || n < mostPending && !l.pending[n-1].Records[0].Hour.Equal(hourOf(now)) {
		if batch := l.collect(now, whole); n == 0 || len(batch.Records) > 0 {
			l.pending = append(l.pending, batch)
		}
	}
	for len(l.pending) > 0 {
		err := l.sendOne(ctx, &l.pending[0])
		if l.note(ctx, err); err != nil {
			break
		}
		l.pending = l.pending[1:]
	}
	if n := len(l.pending); n > 0 && len(l.pending[n-1].Records) == 0 { // nothing is lost without it
		l.pending = l.pending[:n-1]
	}
	l.unsent.Store(int64(len(l.pending)))
}

func hourOf(t time.Time) time.Time { return t.UTC().Truncate(time.Hour) }

// note tells of the begin and of the end of a time in which nothing can be sent. That Run ends what it sends when it is
// stopped is no fault of the store: it is sent once more.
func (l *Limiter) note(ctx context.Context, err error) {
	if err != nil && errors.Is(ctx.Err(), context.Canceled) {
		return
	}
	was := l.away.Swap(err != nil)
	switch {
	case err == nil && was:
		l.Logger.InfoContext(ctx, "Usage is sent to the store again")
	case err != nil:
		l.failures.Add(1)
		if !was {
			l.Logger.WarnContext(ctx, "Usage cannot be sent to the store: it is kept, and limits hold with this server's share",
				"error", err)
		}
	}
}

func (l *Limiter) sendOne(ctx context.Context, s *sending) error {
	ctx, cancel := context.WithTimeout(ctx, sendTimeout)
	defer cancel()
	totals, err := l.Store.AddUsage(ctx, s.Batch)
	if err != nil {
		for _, e := range s.of {
			e.mu.Lock()
			e.tellLocked() // who waits goes on with what is known
			e.mu.Unlock()
		}
		return err
	}
	l.servers.Store(int64(max(totals.Servers, 1)))
	now := time.Now()
	for i, e := range s.of {
		e.mu.Lock()
		if q := &e.quota; q.day == usage.DayOf(s.Records[i].Hour) {
			q.known, q.synced, q.unsent = totals.Days[i], now, q.unsent.Less(s.Records[i].Amount)
		}
		e.tellLocked()
		e.mu.Unlock()
	}
	return nil
}

// collect makes a batch of what was used since, of all or of those that are to be sent early. It forgets entries that
// are idle.
func (l *Limiter) collect(now time.Time, whole bool) sending {
	l.askMu.Lock()
	early := l.early
	l.early = map[*entry]struct{}{}
	l.askMu.Unlock()
	l.number++
	s := sending{Batch: usage.Batch{Server: l.server, Number: l.number, Keep: l.Keep}}
	if !whole {
		for e := range early {
			s.add(e, now, true)
		}
		return s
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	for subject, e := range l.entries {
		_, wanted := early[e]
		if !s.add(e, now, wanted) {
			delete(l.entries, subject)
		}
	}
	return s
}

// add adds what e has counted, if it has, or if the total is wanted. It says whether e is to be kept.
func (s *sending) add(e *entry, now time.Time, wanted bool) (keep bool) {
	e.mu.Lock()
	defer e.mu.Unlock()
	a := e.used.collect()
	if a == (usage.Amount{}) && !wanted {
		return !e.idleLocked(now)
	}
	day := usage.DayOf(now)
	e.quota.begin(day)
	e.quota.unsent.Add(a)
	s.Records = append(s.Records, usage.Record{Subject: e.subject, Hour: hourOf(now), Amount: a})
	s.of = append(s.of, e)
	return true
}
