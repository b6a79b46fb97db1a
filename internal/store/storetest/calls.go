package storetest

import (
	"bytes"
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/backstage/functions/internal/function"
	"github.com/backstage/functions/internal/queue"
)

// callTests are of queued calls.
var callTests = table{
	"ACallIsTakenAndSettled":          testACallIsTakenAndSettled,
	"AFailedCallIsTriedAgain":         testAFailedCallIsTriedAgain,
	"ACallThatCannotSucceedIsDead":    testACallThatCannotSucceedIsDead,
	"WhatDidNotStartUsesNoAttempt":    testWhatDidNotStartUsesNoAttempt,
	"ACallBecomesTooOld":              testACallBecomesTooOld,
	"AnAbandonedCallIsTakenAgain":     testAnAbandonedCallIsTakenAgain,
	"ALateSettlementChangesNothing":   testALateSettlementChangesNothing,
	"ALeaseIsRenewed":                 testALeaseIsRenewed,
	"ACallIsCancelled":                testACallIsCancelled,
	"ADeadCallIsRedriven":             testADeadCallIsRedriven,
	"AnIdempotencyKeyAddsOneCall":     testAnIdempotencyKeyAddsOneCall,
	"CallsOfOthersAreNotFound":        testCallsOfOthersAreNotFound,
	"CallsAreListed":                  testCallsAreListed,
	"CallsHaveALimit":                 testCallsHaveALimit,
	"CallsTakeLimitedBytes":           testCallsTakeLimitedBytes,
	"RecordsExpire":                   testRecordsExpire,
	"AllCallsHaveALimit":              testAllCallsHaveALimit,
	"AllCallsTakeLimitedBytes":        testAllCallsTakeLimitedBytes,
	"AnAnswerWithoutRoomIsNotKept":    testAnAnswerWithoutRoomIsNotKept,
	"AnAnswerMakesRoomForItself":      testAnAnswerMakesRoomForItself,
	"AttemptsTakeRoom":                testAttemptsTakeRoom,
	"AFloodDelaysNoOtherNamespace":    testAFloodDelaysNoOtherNamespace,
	"NamespacesShareFairly":           testNamespacesShareFairly,
	"CallsAreCounted":                 testCallsAreCounted,
	"RandomTakersSettleEachCallOnce":  testRandomTakersSettleEachCallOnce,
	"TheQueueBehavesAsItsModel":       testTheQueueBehavesAsItsModel,
	"AnIncompleteCallIsRefused":       testAnIncompleteCallIsRefused,
	"CallsOfManyNamespacesAreAllSeen": testCallsOfManyNamespacesAreAllSeen,
}

func testACallIsTakenAndSettled(t *testing.T, s Store) {
	c := spec("ns")
	putCall(t, s, c)
	got := getCall(t, s, c.Ref, c.ID)
	if got.Status != queue.Queued || got.Created.IsZero() || !got.Until.Equal(got.Created.Add(time.Hour)) {
		t.Errorf("queued: %+v", got)
	}
	taken := takeCall(t, s, time.Hour)
	if !bytes.Equal(taken.Payload, c.Payload) || taken.URI != c.URI || taken.Caller != c.Caller || taken.Takes != 1 ||
		taken.Limits != callerLimits ||
		taken.Status != queue.Running || taken.Server != "one" || !taken.Lease.Equal(taken.Taken.Add(time.Hour)) {
		t.Errorf("taken: %+v", taken)
	}
	wantNoCall(t, s)
	detail := []byte(`{"ms":12,"text":"é"}`)
	done := queue.Settlement{Outcome: queue.Done, Detail: detail, Result: []byte("answer\x00")}
	settleCall(t, s, taken, done, queue.Succeeded)
	got = getCall(t, s, c.Ref, c.ID)
	if got.Status != queue.Succeeded || got.Used != 1 || len(got.History) != 1 || !got.HasResult ||
		!bytes.Equal(got.History[0].Detail, detail) || got.History[0].Start.IsZero() ||
		!got.Expires.Equal(got.Settled.Add(time.Hour)) || got.RequestID != "r1" || got.TraceID != "t1" {
		t.Errorf("settled: %+v", got)
	}
	result, err := s.CallResult(t.Context(), c.Ref, c.ID)
	if err != nil || string(result) != "answer\x00" {
		t.Errorf("result %q, %v", result, err)
	}
	wantError(t, s.CancelCall(t.Context(), c.Ref, c.ID), queue.ErrSettled)
	wantError(t, s.RedriveCall(t.Context(), c.Ref, c.ID), queue.ErrNotSettled)
	wantNoCall(t, s)
}

func testAFailedCallIsTriedAgain(t *testing.T, s Store) {
	c := spec("ns")
	putCall(t, s, c)
	retry := queue.Settlement{Outcome: queue.Retry, Detail: []byte(`{}`), Reason: "thrown", Result: []byte("no")}
	settleCall(t, s, takeCall(t, s, time.Hour), retry, queue.Queued)
	if got := getCall(t, s, c.Ref, c.ID); got.Used != 1 || len(got.History) != 1 || got.HasResult {
		t.Errorf("after one attempt: %+v", got)
	}
	retry.Delay = 50 * time.Millisecond
	settleCall(t, s, takeCall(t, s, time.Hour), retry, queue.Queued)
	if got := getCall(t, s, c.Ref, c.ID); got.Due.Sub(got.History[1].End) != retry.Delay {
		t.Errorf("due %v after the attempt, want %v", got.Due.Sub(got.History[1].End), retry.Delay)
	}
	settleCall(t, s, takeCall(t, s, time.Hour), retry, queue.Dead)
	got := getCall(t, s, c.Ref, c.ID)
	if got.Used != 3 || got.Reason != "thrown" || !got.Expires.Equal(got.Settled.Add(2*time.Hour)) || got.Takes != 3 {
		t.Errorf("dead: %+v", got)
	}
	if result, err := s.CallResult(t.Context(), c.Ref, c.ID); err != nil || string(result) != "no" {
		t.Errorf("the last answer is %q, %v", result, err)
	}
}

func testACallThatCannotSucceedIsDead(t *testing.T, s Store) {
	c := spec("ns")
	putCall(t, s, c)
	settleCall(t, s, takeCall(t, s, time.Hour), queue.Settlement{Outcome: queue.Fail, Reason: "not_found"}, queue.Dead)
	if got := getCall(t, s, c.Ref, c.ID); got.Used != 1 || got.Reason != "not_found" || got.HasResult {
		t.Errorf("dead: %+v", got)
	}
	_, err := s.CallResult(t.Context(), c.Ref, c.ID)
	wantError(t, err, queue.ErrNotFound)
}

func testWhatDidNotStartUsesNoAttempt(t *testing.T, s Store) {
	c := spec("ns")
	putCall(t, s, c)
	for range 5 {
		settleCall(t, s, takeCall(t, s, time.Hour), queue.Settlement{Outcome: queue.Back}, queue.Queued)
	}
	if got := getCall(t, s, c.Ref, c.ID); got.Used != 0 || len(got.History) != 0 || got.Takes != 5 {
		t.Errorf("after five takes: %+v", got)
	}
}

func testACallBecomesTooOld(t *testing.T, s Store) {
	c := spec("ns")
	putCall(t, s, c)
	back := queue.Settlement{Outcome: queue.Back, Delay: 2 * time.Hour}
	settleCall(t, s, takeCall(t, s, time.Hour), back, queue.Dead)
	if got := getCall(t, s, c.Ref, c.ID); got.Reason != queue.ReasonMaxAge {
		t.Errorf("dead: %+v", got)
	}
	young := spec("ns")
	young.MaxAge = time.Millisecond
	putCall(t, s, young)
	for deadline := time.Now().Add(patience); getCall(t, s, young.Ref, young.ID).Status != queue.Dead; {
		taken, _, err := s.TakeCalls(t.Context(), "one", 1, time.Hour)
		wantNoError(t, err)
		for _, c := range taken {
			_, err := s.SettleCall(t.Context(), &queue.Settlement{Lease: queue.LeaseOf(c), Outcome: queue.Back})
			wantNoError(t, err)
		}
		if time.Now().After(deadline) {
			t.Fatal("the call does not become too old")
		}
	}
}

func testAnAbandonedCallIsTakenAgain(t *testing.T, s Store) {
	c := spec("ns")
	putCall(t, s, c)
	for i := range c.Attempts {
		if taken := takeCall(t, s, time.Millisecond); taken.Takes != i+1 || taken.Used != i {
			t.Fatalf("take %d: %+v", i+1, taken)
		}
	}
	for deadline := time.Now().Add(patience); getCall(t, s, c.Ref, c.ID).Status != queue.Dead; {
		wantNoCall(t, s)
		if time.Now().After(deadline) {
			t.Fatal("the call is not dead")
		}
	}
	got := getCall(t, s, c.Ref, c.ID)
	if got.Reason != queue.ReasonLeaseLost || len(got.History) != 3 ||
		string(got.History[0].Detail) != `{"reason":"lease_lost"}` {
		t.Errorf("dead: %+v", got)
	}
}

func testALateSettlementChangesNothing(t *testing.T, s Store) {
	c := spec("ns")
	putCall(t, s, c)
	first := takeCall(t, s, time.Millisecond)
	second := takeCall(t, s, time.Hour)
	late := queue.Settlement{Lease: queue.LeaseOf(first), Outcome: queue.Done, Result: []byte("late")}
	_, err := s.SettleCall(t.Context(), &late)
	wantError(t, err, queue.ErrLost)
	if lost, err := s.RenewCalls(t.Context(), []queue.Renewal{{Lease: late.Lease}, {Lease: queue.LeaseOf(second)}},
		time.Hour); err != nil || !slices.Equal(lost, []queue.Lease{late.Lease}) {
		t.Errorf("lost %v, %v", lost, err)
	}
	settleCall(t, s, second, queue.Settlement{Outcome: queue.Done, Result: []byte("in time")}, queue.Succeeded)
	_, err = s.SettleCall(t.Context(), &late)
	wantError(t, err, queue.ErrLost)
	if result, err := s.CallResult(t.Context(), c.Ref, c.ID); err != nil || string(result) != "in time" {
		t.Errorf("result %q, %v", result, err)
	}
}

func testALeaseIsRenewed(t *testing.T, s Store) {
	c := spec("ns")
	putCall(t, s, c)
	taken := takeCall(t, s, time.Hour)
	renewal := queue.Renewal{Lease: queue.LeaseOf(taken), Progress: []byte(`{"part":0.5}`)}
	for range 2 {
		lost, err := s.RenewCalls(t.Context(), []queue.Renewal{renewal}, 2*time.Hour)
		if err != nil || len(lost) > 0 {
			t.Fatalf("lost %v, %v", lost, err)
		}
		got := getCall(t, s, c.Ref, c.ID)
		if got.Lease.Sub(got.Taken) < 2*time.Hour || string(got.Progress) != `{"part":0.5}` {
			t.Errorf("renewed: %+v", got)
		}
		renewal.Progress = nil
	}
	settleCall(t, s, taken, queue.Settlement{Outcome: queue.Retry}, queue.Queued)
	if got := getCall(t, s, c.Ref, c.ID); len(got.Progress) > 0 {
		t.Errorf("the next attempt begins with progress %s", got.Progress)
	}
	for _, outcome := range []queue.Outcome{queue.Retry, queue.Done} {
		settleCall(t, s, takeCall(t, s, time.Hour), queue.Settlement{Outcome: outcome, Progress: []byte(`{"part":1}`)},
			map[queue.Outcome]queue.Status{queue.Retry: queue.Queued, queue.Done: queue.Succeeded}[outcome])
		want := map[queue.Outcome]string{queue.Done: `{"part":1}`}[outcome]
		if got := getCall(t, s, c.Ref, c.ID); string(got.Progress) != want {
			t.Errorf("after %s the progress is %s, want %s", outcome, got.Progress, want)
		}
	}
}

func testACallIsCancelled(t *testing.T, s Store) {
	waiting, running := spec("ns"), spec("ns")
	putCall(t, s, running)
	taken := takeCall(t, s, time.Hour)
	putCall(t, s, waiting)
	for _, c := range []*queue.Spec{waiting, running, running} {
		wantNoError(t, s.CancelCall(t.Context(), c.Ref, c.ID))
		if got := getCall(t, s, c.Ref, c.ID); got.Status != queue.Cancelled || got.Settled.IsZero() {
			t.Errorf("cancelled: %+v", got)
		}
	}
	wantNoCall(t, s)
	lost, err := s.RenewCalls(t.Context(), []queue.Renewal{{Lease: queue.LeaseOf(taken)}}, time.Hour)
	if err != nil || len(lost) != 1 {
		t.Errorf("lost %v, %v", lost, err)
	}
	_, err = s.SettleCall(t.Context(), &queue.Settlement{Lease: queue.LeaseOf(taken), Outcome: queue.Done})
	wantError(t, err, queue.ErrLost)
	wantNoError(t, s.RedriveCall(t.Context(), waiting.Ref, waiting.ID))
	if got := takeCall(t, s, time.Hour); got.ID != waiting.ID || !bytes.Equal(got.Payload, waiting.Payload) {
		t.Errorf("redriven: %+v", got)
	}
}

func testADeadCallIsRedriven(t *testing.T, s Store) {
	c := spec("ns")
	putCall(t, s, c)
	wantError(t, s.RedriveCall(t.Context(), c.Ref, c.ID), queue.ErrNotSettled)
	fail := queue.Settlement{Outcome: queue.Fail, Reason: "thrown", Result: []byte("no")}
	settleCall(t, s, takeCall(t, s, time.Hour), fail, queue.Dead)
	wantNoError(t, s.RedriveCall(t.Context(), c.Ref, c.ID))
	got := getCall(t, s, c.Ref, c.ID)
	if got.Status != queue.Queued || got.Used != 0 || got.Reason != "" || got.HasResult || len(got.History) != 1 ||
		!got.Settled.IsZero() || !got.Expires.IsZero() {
		t.Errorf("redriven: %+v", got)
	}
	again := takeCall(t, s, time.Hour)
	if again.Takes != 2 || !bytes.Equal(again.Payload, c.Payload) {
		t.Errorf("taken: %+v", again)
	}
	settleCall(t, s, again, queue.Settlement{Outcome: queue.Done}, queue.Succeeded)
}

func testAnIdempotencyKeyAddsOneCall(t *testing.T, s Store) {
	first, second, other := spec("ns"), spec("ns"), spec("other")
	for _, c := range []*queue.Spec{first, second, other} {
		c.Key, c.Print, c.KeyFor = "key1:é", "print of "+c.ID, time.Hour
	}
	putCall(t, s, first)
	placed, err := s.PutCall(t.Context(), second, wide)
	if want := (queue.Placed{ID: first.ID, Existing: true, Print: first.Print}); err != nil || placed != want {
		t.Errorf("got %+v, %v; want %+v", placed, err, want)
	}
	putCall(t, s, other)
	_, err = s.GetCall(t.Context(), second.Ref, second.ID)
	wantError(t, err, queue.ErrNotFound)
	short := spec("ns")
	short.Key, short.KeyFor = "short", time.Millisecond
	putCall(t, s, short)
	for deadline := time.Now().Add(patience); ; {
		again := spec("ns")
		again.Key, again.KeyFor = "short", time.Hour
		placed, err := s.PutCall(t.Context(), again, wide)
		wantNoError(t, err)
		if !placed.Existing {
			return
		}
		if time.Now().After(deadline) {
			t.Fatal("the key counts longer than it was to")
		}
	}
}

func testCallsOfOthersAreNotFound(t *testing.T, s Store) {
	c := spec("ns")
	putCall(t, s, c)
	for _, r := range []function.Ref{{Namespace: "ns", ID: "other"}, {Namespace: "other", ID: "id"}} {
		_, err := s.GetCall(t.Context(), r, c.ID)
		wantError(t, err, queue.ErrNotFound)
		_, err = s.CallResult(t.Context(), r, c.ID)
		wantError(t, err, queue.ErrNotFound)
		wantError(t, s.CancelCall(t.Context(), r, c.ID), queue.ErrNotFound)
		wantError(t, s.RedriveCall(t.Context(), r, c.ID), queue.ErrNotFound)
		_, err = s.SettleCall(t.Context(), &queue.Settlement{Lease: queue.Lease{Ref: r, ID: c.ID, Take: 1}})
		wantError(t, err, queue.ErrLost)
	}
}

func testAnIncompleteCallIsRefused(t *testing.T, s Store) {
	for _, change := range []func(*queue.Spec){
		func(c *queue.Spec) { c.ID = "" }, func(c *queue.Spec) { c.Ref.Namespace = "" },
		func(c *queue.Spec) { c.Ref.ID = "" }, func(c *queue.Spec) { c.Attempts = 0 },
		func(c *queue.Spec) { c.MaxAge = 0 },
	} {
		c := spec("ns")
		change(c)
		_, err := s.PutCall(t.Context(), c, wide)
		wantError(t, err, queue.ErrIncomplete)
	}
	wantNoCall(t, s)
}

func testRecordsExpire(t *testing.T, s Store) {
	c := spec("ns")
	c.Keep = time.Millisecond
	putCall(t, s, c)
	done := queue.Settlement{Outcome: queue.Done, Result: []byte("1")}
	settleCall(t, s, takeCall(t, s, time.Hour), done, queue.Succeeded)
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
	page, err := s.ListCalls(t.Context(), &queue.Query{Ref: c.Ref, Limit: 9})
	if err != nil || len(page.Calls) > 0 {
		t.Errorf("listed: %+v, %v", page, err)
	}
}
