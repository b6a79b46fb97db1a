package limits

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/backstage/functions/internal/usage"
)

// takeToken takes a token for a call, or returns a *RateError. Where nobody knows whether there is one it waits for the
// store, and goes on alone if that does not answer in time.
func (l *Limiter) takeToken(ctx context.Context, s limited) error {
	var timer *time.Timer
	for {
		s.mu.Lock()
		now := time.Now()
		s.bucket.set(s.Rate)
		ok, refused, wait := s.bucket.take(now)
		if (!ok || s.bucket.tokens <= s.bucket.batch/2) && !refused && s.bucket.mayAsk(now) ||
			s.bucket.alone != nil && s.bucket.mayAsk(now) {
			l.askLocked(s.entry)
		}
		if ok || refused {
			s.mu.Unlock()
			if refused {
				return &RateError{s.subject, s.Rate, wait}
			}
			return nil
		}
		if timer == nil {
			timer = time.NewTimer(leaseWait)
			defer timer.Stop()
		}
		told := s.told
		s.waiting++
		s.mu.Unlock()
		err := await(ctx, told, timer)
		s.mu.Lock()
		s.waiting--
		if errors.Is(err, errWaited) {
			s.bucket.goAlone(int(l.servers.Load()), time.Now())
			err = nil
		}
		s.mu.Unlock()
		if err != nil {
			return err
		}
	}
}

// askLocked has the store asked for tokens for e.
func (l *Limiter) askLocked(e *entry) {
	if e.asked {
		return
	}
	e.asked = true
	l.askMu.Lock()
	l.asking = append(l.asking, e)
	l.askMu.Unlock()
	wake(l.ask)
}

func wake(to chan struct{}) {
	select {
	case to <- struct{}{}:
	default:
	}
}

// lease asks the store for the tokens of all who wait, as often as anybody does, until ctx ends.
func (l *Limiter) lease(ctx context.Context) {
	for {
		select {
		case <-ctx.Done():
			return
		case <-l.ask:
		}
		l.askMu.Lock()
		asking := l.asking
		l.asking = nil
		l.askMu.Unlock()
		takes := make([]usage.Take, len(asking))
		for i, e := range asking {
			e.mu.Lock()
			takes[i] = usage.Take{Subject: e.subject, Rate: e.bucket.rate, Want: e.bucket.wants(e.waiting)}
			e.mu.Unlock()
		}
		l.leaseAll(ctx, asking, takes)
	}
}

func (l *Limiter) leaseAll(ctx context.Context, asking []*entry, takes []usage.Take) {
	ctx, cancel := context.WithTimeout(ctx, awayPause)
	defer cancel()
	grants, err := l.Store.TakeTokens(ctx, takes)
	now, servers := time.Now(), int(l.servers.Load())
	for i, e := range asking {
		e.mu.Lock()
		e.asked = false
		switch {
		case err != nil:
			e.bucket.goAlone(servers, now)
		case e.bucket.rate == takes[i].Rate: // else another one was set meanwhile
			e.bucket.grant(grants[i], takes[i].Want, servers, now)
		}
		e.tellLocked()
		e.mu.Unlock()
	}
}

// parts is into how many parts what is left of a quota is divided: one for each server, and, since they hear of each
// other later than they call, a half of that while the store answers.
func (l *Limiter) parts(servers int) int {
	if servers > 1 && !l.away.Load() {
		return 2 * servers
	}
	return servers
}

// checkQuotas returns a *QuotaError if a quota is used up. If only the share of this server is, it asks the store.
func (l *Limiter) checkQuotas(ctx context.Context, s limited) error {
	if !s.Quotas.IsSet() {
		return nil
	}
	var timer *time.Timer
	for asked := false; ; asked = true {
		s.mu.Lock()
		now := time.Now()
		s.quota.begin(usage.DayOf(now))
		own, servers := s.quota.unsent, int(l.servers.Load())
		own.Add(s.used.load())
		all := s.quota.standings(s.Quotas, own, l.parts(servers))
		empty := slices.IndexFunc(all, func(of standing) bool { return of.left <= 0 })
		short := slices.ContainsFunc(all, func(of standing) bool { return of.ours <= 0 })
		low := slices.ContainsFunc(all, func(of standing) bool { return servers > 1 && of.ours < of.left/int64(4*servers) })
		unknown := s.quota.synced.IsZero()
		stale := servers > 1 && now.Sub(s.quota.synced) > time.Second
		told := s.told
		mustWait := empty < 0 && (short || unknown) && !asked && !l.away.Load()
		if mustWait {
			s.waiting++
		}
		s.mu.Unlock()
		if empty < 0 && (mustWait || stale || low) || unknown {
			l.sendEarly(s.entry)
		}
		switch {
		case empty >= 0:
			return &QuotaError{s.subject, all[empty].what, tomorrow(now)}
		case !mustWait && short:
			i := slices.IndexFunc(all, func(of standing) bool { return of.ours <= 0 })
			return &QuotaError{s.subject, all[i].what, tomorrow(now)}
		case !mustWait:
			return nil
		}
		timer = time.NewTimer(leaseWait)
		err := await(ctx, told, timer)
		timer.Stop()
		s.mu.Lock()
		s.waiting--
		s.mu.Unlock()
		if err != nil && !errors.Is(err, errWaited) {
			return err
		}
	}
}
