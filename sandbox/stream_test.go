package sandbox

import (
	"errors"
	"io"
	"testing"
	"testing/synctest"
	"time"
)

// done is an Observer of what calls have taken.
type done struct {
	NopObserver

	stats []Stats
}

func (o *done) InvocationDone(stats Stats) { o.stats = append(o.stats, stats) }

// What a stream has sent is known of those that came to their end and of those that broke.
func TestStreamsAreCounted(t *testing.T) {
	broken := &StreamError{Err: io.ErrClosedPipe, Stats: Stats{Sent: 5, FirstByte: time.Second}}
	for name, row := range map[string]struct {
		result *Result
		err    error
		reused bool
	}{
		"whole":  {&Result{Streamed: true, Stats: Stats{Sent: 5, FirstByte: time.Second}}, nil, true},
		"broken": {nil, broken, false},
	} {
		synctest.Test(t, func(t *testing.T) {
			starter := &fakeStarter{serve: func(*fakeChild, *Invocation) (*Result, bool, error) {
				time.Sleep(time.Minute)
				return row.result, row.reused, row.err
			}}
			cfg, seen := fakeConfig(1, 1), new(done)
			cfg.Observer = seen
			pool := fakePool(t, cfg, starter)
			if _, err := pool.Invoke(t.Context(), invocation("a", "")); !errors.Is(err, row.err) {
				t.Errorf("%s: got %v", name, err)
			}
			if len(seen.stats) != 1 {
				t.Fatalf("%s: %d calls were made", name, len(seen.stats))
			}
			if s := seen.stats[0]; s.Sent != 5 || s.FirstByte != time.Second || s.Run != time.Minute || s.Start != StartPrewarmed {
				t.Errorf("%s: told %+v", name, s)
			}
			if row.err != nil && (broken.Run != time.Minute || broken.Start != StartPrewarmed) {
				t.Errorf("%s: the error has %+v", name, broken.Stats)
			}
		})
	}
}

// A call that has begun to answer may have had effects: even the death of a worker that had read nothing, which cannot
// be, would not have it made again.
func TestAStreamThatBrokeIsNotMadeAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		calls := 0
		starter := &fakeStarter{serve: func(*fakeChild, *Invocation) (*Result, bool, error) {
			calls++
			return nil, false, &StreamError{Err: &DeathError{Reason: ReasonSignal, untouched: true}}
		}}
		_, err := fakePool(t, fakeConfig(2, 0), starter).Invoke(t.Context(), invocation("a", ""))
		if death, ok := errors.AsType[*DeathError](err); !ok || death.Reason != ReasonSignal || calls != 1 {
			t.Errorf("%d calls, the last gave %v", calls, err)
		}
	})
}
