package storetest

import (
	"errors"
	"fmt"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/backstage/functions/internal/queue"
)

// putWithin puts calls of different namespaces until one is refused, and returns those that were not.
func putWithin(t *testing.T, s Store, limits queue.Limits, payload int) (taken []*queue.Spec) {
	t.Helper()
	for len(taken) < 1000 {
		c := spec(fmt.Sprint("n", len(taken)))
		c.Payload = make([]byte, payload)
		_, err := s.PutCall(t.Context(), c, limits)
		if errors.Is(err, queue.ErrStoreFull) {
			return taken
		}
		wantNoError(t, err)
		taken = append(taken, c)
	}
	t.Fatal("no put is refused")
	return nil
}

// putSoon puts a call that may have to wait until a store notices that there is room.
func putSoon(t *testing.T, s Store, c *queue.Spec, limits queue.Limits) {
	t.Helper()
	for deadline := time.Now().Add(patience); ; {
		_, err := s.PutCall(t.Context(), c, limits)
		if err == nil {
			return
		}
		wantError(t, err, queue.ErrStoreFull)
		if time.Now().After(deadline) {
			t.Fatal("calls that were cancelled make no room")
		}
	}
}

func testAllCallsHaveALimit(t *testing.T, s Store) {
	limits := queue.Limits{Calls: 10, Bytes: 1 << 30, AllCalls: 40}
	taken := putWithin(t, s, limits, 10)
	if len(taken) != 40 {
		t.Fatalf("%d calls were taken, of 40", len(taken))
	}
	_, err := s.PutCall(t.Context(), spec("n0"), limits)
	wantError(t, err, queue.ErrStoreFull)
	wantNoError(t, s.CancelCall(t.Context(), taken[7].Ref, taken[7].ID)) // makes room for other namespaces, too
	putSoon(t, s, spec("other"), limits)
	_, err = s.GetCall(t.Context(), taken[7].Ref, taken[7].ID)
	wantError(t, err, queue.ErrNotFound)
	_, err = s.PutCall(t.Context(), spec("n21"), limits)
	wantError(t, err, queue.ErrStoreFull)
	stats, err := s.CallStats(t.Context())
	if err != nil || stats.Calls != 40 {
		t.Errorf("there are %d calls, %v", stats.Calls, err)
	}
}

func testAllCallsTakeLimitedBytes(t *testing.T, s Store) {
	limits := queue.Limits{Calls: 10, Bytes: 1 << 30, AllCalls: 1000, AllBytes: 300_000}
	taken := putWithin(t, s, limits, 10_000)
	stats, err := s.CallStats(t.Context())
	if err != nil || stats.Bytes > limits.AllBytes || stats.Bytes < limits.AllBytes-13_000 {
		t.Errorf("%d calls take %d bytes, %v", len(taken), stats.Bytes, err)
	}
	small := spec("other")
	small.Payload = nil
	if left := limits.AllBytes - stats.Bytes; left > 4000 {
		putSoon(t, s, small, limits) // what fits is taken
	}
}

// testAnAnswerWithoutRoomIsNotKept has answers that do not fit, of a namespace and of all, and one that is too long by
// itself. The calls have succeeded, and their records say how long the answers were.
func testAnAnswerWithoutRoomIsNotKept(t *testing.T, s Store) {
	long := []byte(strings.Repeat("x", 50_000))
	for name, how := range map[string]queue.Settlement{
		"namespace": {Result: long, Limits: queue.Limits{Calls: 10, Bytes: 40_000, AllCalls: 10, AllBytes: 1 << 30}},
		"all":       {Result: long, Limits: queue.Limits{Calls: 10, Bytes: 1 << 30, AllCalls: 10, AllBytes: 40_000}},
		"too long":  {Dropped: int64(len(long))},
	} {
		t.Run(name, func(t *testing.T) {
			c := spec("ns")
			putCall(t, s, c)
			how.Outcome = queue.Done
			settleCall(t, s, takeCall(t, s, time.Hour), how, queue.Succeeded)
			got := getCall(t, s, c.Ref, c.ID)
			if got.Status != queue.Succeeded || got.HasResult || got.Dropped != int64(len(long)) || len(got.History) != 1 {
				t.Errorf("got %+v", got)
			}
			_, err := s.CallResult(t.Context(), c.Ref, c.ID)
			wantError(t, err, queue.ErrNotFound)
		})
	}
}

func testAnAnswerMakesRoomForItself(t *testing.T, s Store) {
	limits := queue.Limits{Calls: 10, Bytes: 20_000}
	var ids []string
	for range 3 {
		c := spec("ns")
		ids = append(ids, putCall(t, s, c))
		settleCall(t, s, takeCall(t, s, time.Hour), queue.Settlement{
			Outcome: queue.Done, Result: make([]byte, 9_000), Limits: limits,
		}, queue.Succeeded)
	}
	if got := getCall(t, s, ref, ids[2]); !got.HasResult || got.Dropped != 0 {
		t.Errorf("the newest: %+v", got)
	}
	_, err := s.GetCall(t.Context(), ref, ids[0])
	wantError(t, err, queue.ErrNotFound)
}

// testAttemptsTakeRoom has calls that fail again and again with long errors. What their records take is counted, and
// where there is no room for all attempts the last one is kept.
func testAttemptsTakeRoom(t *testing.T, s Store) {
	c := spec("ns")
	c.Attempts = 100
	putCall(t, s, c)
	before, err := s.CallStats(t.Context())
	wantNoError(t, err)
	fail := queue.Settlement{
		Outcome: queue.Retry, Reason: "thrown", Detail: fmt.Appendf(nil, `{"error":%q}`, strings.Repeat("x", 1000)),
		Limits: queue.Limits{Calls: 10, Bytes: before.Bytes + 5_000},
	}
	for range 9 {
		settleCall(t, s, takeCall(t, s, time.Hour), fail, queue.Queued)
	}
	after, err := s.CallStats(t.Context())
	wantNoError(t, err)
	if grown := after.Bytes - before.Bytes; grown < 1_000 || grown > 5_000 {
		t.Errorf("nine attempts take %d bytes", grown)
	}
	got := getCall(t, s, c.Ref, c.ID)
	if n := len(got.History); got.Used != 9 || n == 0 || n > 5 || string(got.History[n-1].Detail) != string(fail.Detail) {
		t.Errorf("%d attempts were used, %d are listed", got.Used, n)
	}
}

// flood is how many calls one namespace queues beside another: a million in nightly runs.
func flood() int {
	if os.Getenv("NIGHTLY") != "" {
		return 1_000_000
	}
	return 3_000
}

// testAFloodDelaysNoOtherNamespace queues very many calls of one namespace, and then a few of another. The other's are
// among the next, whatever runs of the first.
func testAFloodDelaysNoOtherNamespace(t *testing.T, s Store) {
	var puts sync.WaitGroup
	const callers = 50
	for range callers {
		puts.Go(func() {
			for range flood() / callers {
				c := spec("flood")
				c.Payload = nil
				if _, err := s.PutCall(t.Context(), c, queue.Limits{Calls: 1 << 30, Bytes: 1 << 50}); err != nil {
					t.Error(err)
					return
				}
			}
		})
	}
	puts.Wait()
	for range 20 {
		takeCall(t, s, time.Hour)
	}
	for range 5 {
		putCall(t, s, spec("other"))
	}
	taken, _, err := s.TakeCalls(t.Context(), "one", 8, time.Hour)
	wantNoError(t, err)
	first := 0
	for _, c := range taken[:min(5, len(taken))] {
		if c.Ref.Namespace == "other" {
			first++
		}
	}
	if first != 5 || len(taken) != 8 {
		t.Errorf("of the next %d calls the first five have %d of the other namespace", len(taken), first)
	}
	stats, err := s.CallStats(t.Context())
	if err != nil || stats.Queued != int64(flood())-23 || stats.Running != 28 {
		t.Errorf("got %+v, %v", stats, err)
	}
}
