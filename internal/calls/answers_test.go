package calls

import (
	"bytes"
	"context"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/backstage/functions/internal/function"
	"github.com/backstage/functions/internal/queue"
	"github.com/backstage/functions/internal/store/mem"
)

// slowReads counts those who read a long answer at the same time, which takes a second.
type slowReads struct {
	*flaky
	now, all atomic.Int64
}

func (s *slowReads) KeyAnswer(ctx context.Context, of queue.HoldOf) ([]byte, error) {
	defer s.read()()
	return s.flaky.KeyAnswer(ctx, of)
}

func (s *slowReads) CallResult(ctx context.Context, ref function.Ref, id string) ([]byte, error) {
	defer s.read()()
	return s.flaky.CallResult(ctx, ref, id)
}

func (s *slowReads) read() (end func()) {
	s.all.Add(1)
	s.now.Add(1)
	time.Sleep(time.Second)
	return func() { s.now.Add(-1) }
}

// idle is an Engine that runs no calls.
func idle(q Queue) *Engine {
	return New(Options{Queue: q, Limits: queue.Limits{Calls: 1000, Bytes: 1 << 30}})
}

// keepAnswer has an answer of so many bytes kept for a key of a namespace.
func keepAnswer(t *testing.T, e *Engine, namespace string, long int) *queue.Hold {
	t.Helper()
	h := keyOf("first of " + namespace)
	h.Ref.Namespace = namespace
	held, _, err := e.Hold(t.Context(), h, false)
	if err != nil {
		t.Fatal(err)
	}
	held.Answer(t.Context(), &Answer{Status: 200, Bytes: bytes.Repeat([]byte("a"), long)})
	return h
}

// TestLongAnswersShareMemory has many callers of one namespace ask for a long answer. What they hold is bounded: they
// wait for each other. One of another namespace does not wait for them, one who asks for a short answer for nobody.
func TestLongAnswersShareMemory(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := &slowReads{flaky: &flaky{Store: mem.New()}}
		r := idle(store)
		const long = 7 << 20
		got := make(chan *Answer, 1000)
		repeat := func(ctx context.Context, h *queue.Hold, i int) {
			again := *h
			again.ID = strconv.Itoa(i)
			_, kept, err := r.Hold(ctx, &again, false)
			if err == nil {
				got <- kept.Answer
			}
		}
		many := keepAnswer(t, r, "many", long)
		short := keepAnswer(t, r, "short", 1000)
		other := keepAnswer(t, r, "other", long)
		for i := range 100 {
			go repeat(t.Context(), many, i)
		}
		synctest.Wait() // some of these are first
		ctx, hangUp := context.WithCancel(t.Context())
		for i := range 100 {
			go repeat(ctx, many, i)
		}
		synctest.Wait()
		if now := store.now.Load(); now != answersAtATime/2 {
			t.Errorf("%d are read at a time", now)
		}
		begun := time.Now()
		repeat(t.Context(), short, 0)
		if a := <-got; len(a.Bytes) != 1000 || time.Since(begun) != 0 {
			t.Errorf("a short answer of %d bytes after %v", len(a.Bytes), time.Since(begun))
		}
		reused := *many
		reused.Print = "of another request"
		if _, kept, err := r.Hold(t.Context(), &reused, false); err != nil || kept.Answer != nil || time.Since(begun) != 0 {
			t.Errorf("another request gets %+v, %v after %v", kept, err, time.Since(begun))
		}
		time.Sleep(time.Minute)
		if n := len(got); n != answersAtATime/2 {
			t.Fatalf("%d are held before they are sent", n)
		}
		begun = time.Now()
		repeat(t.Context(), other, 0)
		if took := time.Since(begun); took != time.Second {
			t.Errorf("another namespace has waited for %v", took)
		}
		hangUp()
		synctest.Wait()
		for range 101 {
			a := <-got
			if len(a.Bytes) != long {
				t.Errorf("an answer of %d bytes", len(a.Bytes))
			}
			a.Release()
			a.Release() // does nothing
		}
		if read := store.all.Load(); read != 101 {
			t.Errorf("%d are read: also for those who have left", read)
		}
	})
}

// TestWhatIsBarelyLongHoldsNothing has answers read that are long, and not among those whose sending is told of: their
// callers may take as long as they like.
func TestWhatIsBarelyLongHoldsNothing(t *testing.T) {
	for more, most := range map[int]int{4 << 10: 100, 64 << 10: answersAtATime} {
		synctest.Test(t, func(t *testing.T) {
			e := idle(&flaky{Store: mem.New()})
			h := keepAnswer(t, e, "ns", queue.ShortAnswer+more)
			got := make(chan *Answer, 100)
			var all sync.WaitGroup
			for i := range 100 {
				again := *h
				again.ID = strconv.Itoa(i)
				all.Go(func() {
					if _, kept, err := e.Hold(t.Context(), &again, false); err == nil {
						got <- kept.Answer
					}
				})
			}
			synctest.Wait()
			if n := len(got); n != most {
				t.Errorf("%d bytes more: %d callers have their answer, want %d", more, n, most)
			}
			for range 100 {
				a := <-got
				if len(a.Bytes) != queue.ShortAnswer+more {
					t.Errorf("an answer of %d bytes", len(a.Bytes))
				}
				a.Release()
			}
			all.Wait()
		})
	}
}

// TestAnAnswerThatCannotBeReadHoldsNothing has more reads fail than would fit.
func TestAnAnswerThatCannotBeReadHoldsNothing(t *testing.T) {
	e := idle(brokenReads{&flaky{Store: mem.New()}})
	for range 10 * answersAtATime {
		if _, err := e.Result(t.Context(), ref, "id"); err == nil {
			t.Error("what cannot be read is an answer")
		}
	}
}

// brokenReads has a long answer that nobody understands.
type brokenReads struct{ *flaky }

func (brokenReads) GetCall(context.Context, function.Ref, string) (*queue.Call, error) {
	return &queue.Call{HasResult: true, ResultBytes: 7 << 20}, nil
}

func (brokenReads) CallResult(context.Context, function.Ref, string) ([]byte, error) {
	return []byte("?\n"), nil
}
