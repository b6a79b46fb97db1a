package records

import (
	"sync"
	"time"

	"golang.org/x/time/rate"

	"github.com/backstage/functions/internal/function"
)

// Of the calls of a function that fail, and of those that do not, this many at once have a record, and then one every
// so often; of all together this many.
const (
	burst, every       = 50, 200 * time.Millisecond
	allBurst, allEvery = 1000, 5 * time.Millisecond
	maxFunctions       = 10_000
)

// looks is how many functions are looked at to find one to forget.
const looks = 8

// sampler says which calls have records, and counts the others. Use newSampler. It is safe for concurrent use.
type sampler struct {
	mu        sync.Mutex // guards the fields below
	all       [2]*rate.Limiter
	functions map[function.Ref]*sampled
	calls     int64 // without records, since the last summary
	touched   map[function.Ref]struct{}
	err       error // the last one of the store since then
}

// sampled are the calls of one function: those that fail, and the others.
type sampled struct {
	buckets [2]bucket
	skipped int64 // since the last one with a record
}

// bucket has a token for each record that may be. Its zero value is full.
type bucket struct {
	used float64 // tokens that are not there
	at   time.Time
}

func newSampler() *sampler {
	newAll := func() *rate.Limiter { return rate.NewLimiter(rate.Every(allEvery), allBurst) }
	return &sampler{
		all: [2]*rate.Limiter{newAll(), newAll()}, functions: map[function.Ref]*sampled{},
		touched: map[function.Ref]struct{}{},
	}
}

// take says whether a call is to have a record, and counts it if not.
func (s *sampler) take(ref function.Ref, failed bool, now time.Time) bool {
	which := 0
	if failed {
		which = 1
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	f := s.functionLocked(ref, now)
	if f.buckets[which].take(now) && s.all[which].AllowN(now, 1) {
		return true
	}
	s.skipLocked(ref, f, 1)
	return false
}

func (b *bucket) take(now time.Time) bool {
	if b.used = max(b.used-float64(now.Sub(b.at))/float64(every), 0); b.used > burst-1 {
		b.at = now
		return false
	}
	b.used++
	b.at = now
	return true
}

// skip counts calls without a record.
func (s *sampler) skip(ref function.Ref, calls int64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.skipLocked(ref, s.functionLocked(ref, time.Now()), calls)
}

func (s *sampler) skipLocked(ref function.Ref, f *sampled, calls int64) {
	f.skipped += calls
	s.calls += calls
	if len(s.touched) < maxFunctions {
		s.touched[ref] = struct{}{}
	}
}

// skipped is how many calls of a function have no record since the last one that has. It is asked for one that has.
func (s *sampler) skipped(ref function.Ref) (calls int64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if f := s.functions[ref]; f != nil {
		calls, f.skipped = f.skipped, 0
	}
	return calls
}

// fail notes an error of the store.
func (s *sampler) fail(err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.err = err
}

// summary is how many calls, of how many functions, have no record since the last one.
func (s *sampler) summary() (calls int64, functions int, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	calls, functions, err = s.calls, len(s.touched), s.err
	s.calls, s.err = 0, nil
	clear(s.touched)
	return calls, functions, err
}

func (s *sampler) functionLocked(ref function.Ref, now time.Time) *sampled {
	f := s.functions[ref]
	if f == nil {
		if len(s.functions) >= maxFunctions {
			s.forgetLocked(now)
		}
		f = &sampled{}
		s.functions[ref] = f
	}
	return f
}

// forgetLocked forgets the function that has waited longest of some that are picked at random.
func (s *sampler) forgetLocked(now time.Time) {
	var oldest function.Ref
	longest, left := time.Duration(-1), looks
	for ref, f := range s.functions {
		if quiet := min(now.Sub(f.buckets[0].at), now.Sub(f.buckets[1].at)); quiet > longest {
			oldest, longest = ref, quiet
		}
		if left--; left == 0 {
			break
		}
	}
	delete(s.functions, oldest)
}
