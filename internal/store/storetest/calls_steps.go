package storetest

import (
	"bytes"
	"testing"
	"time"

	"github.com/backstage/functions/internal/function"
	"github.com/backstage/functions/internal/queue"
)

// stepTests are of pipelines.
var stepTests = table{
	"APipelineGoesOnStepByStep":        testAPipelineGoesOnStepByStep,
	"AFailedStepIsRedrivenAlone":       testAFailedStepIsRedrivenAlone,
	"EachStepHasItsOwnAttempts":        testEachStepHasItsOwnAttempts,
	"ALateStepChangesNothing":          testALateStepChangesNothing,
	"NoStepFollowsTheLastOne":          testNoStepFollowsTheLastOne,
	"WhatAStepLeavesCountsForItsLimit": testWhatAStepLeavesCountsForItsLimit,
	"APipelineIsCancelled":             testAPipelineIsCancelled,
	"WhatAStepLeavesNeedsRoom":         testWhatAStepLeavesNeedsRoom,
	"AllStepsGrowOnceWithoutRoom":      testAllStepsGrowOnceWithoutRoom,
}

// pipeline is a new one whose steps may be tried 1, 2, 3 … times.
func pipeline(namespace string, steps int) *queue.Spec {
	c := spec(namespace)
	c.Attempts = 1
	for i := range steps {
		r := c.Ref
		if i > 0 {
			r = function.Ref{Namespace: "other", ID: "f" + string(rune('0'+i))}
		}
		age := time.Duration(i+1) * time.Hour
		c.Steps = append(c.Steps, queue.Step{Ref: r, Attempts: i + 1, Backoff: time.Second, MaxAge: age})
	}
	return c
}

// next settles a step whose answer is payload.
func next(t *testing.T, s Store, c *queue.Call, payload string) {
	t.Helper()
	detail := []byte(`{"status":200}`)
	settleCall(t, s, c, queue.Settlement{Outcome: queue.Next, Payload: []byte(payload), Detail: detail}, queue.Queued)
}

func testAPipelineGoesOnStepByStep(t *testing.T, s Store) {
	c := pipeline("ns", 3)
	putCall(t, s, c)
	for i, payload := range []string{string(c.Payload), "second\x00", ""} {
		taken := takeCall(t, s, time.Hour)
		if taken.Step != i || taken.Used != 0 || taken.Takes != i+1 || string(taken.Payload) != payload ||
			taken.Current() != c.Steps[i] || len(taken.History) != i {
			t.Fatalf("step %d: %+v", i+1, taken)
		}
		wantNoCall(t, s)
		switch i {
		case 0:
			next(t, s, taken, "second\x00")
			got := getCall(t, s, c.Ref, c.ID)
			if until := got.Due.Add(2 * time.Hour); got.Status != queue.Queued || !got.Until.Equal(until) {
				t.Errorf("between two steps: %+v", got)
			}
		case 1:
			next(t, s, taken, "")
		case 2:
			done := queue.Settlement{Outcome: queue.Done, Result: []byte("r"), Detail: []byte(`{}`)}
			settleCall(t, s, taken, done, queue.Succeeded)
		}
	}
	got := getCall(t, s, c.Ref, c.ID)
	if got.Step != 2 || len(got.History) != 3 || string(got.History[0].Detail) != `{"status":200}` || len(got.Steps) != 3 {
		t.Errorf("settled: %+v", got)
	}
	if result, err := s.CallResult(t.Context(), c.Ref, c.ID); err != nil || string(result) != "r" {
		t.Errorf("result %q, %v", result, err)
	}
}

func testAFailedStepIsRedrivenAlone(t *testing.T, s Store) {
	c := pipeline("ns", 3)
	putCall(t, s, c)
	next(t, s, takeCall(t, s, time.Hour), "kept")
	for range 2 { // whether it failed for good or was cancelled
		settleCall(t, s, takeCall(t, s, time.Hour), queue.Settlement{Outcome: queue.Fail, Reason: "thrown"}, queue.Dead)
		wantNoError(t, s.RedriveCall(t.Context(), c.Ref, c.ID))
		got := getCall(t, s, c.Ref, c.ID)
		if got.Status != queue.Queued || got.Step != 1 || got.Used != 0 || !got.Until.Equal(got.Due.Add(2*time.Hour)) {
			t.Errorf("redriven: %+v", got)
		}
	}
	wantNoError(t, s.CancelCall(t.Context(), c.Ref, c.ID))
	wantNoError(t, s.RedriveCall(t.Context(), c.Ref, c.ID))
	again := takeCall(t, s, time.Hour)
	if again.Step != 1 || string(again.Payload) != "kept" {
		t.Fatalf("taken: %+v", again)
	}
	next(t, s, again, "more")
	if last := takeCall(t, s, time.Hour); last.Step != 2 || string(last.Payload) != "more" || len(last.History) != 4 {
		t.Errorf("taken: %+v", last)
	}
}

func testEachStepHasItsOwnAttempts(t *testing.T, s Store) {
	c := pipeline("ns", 3)
	putCall(t, s, c)
	next(t, s, takeCall(t, s, time.Hour), "1")
	retry := queue.Settlement{Outcome: queue.Retry, Reason: "thrown", Detail: []byte(`{}`)}
	settleCall(t, s, takeCall(t, s, time.Hour), retry, queue.Queued)
	next(t, s, takeCall(t, s, time.Hour), "2")
	settleCall(t, s, takeCall(t, s, time.Hour), retry, queue.Queued)
	if abandoned := takeCall(t, s, time.Millisecond); abandoned.Used != 1 || abandoned.Step != 2 {
		t.Fatalf("taken: %+v", abandoned)
	}
	last := takeCall(t, s, time.Hour)
	detail := last.History[len(last.History)-1].Detail
	if last.Used != 2 || string(last.Payload) != "2" || string(detail) != `{"step":3,"reason":"lease_lost"}` {
		t.Errorf("taken: %+v after %s", last, detail)
	}
	settleCall(t, s, last, retry, queue.Dead)
	if got := getCall(t, s, c.Ref, c.ID); got.Used != 3 || got.Step != 2 || got.Reason != "thrown" {
		t.Errorf("dead: %+v", got)
	}
}

func testALateStepChangesNothing(t *testing.T, s Store) {
	c := pipeline("ns", 2)
	c.Steps[0].Attempts, c.Attempts = 2, 2
	putCall(t, s, c)
	first := takeCall(t, s, time.Millisecond)
	second := takeCall(t, s, time.Hour)
	late := queue.Settlement{Lease: queue.LeaseOf(first), Outcome: queue.Next, Payload: []byte("late")}
	_, err := s.SettleCall(t.Context(), &late)
	wantError(t, err, queue.ErrLost)
	next(t, s, second, "in time")
	_, err = s.SettleCall(t.Context(), &late)
	wantError(t, err, queue.ErrLost)
	if got := takeCall(t, s, time.Hour); got.Step != 1 || string(got.Payload) != "in time" {
		t.Errorf("taken: %+v", got)
	}
}

func testNoStepFollowsTheLastOne(t *testing.T, s Store) {
	for _, c := range []*queue.Spec{spec("ns"), pipeline("ns", 1)} {
		putCall(t, s, c)
		taken := takeCall(t, s, time.Hour)
		how := queue.Settlement{Lease: queue.LeaseOf(taken), Outcome: queue.Next, Payload: []byte("1")}
		_, err := s.SettleCall(t.Context(), &how)
		wantError(t, err, queue.ErrIncomplete)
		if got := getCall(t, s, c.Ref, c.ID); got.Status != queue.Running || len(got.History) != 0 {
			t.Errorf("%+v", got)
		}
		settleCall(t, s, taken, queue.Settlement{Outcome: queue.Done}, queue.Succeeded)
	}
	for _, change := range []func(*queue.Spec){
		func(c *queue.Spec) { c.Steps[0].Ref.ID = "another" }, func(c *queue.Spec) { c.Steps[1].Ref.ID = "" },
		func(c *queue.Spec) { c.Steps[1].Attempts = 0 }, func(c *queue.Spec) { c.Steps[1].MaxAge = 0 },
	} {
		c := pipeline("ns", 2)
		change(c)
		_, err := s.PutCall(t.Context(), c, wide)
		wantError(t, err, queue.ErrIncomplete)
	}
}

func testWhatAStepLeavesCountsForItsLimit(t *testing.T, s Store) {
	const limit = 100 << 10
	c := pipeline("ns", 2)
	putCall(t, s, c)
	limits := queue.Limits{Calls: 10, Bytes: limit}
	next(t, s, takeCall(t, s, time.Hour), string(bytes.Repeat([]byte("x"), limit)))
	_, err := s.PutCall(t.Context(), spec("ns"), limits)
	wantError(t, err, queue.ErrFull)
	settleCall(t, s, takeCall(t, s, time.Hour), queue.Settlement{Outcome: queue.Done}, queue.Succeeded)
	_, err = s.PutCall(t.Context(), spec("ns"), limits)
	wantNoError(t, err)
}

func testAPipelineIsCancelled(t *testing.T, s Store) {
	c := pipeline("ns", 2)
	putCall(t, s, c)
	next(t, s, takeCall(t, s, time.Hour), "1")
	taken := takeCall(t, s, time.Hour)
	wantNoError(t, s.CancelCall(t.Context(), c.Ref, c.ID))
	_, err := s.SettleCall(t.Context(), &queue.Settlement{Lease: queue.LeaseOf(taken), Outcome: queue.Done})
	wantError(t, err, queue.ErrLost)
	if got := getCall(t, s, c.Ref, c.ID); got.Status != queue.Cancelled || got.Step != 1 {
		t.Errorf("%+v", got)
	}
	wantNoCall(t, s)
}

// testWhatAStepLeavesNeedsRoom goes past the limit of a namespace, and past that of all.
func testWhatAStepLeavesNeedsRoom(t *testing.T, s Store) {
	long := bytes.Repeat([]byte("x"), 60<<10)
	for namespace, limits := range map[string]queue.Limits{
		"one": {Calls: 10, Bytes: 100 << 10}, "all": {Calls: 10, Bytes: 1 << 20, AllCalls: 100, AllBytes: 180 << 10},
	} {
		how := func(payload []byte) queue.Settlement {
			return queue.Settlement{Outcome: queue.Next, Payload: payload, Detail: []byte(`{"status":200}`), Limits: limits}
		}
		first, second, third := pipeline(namespace, 2), pipeline(namespace, 2), pipeline(namespace, 2)
		putCall(t, s, first)
		settleCall(t, s, takeCall(t, s, time.Hour), how(long), queue.Queued)
		running := takeCall(t, s, time.Hour)
		putCall(t, s, second)
		settleCall(t, s, takeCall(t, s, time.Hour), how(long), queue.Dead)
		got := getCall(t, s, second.Ref, second.ID)
		if got.Reason != queue.ReasonFull || got.Step != 0 || got.Used != 1 || len(got.History) == 0 {
			t.Errorf("%s: without room: %+v", namespace, got)
		}
		putCall(t, s, third) // what is short goes on
		settleCall(t, s, takeCall(t, s, time.Hour), how([]byte("short")), queue.Queued)
		settleCall(t, s, takeCall(t, s, time.Hour), queue.Settlement{Outcome: queue.Done}, queue.Succeeded)
		settleCall(t, s, running, queue.Settlement{Outcome: queue.Done}, queue.Succeeded)
		wantNoError(t, s.RedriveCall(t.Context(), second.Ref, second.ID))
		again := takeCall(t, s, time.Hour)
		if !bytes.Equal(again.Payload, second.Payload) {
			t.Errorf("%s: it runs again with %d bytes", namespace, len(again.Payload))
		}
		settleCall(t, s, again, how(long), queue.Queued)
		settleCall(t, s, takeCall(t, s, time.Hour), queue.Settlement{Outcome: queue.Done}, queue.Succeeded)
	}
	wantNoCall(t, s)
}

// testAllStepsGrowOnceWithoutRoom has the steps of a pipeline leave a little more each time, where there is no room: a
// long pipeline does not take more than a short one.
func testAllStepsGrowOnceWithoutRoom(t *testing.T, s Store) {
	limits := queue.Limits{Calls: 10, Bytes: 64 << 10}
	for name, row := range map[string]struct {
		lengths []int // of what the steps leave
		ends    queue.Status
	}{
		"a little each time":  {[]int{3000, 4500, 6000, 7500}, queue.Dead},
		"a little all in all": {[]int{1000, 2000, 3000, 4000}, queue.Queued},
		"more, then less":     {[]int{4000, 10, 4000, 10, 4000}, queue.Queued},
	} {
		t.Run(name, func(t *testing.T) {
			full := spec("ns")
			full.Payload = bytes.Repeat([]byte("x"), 70<<10)
			putCall(t, s, full)
			filler := takeCall(t, s, time.Hour)
			c := pipeline("ns", len(row.lengths)+1)
			putCall(t, s, c)
			status := queue.Queued
			for _, length := range row.lengths {
				if status != queue.Queued {
					break
				}
				var err error
				status, err = s.SettleCall(t.Context(), &queue.Settlement{
					Lease: queue.LeaseOf(takeCall(t, s, time.Hour)), Outcome: queue.Next,
					Payload: bytes.Repeat([]byte("x"), length), Detail: []byte(`{"status":200}`), Limits: limits,
				})
				wantNoError(t, err)
			}
			got := getCall(t, s, c.Ref, c.ID)
			if status != row.ends || (got.Reason == queue.ReasonFull) != (status == queue.Dead) {
				t.Errorf("%s: %+v", status, got)
			}
			wantNoError(t, s.CancelCall(t.Context(), c.Ref, c.ID))
			settleCall(t, s, filler, queue.Settlement{Outcome: queue.Done}, queue.Succeeded)
			wantNoCall(t, s)
		})
	}
}
