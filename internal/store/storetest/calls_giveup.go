package storetest

import (
	"errors"
	"sync"
	"testing"
	"time"

	"github.com/backstage/functions/internal/queue"
)

// giveUpTests are of dead calls that are given up.
var giveUpTests = table{
	"ADeadCallIsGivenUp":                 testADeadCallIsGivenUp,
	"ADeadCallThatIsGivenUpMakesRoom":    testADeadCallThatIsGivenUpMakesRoom,
	"CallbacksOfCallsThatAreGivenUp":     testCallbacksOfCallsThatAreGivenUp,
	"GivingUpAndRedrivingAtTheSameTime":  testGivingUpAndRedrivingAtTheSameTime,
	"ACallThatIsGivenUpExpiresAsTheRest": testACallThatIsGivenUpExpiresAsTheRest,
}

// dead is a call that has failed for good.
func dead(t *testing.T, s Store, c *queue.Spec) *queue.Spec {
	t.Helper()
	putCall(t, s, c)
	fail := queue.Settlement{Outcome: queue.Fail, Reason: "thrown", Result: []byte("no")}
	settleCall(t, s, takeCall(t, s, time.Hour), fail, queue.Dead)
	return c
}

// wantDead wants so many calls dead, of so many, and so many callbacks.
func wantDead(t *testing.T, s Store, most, calls, callbacks int64) {
	t.Helper()
	stats, err := s.CallStats(t.Context())
	if err != nil || stats.Dead != calls || stats.Calls != most {
		t.Errorf("of %d calls %d are dead, want %d of %d, %v", stats.Calls, stats.Dead, calls, most, err)
	}
	if stats, err = s.CallbackStats(t.Context()); err != nil || stats.Dead != callbacks {
		t.Errorf("%d callbacks are dead, want %d, %v", stats.Dead, callbacks, err)
	}
}

func testADeadCallIsGivenUp(t *testing.T, s Store) {
	c := dead(t, s, spec("ns"))
	for range 2 {
		wantNoError(t, s.CancelCall(t.Context(), c.Ref, c.ID))
		got := getCall(t, s, c.Ref, c.ID)
		if got.Status != queue.Cancelled || got.Reason != "" || len(got.History) != 1 || got.Settled.IsZero() {
			t.Errorf("given up: %+v", got)
		}
		wantDead(t, s, 1, 0, 0)
	}
	wantNoCall(t, s)
	wantNoError(t, s.RedriveCall(t.Context(), c.Ref, c.ID))
	settleCall(t, s, takeCall(t, s, time.Hour), queue.Settlement{Outcome: queue.Done}, queue.Succeeded)
	wantError(t, s.CancelCall(t.Context(), c.Ref, c.ID), queue.ErrSettled)
}

func testADeadCallThatIsGivenUpMakesRoom(t *testing.T, s Store) {
	first, second := dead(t, s, spec("ns")), dead(t, s, spec("ns"))
	two := queue.Limits{Calls: 2, Bytes: 1 << 20}
	_, err := s.PutCall(t.Context(), spec("ns"), two)
	wantError(t, err, queue.ErrFull)
	wantNoError(t, s.CancelCall(t.Context(), second.Ref, second.ID))
	_, err = s.PutCall(t.Context(), spec("ns"), two)
	wantNoError(t, err)
	_, err = s.GetCall(t.Context(), second.Ref, second.ID)
	wantError(t, err, queue.ErrNotFound)
	if got := getCall(t, s, first.Ref, first.ID); got.Status != queue.Dead {
		t.Errorf("the other one is %s", got.Status)
	}
	wantDead(t, s, 2, 1, 0)
}

// testCallbacksOfCallsThatAreGivenUp has one that still waits, which tells, and one that is dead, which is given up,
// too.
func testCallbacksOfCallsThatAreGivenUp(t *testing.T, s Store) {
	waits := dead(t, s, telling("ns"))
	wantNoError(t, s.CancelCall(t.Context(), waits.Ref, waits.ID))
	if got := getCall(t, s, waits.Ref, waits.ID); got.Status != queue.Cancelled || got.Callback != queue.Queued {
		t.Errorf("given up while it is to be told: %+v", got)
	}
	settleCallback(t, s, takeCallback(t, s, time.Hour), queue.Settlement{Outcome: queue.Done}, queue.Succeeded)
	if got := getCall(t, s, waits.Ref, waits.ID); got.Status != queue.Cancelled || got.Callback != queue.Succeeded {
		t.Errorf("then: %+v", got)
	}
	untold := dead(t, s, telling("ns"))
	settleCallback(t, s, takeCallback(t, s, time.Hour), queue.Settlement{Outcome: queue.Fail}, queue.Dead)
	wantDead(t, s, 2, 1, 1)
	wantNoError(t, s.CancelCall(t.Context(), untold.Ref, untold.ID))
	if got := getCall(t, s, untold.Ref, untold.ID); got.Status != queue.Cancelled || got.Callback != "" {
		t.Errorf("given up that nobody was told of: %+v", got)
	}
	wantDead(t, s, 2, 0, 0)
	wantError(t, s.RedriveCallback(t.Context(), untold.Ref, untold.ID), queue.ErrNotSettled)
	wantNoCallback(t, s)
	for _, c := range []*queue.Spec{waits, untold} { // both make room now
		_, err := s.PutCall(t.Context(), spec("ns"), queue.Limits{Calls: 2, Bytes: 1 << 20})
		wantNoError(t, err)
		_, err = s.GetCall(t.Context(), c.Ref, c.ID)
		wantError(t, err, queue.ErrNotFound)
	}
}

func testGivingUpAndRedrivingAtTheSameTime(t *testing.T, s Store) {
	var all []*queue.Spec
	for range 20 {
		all = append(all, dead(t, s, spec("ns")))
	}
	var both sync.WaitGroup
	for _, c := range all {
		both.Go(func() { wantNoErrorOf(t, s.CancelCall(t.Context(), c.Ref, c.ID)) })
		both.Go(func() { wantNoErrorOf(t, s.RedriveCall(t.Context(), c.Ref, c.ID)) })
	}
	both.Wait()
	var want queue.Stats
	for _, c := range all {
		switch got := getCall(t, s, c.Ref, c.ID); got.Status {
		case queue.Queued:
			want.Queued++
		case queue.Cancelled:
		default:
			t.Errorf("one is %s", got.Status)
		}
	}
	stats, err := s.CallStats(t.Context())
	if err != nil || stats.Queued != want.Queued || stats.Dead != 0 || stats.Running != 0 || stats.Calls != 20 {
		t.Errorf("counted %+v, %v; %d are queued", stats, err, want.Queued)
	}
	for range want.Queued {
		settleCall(t, s, takeCall(t, s, time.Hour), queue.Settlement{Outcome: queue.Done}, queue.Succeeded)
	}
	wantNoCall(t, s)
}

// wantNoErrorOf is wantNoError for goroutines.
func wantNoErrorOf(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Error(err)
	}
}

func testACallThatIsGivenUpExpiresAsTheRest(t *testing.T, s Store) {
	c := spec("ns")
	c.Keep, c.KeepDead = time.Millisecond, time.Hour
	dead(t, s, c)
	wantNoError(t, s.CancelCall(t.Context(), c.Ref, c.ID))
	for deadline := time.Now().Add(patience); ; {
		putCall(t, s, spec("ns")) // drops what has expired
		_, err := s.GetCall(t.Context(), c.Ref, c.ID)
		if errors.Is(err, queue.ErrNotFound) {
			return
		}
		wantNoError(t, err)
		if time.Now().After(deadline) {
			t.Fatal("it stays")
		}
	}
}
