package storetest

import (
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/backstage/functions/internal/function"
	"github.com/backstage/functions/internal/queue"
)

// holdTests are of idempotency keys of calls whose callers wait.
var holdTests = table{
	"AKeyIsHeldAndAnswered":          testAKeyIsHeldAndAnswered,
	"ALongAnswerOfAKey":              testALongAnswerOfAKey,
	"AKeyIsFreed":                    testAKeyIsFreed,
	"AnEndedKeyIsForgotten":          testAnEndedKeyIsForgotten,
	"AKeyIsFreeWhenItsLeaseRunsOut":  testAKeyIsFreeWhenItsLeaseRunsOut,
	"AKeyIsRenewed":                  testAKeyIsRenewed,
	"AnAnswerOfAKeyExpires":          testAnAnswerOfAKeyExpires,
	"OneOfManyHoldsAKey":             testOneOfManyHoldsAKey,
	"KeysAreOfANamespace":            testKeysAreOfANamespace,
	"HeldKeysHaveALimit":             testHeldKeysHaveALimit,
	"AnswersOfKeysTakeLimitedBytes":  testAnswersOfKeysTakeLimitedBytes,
	"AHeldKeyIsNoCall":               testAHeldKeyIsNoCall,
	"AnIncompleteKeyIsNotHeld":       testAnIncompleteKeyIsNotHeld,
	"HeldKeysMakeNoRoomForOtherKeys": testHeldKeysMakeNoRoomForOtherKeys,
}

// hold is a new call that has that key.
func hold(namespace, key string) *queue.Hold {
	return &queue.Hold{
		Ref: function.Ref{Namespace: namespace, ID: "id"}, ID: uuid.Must(uuid.NewV7()).String(), Key: key,
		Print: "print of " + key, Lease: time.Hour, For: time.Hour,
	}
}

func holdOf(h *queue.Hold) queue.HoldOf { return queue.HoldOf{Ref: h.Ref, ID: h.ID} }

// holdKey has a key held that is free.
func holdKey(t *testing.T, s Store, h *queue.Hold) {
	t.Helper()
	found, err := s.HoldKey(t.Context(), h, wide)
	wantNoError(t, err)
	if found.Existing {
		t.Fatalf("%s is held: %+v", h.Key, found)
	}
}

// wantHeld tries to have a key held that is not free.
func wantHeld(t *testing.T, s Store, h *queue.Hold, answered bool, answer string) {
	t.Helper()
	found, err := s.HoldKey(t.Context(), hold(h.Ref.Namespace, h.Key), wide)
	wantNoError(t, err)
	if !found.Existing || found.Print != h.Print || found.Answered != answered || string(found.Answer) != answer {
		t.Errorf("found %+v, want answered %v, %q", found, answered, answer)
	}
}

func testAKeyIsHeldAndAnswered(t *testing.T, s Store) {
	h := hold("ns", "key:é")
	holdKey(t, s, h)
	wantHeld(t, s, h, false, "")
	kept, err := s.AnswerKey(t.Context(), holdOf(h), []byte("answer\x00\n"), wide)
	if err != nil || !kept {
		t.Errorf("kept %v, %v", kept, err)
	}
	for range 2 {
		wantHeld(t, s, h, true, "answer\x00\n")
	}
	wantError(t, s.RenewKey(t.Context(), holdOf(h), time.Hour), queue.ErrLost)
	wantNoError(t, s.FreeKey(t.Context(), holdOf(h))) // does nothing
	wantHeld(t, s, h, true, "answer\x00\n")
	none := hold("ns", "none")
	holdKey(t, s, none)
	if kept, err := s.AnswerKey(t.Context(), holdOf(none), nil, wide); kept || err != nil {
		t.Errorf("an empty answer: kept %v, %v", kept, err)
	}
	wantHeld(t, s, none, true, "")
}

// testALongAnswerOfAKey has an answer that is just short enough to be found with its key, and one that is not.
func testALongAnswerOfAKey(t *testing.T, s Store) {
	for _, more := range []int{0, 1} {
		h := hold("ns", "key"+strconv.Itoa(more))
		holdKey(t, s, h)
		_, err := s.KeyAnswer(t.Context(), holdOf(h))
		wantError(t, err, queue.ErrNotFound)
		text := strings.Repeat("a", queue.ShortAnswer+more)
		_, err = s.AnswerKey(t.Context(), holdOf(h), []byte(text), wide)
		wantNoError(t, err)
		if more == 0 {
			wantHeld(t, s, h, true, text)
			continue
		}
		found, err := s.HoldKey(t.Context(), hold("ns", h.Key), wide)
		wantNoError(t, err)
		if !found.Answered || found.Bytes != int64(len(text)) || found.Of != holdOf(h) || len(found.Answer) > 0 {
			t.Errorf("found %+v", found)
		}
		answer, err := s.KeyAnswer(t.Context(), found.Of)
		if err != nil || string(answer) != text {
			t.Errorf("%d bytes, %v", len(answer), err)
		}
		for _, of := range []queue.HoldOf{
			{Ref: function.Ref{Namespace: "other", ID: h.Ref.ID}, ID: h.ID}, {Ref: h.Ref, ID: "none"},
		} {
			_, err := s.KeyAnswer(t.Context(), of)
			wantError(t, err, queue.ErrNotFound)
		}
		_, err = s.CallResult(t.Context(), h.Ref, h.ID) // which is about calls
		wantError(t, err, queue.ErrNotFound)
	}
}

func testAnEndedKeyIsForgotten(t *testing.T, s Store) {
	h := hold("ns", "key")
	wantError(t, s.ForgetKey(t.Context(), h.Ref, h.Key), queue.ErrNotFound)
	holdKey(t, s, h)
	wantError(t, s.ForgetKey(t.Context(), h.Ref, h.Key), queue.ErrNotSettled)
	_, err := s.AnswerKey(t.Context(), holdOf(h), []byte("answer"), wide)
	wantNoError(t, err)
	other := function.Ref{Namespace: "other", ID: h.Ref.ID}
	wantError(t, s.ForgetKey(t.Context(), other, h.Key), queue.ErrNotFound)
	wantHeld(t, s, h, true, "answer")
	wantNoError(t, s.ForgetKey(t.Context(), h.Ref, h.Key))
	wantError(t, s.ForgetKey(t.Context(), h.Ref, h.Key), queue.ErrNotFound)
	stats, err := s.CallStats(t.Context())
	if err != nil || stats.Calls != 0 || stats.Bytes != 0 {
		t.Errorf("left are %+v, %v", stats, err)
	}
	holdKey(t, s, hold("ns", "key"))
	call := spec("ns") // an asynchronous one keeps its key
	call.Key, call.KeyFor = "of a call", time.Hour
	putCall(t, s, call)
	wantError(t, s.ForgetKey(t.Context(), call.Ref, call.Key), queue.ErrNotFound)
}

func testAKeyIsFreed(t *testing.T, s Store) {
	first, second := hold("ns", "key"), hold("ns", "key")
	holdKey(t, s, first)
	wantNoError(t, s.FreeKey(t.Context(), holdOf(first)))
	holdKey(t, s, second)
	wantNoError(t, s.FreeKey(t.Context(), holdOf(first))) // which is not the one that has it
	wantHeld(t, s, second, false, "")
	_, err := s.AnswerKey(t.Context(), holdOf(first), []byte("late"), wide)
	wantError(t, err, queue.ErrLost)
	wantNoError(t, s.FreeKey(t.Context(), holdOf(second)))
	stats, err := s.CallStats(t.Context())
	if err != nil || stats.Calls != 0 || stats.Bytes != 0 {
		t.Errorf("left are %+v, %v", stats, err)
	}
}

// holdSoon has a key held as soon as it is free.
func holdSoon(t *testing.T, s Store, h *queue.Hold) {
	t.Helper()
	for deadline := time.Now().Add(patience); ; {
		found, err := s.HoldKey(t.Context(), h, wide)
		wantNoError(t, err)
		if !found.Existing {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("%s is never free", h.Key)
		}
	}
}

func testAKeyIsFreeWhenItsLeaseRunsOut(t *testing.T, s Store) {
	gone, next := hold("ns", "key"), hold("ns", "key")
	gone.Lease = time.Millisecond
	holdKey(t, s, gone)
	holdSoon(t, s, next)
	_, err := s.AnswerKey(t.Context(), holdOf(gone), []byte("late"), wide)
	wantError(t, err, queue.ErrLost)
	wantError(t, s.RenewKey(t.Context(), holdOf(gone), time.Hour), queue.ErrLost)
	wantHeld(t, s, next, false, "")
}

func testAKeyIsRenewed(t *testing.T, s Store) {
	h, short := hold("ns", "key"), hold("ns", "short")
	h.Lease, short.Lease = 2*time.Second, 3*time.Second
	holdKey(t, s, h)
	wantNoError(t, s.RenewKey(t.Context(), holdOf(h), time.Hour))
	holdKey(t, s, short)
	holdSoon(t, s, hold("ns", "short")) // by then the first lease of h is over
	wantHeld(t, s, h, false, "")
}

func testAnAnswerOfAKeyExpires(t *testing.T, s Store) {
	h := hold("ns", "key")
	h.For = time.Millisecond
	holdKey(t, s, h)
	_, err := s.AnswerKey(t.Context(), holdOf(h), []byte("answer"), wide)
	wantNoError(t, err)
	next := hold("ns", "key")
	holdSoon(t, s, next)
	wantHeld(t, s, next, false, "")
	stats, err := s.CallStats(t.Context())
	if err != nil || stats.Calls != 1 {
		t.Errorf("left are %+v, %v", stats, err)
	}
}

func testOneOfManyHoldsAKey(t *testing.T, s Store) {
	const callers = 20
	var all sync.WaitGroup
	var mu sync.Mutex // guards held
	held := 0
	for range callers {
		all.Go(func() {
			found, err := s.HoldKey(t.Context(), hold("ns", "key"), wide)
			mu.Lock()
			defer mu.Unlock()
			switch {
			case err != nil:
				t.Error(err)
			case !found.Existing:
				held++
			}
		})
	}
	all.Wait()
	if held != 1 {
		t.Errorf("%d of %d hold the key", held, callers)
	}
}

func testKeysAreOfANamespace(t *testing.T, s Store) {
	h := hold("ns", "key")
	holdKey(t, s, h)
	holdKey(t, s, hold("other", "key"))
	foreign := queue.HoldOf{Ref: function.Ref{Namespace: "other", ID: "id"}, ID: h.ID}
	wantError(t, s.RenewKey(t.Context(), foreign, time.Hour), queue.ErrLost)
	_, err := s.AnswerKey(t.Context(), foreign, []byte("foreign"), wide)
	wantError(t, err, queue.ErrLost)
	wantNoError(t, s.FreeKey(t.Context(), foreign))
	wantHeld(t, s, h, false, "")
}

func testHeldKeysHaveALimit(t *testing.T, s Store) {
	few := queue.Limits{Calls: 3, Bytes: 1 << 30}
	first := hold("ns", "1")
	for _, h := range []*queue.Hold{first, hold("ns", "2")} {
		_, err := s.HoldKey(t.Context(), h, few)
		wantNoError(t, err)
	}
	done := spec("ns")
	_, err := s.PutCall(t.Context(), done, few)
	wantNoError(t, err)
	_, err = s.HoldKey(t.Context(), hold("ns", "3"), few)
	wantError(t, err, queue.ErrFull)
	_, err = s.PutCall(t.Context(), spec("ns"), few)
	wantError(t, err, queue.ErrFull)
	wantHeld(t, s, first, false, "") // is found all the same
	wantNoError(t, s.CancelCall(t.Context(), done.Ref, done.ID))
	_, err = s.HoldKey(t.Context(), hold("ns", "3"), few) // in the place of the call
	wantNoError(t, err)
	_, err = s.HoldKey(t.Context(), hold("ns", "4"), queue.Limits{Calls: 10, Bytes: 100})
	wantError(t, err, queue.ErrFull)
	all := queue.Limits{Calls: 10, Bytes: 1 << 30, AllCalls: 3}
	_, err = s.HoldKey(t.Context(), hold("other", "1"), all)
	wantError(t, err, queue.ErrStoreFull)
	wantNoError(t, s.FreeKey(t.Context(), holdOf(first)))
	for deadline := time.Now().Add(patience); ; { // a store may have to notice that there is room
		_, err = s.HoldKey(t.Context(), hold("other", "1"), all)
		if err == nil {
			return
		}
		wantError(t, err, queue.ErrStoreFull)
		if time.Now().After(deadline) {
			t.Fatal("a key that was freed makes no room")
		}
	}
}

// testHeldKeysMakeNoRoomForOtherKeys: an answer that was promised for a time is there for that time.
func testHeldKeysMakeNoRoomForOtherKeys(t *testing.T, s Store) {
	few := queue.Limits{Calls: 1, Bytes: 1 << 30, AllCalls: 1, AllBytes: 1 << 30}
	h := hold("ns", "1")
	_, err := s.HoldKey(t.Context(), h, few)
	wantNoError(t, err)
	for _, answered := range []bool{false, true} {
		_, err = s.HoldKey(t.Context(), hold("ns", "2"), few)
		wantError(t, err, queue.ErrFull)
		_, err = s.PutCall(t.Context(), spec("other"), few)
		wantError(t, err, queue.ErrStoreFull)
		if answered {
			break
		}
		_, err = s.AnswerKey(t.Context(), holdOf(h), []byte("answer"), few)
		wantNoError(t, err)
	}
	wantHeld(t, s, h, true, "answer")
}

func testAnswersOfKeysTakeLimitedBytes(t *testing.T, s Store) {
	long := []byte(strings.Repeat("x", 50_000))
	for name, limits := range map[string]queue.Limits{
		"namespace": {Calls: 10, Bytes: 40_000, AllCalls: 10, AllBytes: 1 << 30},
		"all":       {Calls: 10, Bytes: 1 << 30, AllCalls: 10, AllBytes: 40_000},
	} {
		h := hold("ns", name)
		holdKey(t, s, h)
		if kept, err := s.AnswerKey(t.Context(), holdOf(h), long, limits); kept || err != nil {
			t.Errorf("%s: kept %v, %v", name, kept, err)
		}
		wantHeld(t, s, h, true, "") // runs no second time
	}
	before, err := s.CallStats(t.Context())
	wantNoError(t, err)
	h := hold("ns", "fits")
	holdKey(t, s, h)
	if kept, err := s.AnswerKey(t.Context(), holdOf(h), long, wide); !kept || err != nil {
		t.Errorf("kept %v, %v", kept, err)
	}
	after, err := s.CallStats(t.Context())
	if grown := after.Bytes - before.Bytes; err != nil || grown < int64(len(long)+queue.Overhead) ||
		grown > int64(len(long)+2*queue.Overhead) || after.Calls != 3 {
		t.Errorf("it counts as %d bytes, all are %+v, %v", grown, after, err)
	}
}

func testAHeldKeyIsNoCall(t *testing.T, s Store) {
	for _, answered := range []bool{false, true} {
		h := hold("ns", "key")
		if answered {
			h.Key = "answered"
		}
		holdKey(t, s, h)
		if answered {
			_, err := s.AnswerKey(t.Context(), holdOf(h), []byte("answer"), wide)
			wantNoError(t, err)
		}
		wantNoCall(t, s)
		_, err := s.GetCall(t.Context(), h.Ref, h.ID)
		wantError(t, err, queue.ErrNotFound)
		_, err = s.CallResult(t.Context(), h.Ref, h.ID)
		wantError(t, err, queue.ErrNotFound)
		_, err = s.GetCallback(t.Context(), h.Ref, h.ID)
		wantError(t, err, queue.ErrNotFound)
		wantError(t, s.CancelCall(t.Context(), h.Ref, h.ID), queue.ErrNotFound)
		wantError(t, s.RedriveCall(t.Context(), h.Ref, h.ID), queue.ErrNotFound)
		wantError(t, s.RedriveCallback(t.Context(), h.Ref, h.ID), queue.ErrNotFound)
		lease := queue.Lease{Ref: h.Ref, ID: h.ID}
		_, err = s.SettleCall(t.Context(), &queue.Settlement{Lease: lease, Outcome: queue.Done})
		wantError(t, err, queue.ErrLost)
		lost, err := s.RenewCalls(t.Context(), []queue.Renewal{{Lease: lease}}, time.Hour)
		if err != nil || len(lost) != 1 {
			t.Errorf("lost %v, %v", lost, err)
		}
		page, err := s.ListCalls(t.Context(), &queue.Query{Ref: h.Ref, Limit: 10})
		if err != nil || len(page.Calls) != 0 {
			t.Errorf("listed are %+v, %v", page.Calls, err)
		}
	}
	stats, err := s.CallStats(t.Context())
	if err != nil || stats.Calls != 2 || stats.Queued+stats.Running+stats.Dead != 0 {
		t.Errorf("counted are %+v, %v", stats, err)
	}
}

func testAnIncompleteKeyIsNotHeld(t *testing.T, s Store) {
	for _, change := range []func(*queue.Hold){
		func(h *queue.Hold) { h.ID = "" }, func(h *queue.Hold) { h.Ref.Namespace = "" },
		func(h *queue.Hold) { h.Ref.ID = "" }, func(h *queue.Hold) { h.Key = "" }, func(h *queue.Hold) { h.Lease = 0 },
	} {
		h := hold("ns", "key")
		change(h)
		_, err := s.HoldKey(t.Context(), h, wide)
		wantError(t, err, queue.ErrIncomplete)
	}
}
