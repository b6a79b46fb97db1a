package bolt_test

import (
	"testing"
	"time"

	"github.com/backstage/functions/internal/function"
	"github.com/backstage/functions/internal/queue"
)

func TestQueuedCallsAreThereAfterAReopen(t *testing.T) {
	dir := t.TempDir()
	s := open(t, dir)
	ref := function.Ref{Namespace: "a/b:c", ID: "d"}
	limits := queue.Limits{Calls: 10, Bytes: 1 << 20}
	check := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	for _, id := range []string{"1", "2", "3"} {
		_, err := s.PutCall(t.Context(), &queue.Spec{
			ID: id, Ref: ref, Payload: []byte("payload " + id), Attempts: 2, MaxAge: time.Hour, Keep: time.Hour,
			Key: "key" + id, KeyFor: time.Hour, Print: "print",
		}, limits)
		check(err)
	}
	taken, _, err := s.TakeCalls(t.Context(), "one", 2, time.Millisecond)
	check(err)
	_, err = s.SettleCall(t.Context(), &queue.Settlement{
		Lease: queue.LeaseOf(taken[0]), Outcome: queue.Done, Detail: []byte(`{"ms":1}`), Result: []byte("answer"),
	})
	check(err)
	check(s.Close())
	s = open(t, dir)
	got, err := s.GetCall(t.Context(), ref, "1")
	if err != nil || got.Status != queue.Succeeded || len(got.History) != 1 ||
		string(got.History[0].Detail) != `{"ms":1}` {
		t.Errorf("got %+v, %v", got, err)
	}
	if result, err := s.CallResult(t.Context(), ref, "1"); err != nil || string(result) != "answer" {
		t.Errorf("result %q, %v", result, err)
	}
	placed, err := s.PutCall(t.Context(), &queue.Spec{
		ID: "4", Ref: ref, Attempts: 1, MaxAge: time.Hour, Key: "key3",
	}, limits)
	if err != nil || placed.ID != "3" || placed.Print != "print" {
		t.Errorf("placed %+v, %v", placed, err)
	}
	again := map[string]int{}
	for len(again) < 2 {
		taken, _, err := s.TakeCalls(t.Context(), "two", 2, time.Hour)
		check(err)
		for _, c := range taken {
			again[c.ID] = c.Takes
			if string(c.Payload) != "payload "+c.ID {
				t.Errorf("payload of %s is %q", c.ID, c.Payload)
			}
		}
	}
	if again["2"] != 2 || again["3"] != 1 { // the first server's lease of 2 has run out
		t.Errorf("taken again: %v", again)
	}
}

func TestCallbacksAreThereAfterAReopen(t *testing.T) {
	dir := t.TempDir()
	s := open(t, dir)
	ref := function.Ref{Namespace: "a/b:c", ID: "d"}
	check := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	for _, id := range []string{"1", "2", "3"} {
		_, err := s.PutCall(t.Context(), &queue.Spec{
			ID: id, Ref: ref, Attempts: 2, MaxAge: time.Hour, Keep: time.Hour, KeepDead: time.Hour,
			CallTo: queue.Callback{URL: "https://a.example/", Secret: "S"},
		}, queue.Limits{Calls: 10, Bytes: 1 << 20})
		check(err)
		check(s.CancelCall(t.Context(), ref, id))
	}
	taken, _, err := s.TakeCallbacks(t.Context(), "one", 2, time.Millisecond)
	check(err)
	_, err = s.SettleCallback(t.Context(), &queue.Settlement{
		Lease: queue.LeaseOf(taken[0]), Outcome: queue.Fail, Reason: "gone", Detail: []byte(`{"status":410}`),
	})
	check(err)
	check(s.Close())
	s = open(t, dir)
	c, err := s.GetCall(t.Context(), ref, "1")
	check(err)
	told, err := s.GetCallback(t.Context(), ref, "1")
	check(err)
	if c.Callback != queue.Dead || told.Reason != "gone" || len(told.History) != 1 || told.CallTo != c.CallTo {
		t.Errorf("got %+v, told %+v", c, told)
	}
	again := map[string]int{}
	for len(again) < 2 {
		taken, _, err := s.TakeCallbacks(t.Context(), "two", 2, time.Hour)
		check(err)
		for _, c := range taken {
			again[c.ID] = c.Takes
		}
	}
	if again["2"] != 2 || again["3"] != 1 { // the first server's lease of 2 has run out
		t.Errorf("taken again: %v", again)
	}
	check(s.RedriveCallback(t.Context(), ref, "1"))
}

// What the steps of a pipeline have taken without room counts after a restart, too.
func TestGrowthOfAPipelineIsKnownAfterAReopen(t *testing.T) {
	dir := t.TempDir()
	ref := function.Ref{Namespace: "ns", ID: "f"}
	c := &queue.Spec{ID: "1", Ref: ref, Payload: []byte("x"), Attempts: 1, MaxAge: time.Hour, KeepDead: time.Hour}
	for range 3 {
		c.Steps = append(c.Steps, queue.Step{Ref: ref, Attempts: 1, MaxAge: time.Hour})
	}
	limits := queue.Limits{Calls: 10, Bytes: 1 << 20}
	s := open(t, dir)
	if _, err := s.PutCall(t.Context(), c, limits); err != nil {
		t.Fatal(err)
	}
	limits.Bytes = 1 // from now on there is no room
	for i, want := range []queue.Status{queue.Queued, queue.Dead} {
		taken, _, err := s.TakeCalls(t.Context(), "one", 1, time.Hour)
		if err != nil || len(taken) != 1 {
			t.Fatalf("taken %v, %v", taken, err)
		}
		status, err := s.SettleCall(t.Context(), &queue.Settlement{
			Lease: queue.LeaseOf(taken[0]), Outcome: queue.Next, Payload: make([]byte, (i+1)*3000), Limits: limits,
		})
		if err != nil || status != want {
			t.Errorf("step %d: %s, %v", i+1, status, err)
		}
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
		s = open(t, dir)
	}
}
