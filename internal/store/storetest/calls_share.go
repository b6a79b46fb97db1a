package storetest

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/backstage/functions/internal/function"
	"github.com/backstage/functions/internal/queue"
)

// shareTests are of namespaces that share what all may have.
var shareTests = table{
	"TheLargestHolderGivesWay":         testTheLargestHolderGivesWay,
	"TheLargestHolderOfBytesGivesWay":  testTheLargestHolderOfBytesGivesWay,
	"NobodyTakesWhatIsLeftForOthers":   testNobodyTakesWhatIsLeftForOthers,
	"NobodyTakesTheBytesLeftForOthers": testNobodyTakesTheBytesLeftForOthers,
	"KeptKeysAndDeadCallsLeaveRoom":    testKeptKeysAndDeadCallsLeaveRoom,
	"AnAnswerLeavesRoomForOthers":      testAnAnswerLeavesRoomForOthers,
	"RoomIsSharedAsInItsModel":         testRoomIsSharedAsInItsModel,
}

// putSome puts so many calls of a namespace.
func putSome(t *testing.T, s Store, namespace string, n int, limits queue.Limits) (put []*queue.Spec) {
	t.Helper()
	for range n {
		c := spec(namespace)
		_, err := s.PutCall(t.Context(), c, limits)
		wantNoError(t, err)
		put = append(put, c)
	}
	return put
}

// fillUp puts calls of a namespace until one is refused, and returns those that were not.
func fillUp(t *testing.T, s Store, namespace string, limits queue.Limits) (put []*queue.Spec) {
	t.Helper()
	for len(put) < 1000 {
		c := spec(namespace)
		_, err := s.PutCall(t.Context(), c, limits)
		if errors.Is(err, queue.ErrStoreFull) {
			return put
		}
		wantNoError(t, err)
		put = append(put, c)
	}
	t.Fatal("no put is refused")
	return nil
}

// endAll takes all calls and settles them.
func endAll(t *testing.T, s Store, how queue.Settlement) {
	t.Helper()
	for {
		taken, _, err := s.TakeCalls(t.Context(), "one", 50, time.Hour)
		wantNoError(t, err)
		for _, c := range taken {
			how.Lease = queue.LeaseOf(c)
			_, err := s.SettleCall(t.Context(), &how)
			wantNoError(t, err)
		}
		if len(taken) == 0 {
			return
		}
	}
}

// callsOf is how many calls there are of the function id of a namespace.
func callsOf(t *testing.T, s Store, namespace string) int {
	t.Helper()
	page, err := s.ListCalls(t.Context(), &queue.Query{Ref: function.Ref{Namespace: namespace, ID: "id"}, Limit: 500})
	wantNoError(t, err)
	return len(page.Calls)
}

// testTheLargestHolderGivesWay has namespaces with records of calls that succeeded. New calls take the place of the
// oldest ones of that which has most, and nobody else loses any.
func testTheLargestHolderGivesWay(t *testing.T, s Store) {
	limits := queue.Limits{Calls: 100, Bytes: 1 << 30, AllCalls: 60}
	large := putSome(t, s, "large", 25, limits)
	endAll(t, s, queue.Settlement{Outcome: queue.Done})
	large = append(large, putSome(t, s, "large", 10, limits)...)
	putSome(t, s, "middle", 10, limits)
	putSome(t, s, "small", 5, limits)
	endAll(t, s, queue.Settlement{Outcome: queue.Done})
	putSome(t, s, "one who waits", 10, limits)
	for i := range 20 {
		putSome(t, s, fmt.Sprint("new", i), 1, limits)
		if n := callsOf(t, s, "large"); n != 34-i {
			t.Fatalf("after %d calls the largest one has %d", i+1, n)
		}
	}
	_, err := s.GetCall(t.Context(), large[19].Ref, large[19].ID)
	wantError(t, err, queue.ErrNotFound)
	getCall(t, s, large[20].Ref, large[20].ID)
	putSome(t, s, "small", 3, limits) // the largest one still gives way, and not who puts
	for namespace, want := range map[string]int{"large": 12, "middle": 10, "small": 8, "one who waits": 10} {
		if n := callsOf(t, s, namespace); n != want {
			t.Errorf("%s has %d calls, want %d", namespace, n, want)
		}
	}
}

func testTheLargestHolderOfBytesGivesWay(t *testing.T, s Store) {
	limits := queue.Limits{Calls: 100, Bytes: 1 << 30, AllCalls: 1000, AllBytes: 400_000}
	putSome(t, s, "few long ones", 5, limits)
	endAll(t, s, queue.Settlement{Outcome: queue.Done, Result: make([]byte, 40_000), Limits: limits})
	putSome(t, s, "many short ones", 40, limits)
	endAll(t, s, queue.Settlement{Outcome: queue.Done})
	c := spec("new")
	c.Payload = make([]byte, 120_000)
	_, err := s.PutCall(t.Context(), c, limits)
	wantNoError(t, err)
	if long, short := callsOf(t, s, "few long ones"), callsOf(t, s, "many short ones"); long != 4 || short != 40 {
		t.Errorf("%d long ones and %d short ones are left", long, short)
	}
}

// testNobodyTakesWhatIsLeftForOthers floods the store with calls of one namespace after the other. Each may have as
// many as are left then, so others can still come, and as soon as calls make room it can have more.
func testNobodyTakesWhatIsLeftForOthers(t *testing.T, s Store) {
	limits := queue.Limits{Calls: 1000, Bytes: 1 << 30, AllCalls: 64}
	flood := fillUp(t, s, "flood", limits)
	second := fillUp(t, s, "second", limits)
	if len(flood) != 32 || len(second) != 16 {
		t.Fatalf("the first one may have %d calls of 64, the second one %d", len(flood), len(second))
	}
	putSome(t, s, "small", 5, limits)
	for _, namespace := range []string{"flood", "second"} {
		_, err := s.PutCall(t.Context(), spec(namespace), limits)
		wantError(t, err, queue.ErrStoreFull)
	}
	for _, c := range flood[:10] {
		wantNoError(t, s.CancelCall(t.Context(), c.Ref, c.ID))
	}
	if again := fillUp(t, s, "second", limits); len(again) != 2 { // 18 of its own, 22 of flood and 5 of small leave 19
		t.Errorf("once ten calls are cancelled the second one may have %d more", len(again))
	}
	putSome(t, s, "small", 1, limits)
}

func testNobodyTakesTheBytesLeftForOthers(t *testing.T, s Store) {
	limits := queue.Limits{Calls: 1000, Bytes: 1 << 30, AllCalls: 1000, AllBytes: 1 << 20}
	bytes := func() int64 {
		t.Helper()
		stats, err := s.CallStats(t.Context())
		wantNoError(t, err)
		return stats.Bytes
	}
	fillUp(t, s, "flood", limits)
	first := bytes()
	fillUp(t, s, "second", limits)
	second := bytes() - first
	if half := limits.AllBytes / 2; first > half || first < half-10_000 ||
		second > (limits.AllBytes-first)/2 || second < half/2-10_000 {
		t.Errorf("of %d bytes the first one takes %d, the second one %d", limits.AllBytes, first, second)
	}
	putSome(t, s, "small", 5, limits)
}

// testKeptKeysAndDeadCallsLeaveRoom floods the store with calls that have ended and yet make no room: dead ones,
// and those whose idempotency key counts.
func testKeptKeysAndDeadCallsLeaveRoom(t *testing.T, s Store) {
	limits := queue.Limits{Calls: 1000, Bytes: 1 << 30, AllCalls: 64}
	fillUp(t, s, "dead", limits)
	endAll(t, s, queue.Settlement{Outcome: queue.Fail})
	for i := range 16 {
		c := spec("keyed")
		c.Key, c.KeyFor, c.Print = fmt.Sprint(i), time.Hour, "p"
		_, err := s.PutCall(t.Context(), c, limits)
		wantNoError(t, err)
	}
	endAll(t, s, queue.Settlement{Outcome: queue.Done})
	for _, namespace := range []string{"dead", "keyed"} {
		_, err := s.PutCall(t.Context(), spec(namespace), limits)
		wantError(t, err, queue.ErrStoreFull)
	}
	putSome(t, s, "small", 5, limits)
	if dead, keyed := callsOf(t, s, "dead"), callsOf(t, s, "keyed"); dead != 32 || keyed != 16 {
		t.Errorf("%d dead and %d keyed ones are left", dead, keyed)
	}
}

// testAnAnswerLeavesRoomForOthers has calls whose records stay, with long answers: these are kept as long as they leave
// as much for others.
func testAnAnswerLeavesRoomForOthers(t *testing.T, s Store) {
	limits := queue.Limits{Calls: 1000, Bytes: 1 << 30, AllCalls: 1000, AllBytes: 1 << 20}
	put := putSome(t, s, "flood", 20, limits)
	endAll(t, s, queue.Settlement{Outcome: queue.Fail, Result: make([]byte, 50_000), Limits: limits})
	kept := 0
	for _, c := range put {
		if getCall(t, s, c.Ref, c.ID).HasResult {
			kept++
		}
	}
	if kept != 9 { // of 52 KB each, and 20 KB for the others, within half of a megabyte
		t.Errorf("%d answers are kept", kept)
	}
	c := putSome(t, s, "small", 1, limits)[0]
	endAll(t, s, queue.Settlement{Outcome: queue.Fail, Result: make([]byte, 50_000), Limits: limits})
	if !getCall(t, s, c.Ref, c.ID).HasResult {
		t.Error("the answer of a small one is not kept")
	}
}

// heldCall is what the model of the room knows of a call.
type heldCall struct {
	spec  *queue.Spec
	spare bool
}

// testRoomIsSharedAsInItsModel does random things, one after the other, beside a model that says which puts are refused
// and whose calls give way.
func testRoomIsSharedAsInItsModel(t *testing.T, s Store) {
	random := rand.New(rand.NewPCG(3, 9))
	limits := queue.Limits{Calls: 1000, Bytes: 1 << 30, AllCalls: 40}
	held := map[string]*heldCall{}
	count := func(namespace string) (all, stay int) {
		for _, h := range held {
			if namespace == "" || h.spec.Ref.Namespace == namespace {
				if all++; !h.spare {
					stay++
				}
			}
		}
		return all, stay
	}
	refused, gaveWay := 0, 0
	put := func() {
		c := spec(fmt.Sprint("n", min(random.IntN(6), random.IntN(6))))
		all, stay := count("")
		_, own := count(c.Ref.Namespace)
		_, err := s.PutCall(t.Context(), c, limits)
		if !queue.Leaves(int64(own), 1, int64(stay), int64(limits.AllCalls)) {
			wantError(t, err, queue.ErrStoreFull)
			refused++
			return
		}
		wantNoError(t, err)
		if all == limits.AllCalls {
			gaveWay++
			forgetOne(t, s, held, count)
		}
		held[c.ID] = &heldCall{spec: c}
	}
	end := func() {
		taken, _, err := s.TakeCalls(t.Context(), "one", 1, time.Hour)
		wantNoError(t, err)
		for _, c := range taken {
			outcome := []queue.Outcome{queue.Done, queue.Done, queue.Fail, queue.Back}[random.IntN(4)]
			_, err := s.SettleCall(t.Context(), &queue.Settlement{Lease: queue.LeaseOf(c), Outcome: outcome})
			wantNoError(t, err)
			held[c.ID].spare = outcome == queue.Done
		}
	}
	for range 500 {
		if random.IntN(3) > 0 {
			put()
		} else {
			end()
		}
	}
	stats, err := s.CallStats(t.Context())
	if err != nil || stats.Calls != int64(len(held)) {
		t.Errorf("there are %d calls, the model has %d, %v", stats.Calls, len(held), err)
	}
	if refused < 20 || gaveWay < 20 {
		t.Errorf("only %d puts were refused, and %d calls gave way", refused, gaveWay)
	}
}

// forgetOne has the model forget the one call that gave way, which must be of a namespace that has most of those with
// one that may.
func forgetOne(t *testing.T, s Store, held map[string]*heldCall, count func(string) (all, stay int)) {
	t.Helper()
	most, gone := 0, (*heldCall)(nil)
	for id, h := range held {
		all, _ := count(h.spec.Ref.Namespace)
		if h.spare {
			most = max(most, all)
		}
		if _, err := s.GetCall(t.Context(), h.spec.Ref, id); errors.Is(err, queue.ErrNotFound) {
			if gone != nil {
				t.Fatal("more than one call is gone")
			}
			gone = h
		}
	}
	if gone == nil || !gone.spare {
		t.Fatalf("gone is %+v", gone)
	}
	if all, _ := count(gone.spec.Ref.Namespace); all != most {
		t.Fatalf("a namespace with %d calls gave way, one has %d", all, most)
	}
	delete(held, gone.spec.ID)
}
