package limits

import (
	"math"
	"time"

	"github.com/backstage/functions/internal/usage"
)

// Standing is how a limit stands, as far as this server knows.
type Standing struct {
	// Name is that of the limit, such as "namespace" or "key-day".
	Name string
	// Quota is how many calls there may be in Window, Remaining how many of them are left.
	Quota     int64
	Window    time.Duration
	Remaining int64
	// Reset is when all of them are there again.
	Reset time.Duration
}

// standings are those of the rates, and of the quotas of calls, of subjects.
func (l *Limiter) standings(all []limited) (list []Standing) {
	now := time.Now()
	for _, s := range all {
		s.mu.Lock()
		if s.Rate.IsSet() {
			list = append(list, s.rateLocked(now))
		}
		if limit := s.Quotas.Calls; limit > 0 {
			own := s.quota.unsent
			own.Add(s.used.load())
			list = append(list, Standing{
				Name: string(s.subject.Kind) + "-day", Quota: limit, Window: 24 * time.Hour,
				Remaining: max(limit-s.quota.known.Calls-own.Calls-1, 0), Reset: tomorrow(now),
			})
		}
		s.mu.Unlock()
	}
	return list
}

func (s limited) rateLocked(now time.Time) Standing {
	b := &s.bucket
	of := Standing{Name: string(s.subject.Kind), Quota: int64(s.Rate.Calls), Window: s.Rate.Per}
	remaining := b.tokens + b.left
	if b.alone != nil {
		remaining = int(b.alone.TokensAt(now))
	}
	of.Remaining = int64(min(max(remaining, 0), s.Rate.Calls))
	missing := float64(of.Quota-of.Remaining) / s.Rate.PerSecond()
	of.Reset = time.Duration(math.Ceil(missing) * float64(time.Second))
	return of
}

// Stats is the state of a Limiter.
type Stats struct {
	// Entries are the subjects in memory.
	Entries int
	// Unsent are the batches of usage that the store has not taken, Failures how often it did not.
	Unsent   int
	Failures uint64
	// Alone are the buckets whose rate this server shares out by itself, since the store is away.
	Alone int
	// Servers are how many share limits.
	Servers int
}

// Stats returns the state of l.
func (l *Limiter) Stats() Stats {
	l.mu.RLock()
	defer l.mu.RUnlock()
	s := Stats{
		Entries: len(l.entries), Unsent: int(l.unsent.Load()), Failures: l.failures.Load(), Servers: int(l.servers.Load()),
	}
	for _, e := range l.entries {
		e.mu.Lock()
		if e.bucket.alone != nil {
			s.Alone++
		}
		e.mu.Unlock()
	}
	return s
}

// subjectOf is what limits of the namespace are counted of: itself where it has limits of its own, else its owner.
func (t *Table) subjectOf(namespace string) usage.Subject {
	owner := t.ownerOf(namespace)
	if _, own := (*t.all.Load())[namespace]; t.separator == "" || own && namespace != owner {
		return usage.Subject{Kind: usage.OfNamespace, Name: namespace}
	}
	return usage.Subject{Kind: usage.OfOwner, Name: owner}
}
