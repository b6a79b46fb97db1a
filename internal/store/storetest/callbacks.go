package storetest

import (
	"errors"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/backstage/functions/internal/function"
	"github.com/backstage/functions/internal/queue"
)

// callbackTests are of what tells the ends of calls.
var callbackTests = table{
	"EachEndQueuesACallback":            testEachEndQueuesACallback,
	"ACallWithoutACallbackTellsNobody":  testACallWithoutACallbackTellsNobody,
	"ACallbackIsTriedAgain":             testACallbackIsTriedAgain,
	"AnAbandonedCallbackIsTakenAgain":   testAnAbandonedCallbackIsTakenAgain,
	"ARecordStaysForItsCallback":        testARecordStaysForItsCallback,
	"ADeadCallbackIsRedriven":           testADeadCallbackIsRedriven,
	"ARedrivenCallWithdrawsItsCallback": testARedrivenCallWithdrawsItsCallback,
	"CallbacksAreNoCalls":               testCallbacksAreNoCalls,
	"CallbacksAreListed":                testCallbacksAreListed,
	"NamespacesShareCallbacksFairly":    testNamespacesShareCallbacksFairly,
	"CallbacksBehaveAsTheirModel":       testCallbacksBehaveAsTheirModel,
}

// telling is a new call whose end is told.
func telling(namespace string) *queue.Spec {
	c := spec(namespace)
	c.CallTo = queue.Callback{URL: "https://hooks.example.org/é?a=b", Secret: "HOOK"}
	return c
}

// takeCallback takes one callback, whenever there is one.
func takeCallback(t *testing.T, s Store, lease time.Duration) *queue.Call {
	t.Helper()
	return takeOne(t, s.TakeCallbacks, "two", lease)
}

func wantNoCallback(t *testing.T, s Store) {
	t.Helper()
	wantNone(t, s.TakeCallbacks, "two")
}

func settleCallback(t *testing.T, s Store, c *queue.Call, how queue.Settlement, want queue.Status) {
	t.Helper()
	settleBy(t, s.SettleCallback, c, how, want)
}

// ended is a call that has succeeded, whose callback is queued.
func ended(t *testing.T, s Store, c *queue.Spec) *queue.Call {
	t.Helper()
	putCall(t, s, c)
	done := queue.Settlement{Outcome: queue.Done, Result: []byte("answer")}
	settleCall(t, s, takeCall(t, s, time.Hour), done, queue.Succeeded)
	return getCall(t, s, c.Ref, c.ID)
}

// testEachEndQueuesACallback has calls end in every way there is.
func testEachEndQueuesACallback(t *testing.T, s Store) {
	take := func(c *queue.Spec, lease time.Duration) *queue.Call {
		putCall(t, s, c)
		wantNoCallback(t, s)
		return takeCall(t, s, lease)
	}
	for _, way := range []struct {
		want queue.Status
		end  func(c *queue.Spec)
	}{
		{queue.Succeeded, func(c *queue.Spec) {
			settleCall(t, s, take(c, time.Hour), queue.Settlement{Outcome: queue.Done}, queue.Succeeded)
		}},
		{queue.Dead, func(c *queue.Spec) {
			settleCall(t, s, take(c, time.Hour), queue.Settlement{Outcome: queue.Fail, Reason: "thrown"}, queue.Dead)
		}},
		{queue.Dead, func(c *queue.Spec) {
			back := queue.Settlement{Outcome: queue.Back, Delay: 2 * time.Hour}
			settleCall(t, s, take(c, time.Hour), back, queue.Dead)
		}},
		{queue.Dead, func(c *queue.Spec) {
			c.Attempts = 1
			take(c, time.Millisecond) // whose server is gone
			for deadline := time.Now().Add(patience); getCall(t, s, c.Ref, c.ID).Status != queue.Dead; {
				wantNoCall(t, s)
				if time.Now().After(deadline) {
					t.Fatal("the call is not dead")
				}
			}
		}},
		{queue.Cancelled, func(c *queue.Spec) {
			putCall(t, s, c)
			wantNoError(t, s.CancelCall(t.Context(), c.Ref, c.ID))
		}},
		{queue.Cancelled, func(c *queue.Spec) {
			take(c, time.Hour)
			wantNoError(t, s.CancelCall(t.Context(), c.Ref, c.ID))
		}},
	} {
		c := telling("ns")
		way.end(c)
		got := getCall(t, s, c.Ref, c.ID)
		if got.Status != way.want || got.Callback != queue.Queued || got.CallTo != c.CallTo {
			t.Errorf("ended: %+v", got)
		}
		job := takeCallback(t, s, time.Hour)
		if job.ID != c.ID || job.Ref != c.Ref || job.CallTo != c.CallTo || job.Takes != 1 || len(job.Payload) > 0 ||
			job.Server != "two" || job.Until.Sub(job.Created) != queue.CallbackMaxAge {
			t.Errorf("the callback: %+v", job)
		}
		detail := []byte(`{"status":204}`)
		settleCallback(t, s, job, queue.Settlement{Outcome: queue.Done, Detail: detail}, queue.Succeeded)
		if got := getCall(t, s, c.Ref, c.ID); got.Callback != queue.Succeeded || got.Status != way.want {
			t.Errorf("told: %+v", got)
		}
		told, err := s.GetCallback(t.Context(), c.Ref, c.ID)
		if err != nil || told.Status != queue.Succeeded || len(told.History) != 1 ||
			string(told.History[0].Detail) != string(detail) {
			t.Errorf("the callback: %+v, %v", told, err)
		}
		_, err = s.SettleCallback(t.Context(), &queue.Settlement{Lease: queue.Lease{Ref: c.Ref, ID: c.ID, Take: 2}})
		wantError(t, err, queue.ErrLost)
		wantNoCallback(t, s)
	}
}

func testACallWithoutACallbackTellsNobody(t *testing.T, s Store) {
	c := ended(t, s, spec("ns"))
	wantNoCallback(t, s)
	_, err := s.GetCallback(t.Context(), c.Ref, c.ID)
	wantError(t, err, queue.ErrNotFound)
	wantError(t, s.RedriveCallback(t.Context(), c.Ref, c.ID), queue.ErrNotSettled)
	wantError(t, s.RedriveCallback(t.Context(), c.Ref, "none"), queue.ErrNotFound)
	if c.Callback != "" {
		t.Errorf("ended: %+v", c)
	}
}

func testACallbackIsTriedAgain(t *testing.T, s Store) {
	c := ended(t, s, telling("ns"))
	retry := queue.Settlement{Outcome: queue.Retry, Detail: []byte(`{"status":500}`), Reason: "status_500"}
	settleCallback(t, s, takeCallback(t, s, time.Hour), queue.Settlement{Outcome: queue.Back}, queue.Queued)
	for i := range queue.CallbackAttempts {
		want := queue.Queued
		if i == queue.CallbackAttempts-1 {
			want = queue.Dead
		}
		job := takeCallback(t, s, time.Hour)
		if job.Used != i || job.Takes != i+2 {
			t.Errorf("attempt %d: %+v", i, job)
		}
		settleCallback(t, s, job, retry, want)
	}
	got := getCall(t, s, c.Ref, c.ID)
	if got.Callback != queue.Dead || got.Status != queue.Succeeded || !got.Settled.Equal(c.Settled) ||
		got.EventID() != c.EventID() {
		t.Errorf("the call: %+v", got)
	}
	told, err := s.GetCallback(t.Context(), c.Ref, c.ID)
	if err != nil || told.Reason != "status_500" || len(told.History) != queue.CallbackAttempts {
		t.Errorf("the callback: %+v, %v", told, err)
	}
	wantNoCallback(t, s)
}

func testAnAbandonedCallbackIsTakenAgain(t *testing.T, s Store) {
	c := ended(t, s, telling("ns"))
	first := takeCallback(t, s, time.Millisecond)
	second := takeCallback(t, s, time.Hour)
	if second.ID != first.ID || second.Takes != 2 || second.Used != 1 {
		t.Errorf("taken again: %+v", second)
	}
	late := queue.Settlement{Lease: queue.LeaseOf(first), Outcome: queue.Done}
	_, err := s.SettleCallback(t.Context(), &late)
	wantError(t, err, queue.ErrLost)
	settleCallback(t, s, second, queue.Settlement{Outcome: queue.Done}, queue.Succeeded)
	if got := getCall(t, s, c.Ref, c.ID); got.Callback != queue.Succeeded {
		t.Errorf("told: %+v", got)
	}
}

// testARecordStaysForItsCallback fills the room of a namespace, and waits for longer than records are kept.
func testARecordStaysForItsCallback(t *testing.T, s Store) {
	c := telling("ns")
	c.Keep = time.Millisecond
	ended(t, s, c)
	one := queue.Limits{Calls: 1, Bytes: 1 << 40}
	for deadline := time.Now().Add(20 * time.Millisecond); time.Now().Before(deadline); {
		_, err := s.PutCall(t.Context(), spec("ns"), one)
		wantError(t, err, queue.ErrFull)
		wantNoCall(t, s)
	}
	if getCall(t, s, c.Ref, c.ID).Callback != queue.Queued {
		t.Error("the callback is not queued")
	}
	settleCallback(t, s, takeCallback(t, s, time.Hour), queue.Settlement{Outcome: queue.Done}, queue.Succeeded)
	for deadline := time.Now().Add(patience); ; {
		wantNoCall(t, s)
		_, err := s.GetCall(t.Context(), c.Ref, c.ID)
		if errors.Is(err, queue.ErrNotFound) {
			break
		}
		wantNoError(t, err)
		if time.Now().After(deadline) {
			t.Fatal("the record does not expire")
		}
	}
	_, err := s.GetCallback(t.Context(), c.Ref, c.ID)
	wantError(t, err, queue.ErrNotFound)
	wantNoCallback(t, s)
	dead := ended(t, s, telling("ns")) // whose callback then is
	settleCallback(t, s, takeCallback(t, s, time.Hour), queue.Settlement{Outcome: queue.Fail, Reason: "gone"}, queue.Dead)
	_, err = s.PutCall(t.Context(), spec("ns"), one)
	wantError(t, err, queue.ErrFull)
	if got := getCall(t, s, dead.Ref, dead.ID); got.Expires.Sub(got.Settled) < 2*time.Hour {
		t.Errorf("of a dead callback: %+v", got)
	}
}

func testADeadCallbackIsRedriven(t *testing.T, s Store) {
	c := ended(t, s, telling("ns"))
	wantError(t, s.RedriveCallback(t.Context(), c.Ref, c.ID), queue.ErrNotSettled)
	fail := queue.Settlement{Outcome: queue.Fail, Reason: "gone", Detail: []byte(`{}`)}
	settleCallback(t, s, takeCallback(t, s, time.Hour), fail, queue.Dead)
	other := function.Ref{Namespace: "ns", ID: "other"}
	wantError(t, s.RedriveCallback(t.Context(), other, c.ID), queue.ErrNotFound)
	wantNoError(t, s.RedriveCallback(t.Context(), c.Ref, c.ID))
	got := getCall(t, s, c.Ref, c.ID)
	if got.Callback != queue.Queued || got.EventID() != c.EventID() {
		t.Errorf("redriven: %+v", got)
	}
	job := takeCallback(t, s, time.Hour)
	if job.Takes != 2 || job.Used != 0 || len(job.History) != 1 {
		t.Errorf("taken: %+v", job)
	}
	settleCallback(t, s, job, queue.Settlement{Outcome: queue.Done}, queue.Succeeded)
	wantError(t, s.RedriveCallback(t.Context(), c.Ref, c.ID), queue.ErrNotSettled)
}

func testARedrivenCallWithdrawsItsCallback(t *testing.T, s Store) {
	c := telling("ns")
	putCall(t, s, c)
	fail := queue.Settlement{Outcome: queue.Fail, Reason: "thrown"}
	settleCall(t, s, takeCall(t, s, time.Hour), fail, queue.Dead)
	first := getCall(t, s, c.Ref, c.ID)
	stale := takeCallback(t, s, time.Hour)
	wantNoError(t, s.RedriveCall(t.Context(), c.Ref, c.ID))
	if got := getCall(t, s, c.Ref, c.ID); got.Callback != "" || got.Status != queue.Queued {
		t.Errorf("redriven: %+v", got)
	}
	_, err := s.GetCallback(t.Context(), c.Ref, c.ID)
	wantError(t, err, queue.ErrNotFound)
	wantNoCallback(t, s)
	settled := takeCall(t, s, time.Hour)
	for time.Since(first.Settled) < 2*time.Millisecond { // another end is another event
		runtime.Gosched()
	}
	settleCall(t, s, settled, queue.Settlement{Outcome: queue.Done}, queue.Succeeded)
	second := takeCallback(t, s, time.Hour)
	if got := getCall(t, s, c.Ref, c.ID); second.Takes != 2 || got.EventID() == first.EventID() {
		t.Errorf("the second callback is %+v of %s", second, got.EventID())
	}
	late := queue.Settlement{Lease: queue.LeaseOf(stale), Outcome: queue.Done}
	_, err = s.SettleCallback(t.Context(), &late)
	wantError(t, err, queue.ErrLost)
	settleCallback(t, s, second, queue.Settlement{Outcome: queue.Done}, queue.Succeeded)
}

func testCallbacksAreNoCalls(t *testing.T, s Store) {
	c := ended(t, s, telling("ns"))
	wantNoCall(t, s)
	calls, err := s.CallStats(t.Context())
	wantNoError(t, err)
	callbacks, err := s.CallbackStats(t.Context())
	wantNoError(t, err)
	callbacks.Overdue, calls.Bytes = 0, 0
	if calls != (queue.Stats{Calls: 1}) || callbacks != (queue.Stats{Queued: 1}) {
		t.Errorf("counted %+v and %+v", calls, callbacks)
	}
	job := takeCallback(t, s, time.Hour)
	lease := queue.Lease{Ref: c.Ref, ID: c.ID, Take: 2}
	_, err = s.SettleCall(t.Context(), &queue.Settlement{Lease: lease, Outcome: queue.Done})
	wantError(t, err, queue.ErrLost)
	settleCallback(t, s, job, queue.Settlement{Outcome: queue.Fail}, queue.Dead)
	if callbacks, err = s.CallbackStats(t.Context()); err != nil || callbacks != (queue.Stats{Dead: 1}) {
		t.Errorf("counted %+v, %v", callbacks, err)
	}
	if result, err := s.CallResult(t.Context(), c.Ref, c.ID); err != nil || string(result) != "answer" {
		t.Errorf("result %q, %v", result, err)
	}
}

func testCallbacksAreListed(t *testing.T, s Store) {
	open, dead := ended(t, s, telling("ns")), ended(t, s, telling("ns"))
	ended(t, s, spec("ns"))
	for range 2 {
		job := takeCallback(t, s, time.Hour)
		how, want := queue.Settlement{Outcome: queue.Back}, queue.Queued
		if job.ID == dead.ID {
			how, want = queue.Settlement{Outcome: queue.Fail}, queue.Dead
		} else {
			how.Delay = time.Hour
		}
		settleCallback(t, s, job, how, want)
	}
	for status, want := range map[queue.Status]string{queue.Queued: open.ID, queue.Dead: dead.ID, queue.Succeeded: ""} {
		page, err := s.ListCalls(t.Context(), &queue.Query{Ref: open.Ref, Callback: status, Limit: 9})
		wantNoError(t, err)
		var ids []string
		for _, c := range page.Calls {
			ids = append(ids, c.ID)
		}
		if got := strings.Join(ids, " "); got != want {
			t.Errorf("%s: listed %q, want %q", status, got, want)
		}
	}
}

func testNamespacesShareCallbacksFairly(t *testing.T, s Store) {
	for range 10 {
		ended(t, s, telling("many"))
	}
	ended(t, s, telling("few"))
	for range 2 {
		if takeCallback(t, s, time.Hour).Ref.Namespace == "few" {
			return
		}
	}
	t.Error("ten callbacks of one namespace come before one of another")
}
