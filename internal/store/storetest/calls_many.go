package storetest

import (
	"fmt"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/backstage/functions/internal/queue"
)

func idsOf(calls []*queue.Call) (ids []string) {
	for _, c := range calls {
		ids = append(ids, c.ID)
	}
	return ids
}

func testCallsAreListed(t *testing.T, s Store) {
	var ids []string
	for i := range 7 {
		c := spec("ns")
		putCall(t, s, c)
		ids = append(ids, c.ID)
		if i < 2 {
			settleCall(t, s, takeCall(t, s, time.Hour), queue.Settlement{Outcome: queue.Fail, Reason: "r" + strconv.Itoa(i)},
				queue.Dead)
		}
	}
	putCall(t, s, spec("other"))
	slices.Reverse(ids) // the newest is first
	created := getCall(t, s, ref, ids[0]).Created
	for name, row := range map[string]struct {
		q    queue.Query
		want []string
	}{
		"all":    {queue.Query{}, ids},
		"queued": {queue.Query{Status: queue.Queued}, ids[:5]},
		"dead":   {queue.Query{Status: queue.Dead}, ids[5:]},
		"reason": {queue.Query{Reason: "r1"}, ids[5:6]},
		"since":  {queue.Query{Since: created.Add(time.Hour)}, nil},
	} {
		for _, limit := range []int{1, 2, 3, 100} {
			t.Run(fmt.Sprint(name, limit), func(t *testing.T) {
				q := row.q
				q.Ref, q.Limit = ref, limit
				var got []string
				for range 20 {
					page, err := s.ListCalls(t.Context(), &q)
					wantNoError(t, err)
					if len(page.Calls) > limit {
						t.Fatalf("a page has %d calls", len(page.Calls))
					}
					got = append(got, idsOf(page.Calls)...)
					if q.After = page.Next; q.After == "" {
						break
					}
				}
				if q.After != "" || !slices.Equal(got, row.want) {
					t.Errorf("got %v, want %v", got, row.want)
				}
			})
		}
	}
}

func testCallsHaveALimit(t *testing.T, s Store) {
	few := queue.Limits{Calls: 3, Bytes: 1 << 30}
	var ids []string
	for range 3 {
		c := spec("ns")
		_, err := s.PutCall(t.Context(), c, few)
		wantNoError(t, err)
		ids = append(ids, c.ID)
	}
	_, err := s.PutCall(t.Context(), spec("ns"), few)
	wantError(t, err, queue.ErrFull)
	_, err = s.PutCall(t.Context(), spec("other"), few)
	wantNoError(t, err)
	wantNoError(t, s.CancelCall(t.Context(), ref, ids[0])) // makes room, as one that succeeded does
	_, err = s.PutCall(t.Context(), spec("ns"), few)
	wantNoError(t, err)
	_, err = s.GetCall(t.Context(), ref, ids[0])
	wantError(t, err, queue.ErrNotFound)
	_, err = s.PutCall(t.Context(), spec("ns"), few)
	wantError(t, err, queue.ErrFull)
	for range 3 { // of both namespaces; the dead make no room
		settleCall(t, s, takeCall(t, s, time.Hour), queue.Settlement{Outcome: queue.Fail}, queue.Dead)
	}
	_, err = s.PutCall(t.Context(), spec("ns"), few)
	wantError(t, err, queue.ErrFull)
}

func testCallsTakeLimitedBytes(t *testing.T, s Store) {
	limits := queue.Limits{Calls: 100, Bytes: 26_000}
	large := func() *queue.Spec {
		c := spec("ns")
		c.Payload = make([]byte, 5_000)
		return c
	}
	for range 3 {
		_, err := s.PutCall(t.Context(), large(), limits)
		wantNoError(t, err)
	}
	_, err := s.PutCall(t.Context(), large(), limits)
	wantError(t, err, queue.ErrFull)
	for range 3 { // what has succeeded keeps its answer only
		settleCall(t, s, takeCall(t, s, time.Hour), queue.Settlement{Outcome: queue.Done}, queue.Succeeded)
	}
	for range 2 {
		_, err := s.PutCall(t.Context(), large(), limits)
		wantNoError(t, err)
	}
	page, err := s.ListCalls(t.Context(), &queue.Query{Ref: ref, Status: queue.Succeeded, Limit: 9})
	wantNoError(t, err)
	if len(page.Calls) == 0 {
		t.Error("payloads of calls that have succeeded take room still")
	}
	_, err = s.PutCall(t.Context(), large(), limits)
	wantNoError(t, err) // in place of those that have succeeded
	_, err = s.PutCall(t.Context(), large(), limits)
	wantError(t, err, queue.ErrFull)
}

// testNamespacesShareFairly has one namespace with many calls and two with few. While all run, each has as many as it
// wants or as many as the others.
func testNamespacesShareFairly(t *testing.T, s Store) {
	for range 200 {
		putCall(t, s, spec("flood"))
	}
	for range 5 {
		putCall(t, s, spec("a"))
		putCall(t, s, spec("b"))
	}
	held := map[string]int{}
	for range 15 {
		held[takeCall(t, s, time.Hour).Ref.Namespace]++
	}
	if held["a"] != 5 || held["b"] != 5 || held["flood"] != 5 {
		t.Errorf("of the first 15 calls %v", held)
	}
	// One place alone: whoever comes anew is served soon, and the others go on.
	served := map[string]int{}
	for range 40 {
		putCall(t, s, spec("trickle"))
		c := takeCall(t, s, time.Hour)
		served[c.Ref.Namespace]++
		settleCall(t, s, c, queue.Settlement{Outcome: queue.Done}, queue.Succeeded)
	}
	if served["trickle"] < 10 {
		t.Errorf("of 40 calls one after the other %v", served)
	}
}

func testCallsAreCounted(t *testing.T, s Store) {
	stats := func() queue.Stats {
		t.Helper()
		got, err := s.CallStats(t.Context())
		wantNoError(t, err)
		if (got.Bytes == 0) != (got.Calls == 0) || got.Bytes < got.Calls*queue.Overhead {
			t.Errorf("%d calls take %d bytes", got.Calls, got.Bytes)
		}
		got.Overdue, got.Bytes = 0, 0
		return got
	}
	if got := stats(); got != (queue.Stats{}) {
		t.Errorf("of an empty queue: %+v", got)
	}
	for range 4 {
		putCall(t, s, spec("ns"))
	}
	takeCall(t, s, time.Hour)
	settleCall(t, s, takeCall(t, s, time.Hour), queue.Settlement{Outcome: queue.Fail}, queue.Dead)
	if got := stats(); got != (queue.Stats{Queued: 2, Running: 1, Dead: 1, Calls: 4}) {
		t.Errorf("got %+v", got)
	}
}

func testCallsOfManyNamespacesAreAllSeen(t *testing.T, s Store) {
	var want []string
	for i := range 40 { // in all parts
		want = append(want, putCall(t, s, spec(fmt.Sprintf("{n%d}:/ é", i))))
	}
	var got []string
	for len(got) < len(want) {
		taken, _, err := s.TakeCalls(t.Context(), "one", 7, time.Hour)
		wantNoError(t, err)
		if len(taken) == 0 {
			break
		}
		got = append(got, idsOf(taken)...)
		var renewals []queue.Renewal
		for _, c := range taken {
			renewals = append(renewals, queue.Renewal{Lease: queue.LeaseOf(c)})
		}
		if lost, err := s.RenewCalls(t.Context(), renewals, time.Hour); err != nil || len(lost) > 0 {
			t.Fatalf("lost %v, %v", lost, err)
		}
	}
	slices.Sort(want)
	if slices.Sort(got); !slices.Equal(got, want) {
		t.Errorf("took %d of %d", len(got), len(want))
	}
}
