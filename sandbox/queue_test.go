package sandbox

import (
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"
)

// fill pushes one waiter for each "group/function" in text.
func fill(text string) (*queue, []*call) {
	q := &queue{}
	var all []*call
	for _, key := range strings.Fields(text) {
		all = append(all, push(q, key[:strings.Index(key, "/")], key, 0))
	}
	return q, all
}

// takeNext takes the waiter whose turn it is, whatever its key.
func takeNext(q *queue) *call {
	w := nextOf(q, func(string) bool { return false })
	q.take(w)
	return w
}

// nextOf is whose turn it is where nobody holds a worker and those of held keys want none.
func nextOf(q *queue, held func(key string) bool) *call {
	for _, name := range q.groups.order {
		if w := q.groups.members[name].next(func(key string) bool { return !held(key) }); w != nil {
			return w
		}
	}
	return nil
}

// push lets a new waiter wait.
func push(q *queue, group, key string, cost time.Duration) *call {
	w := &call{group: group, key: key, cost: cost, ready: make(chan struct{})}
	q.push(w)
	return w
}

func drain(q *queue) string {
	var keys []string
	for q.len() > 0 {
		keys = append(keys, takeNext(q).key)
	}
	return strings.Join(keys, " ")
}

func TestQueueTakesTurns(t *testing.T) {
	for name, row := range map[string]struct{ in, out string }{
		"one function, first come first served": {"a/1 a/1 a/1", "a/1 a/1 a/1"},
		"groups":                                {"a/1 a/1 a/1 b/1 c/1", "a/1 b/1 c/1 a/1 a/1"},
		"functions of a group":                  {"a/1 a/1 a/1 a/2 a/3", "a/1 a/2 a/3 a/1 a/1"},
		"a group with many functions":           {"a/1 a/2 a/3 b/1 b/1", "a/1 b/1 a/2 b/1 a/3"},
		"nobody":                                {"", ""},
	} {
		q, _ := fill(row.in)
		if got := drain(q); got != row.out {
			t.Errorf("%s: got %q, want %q", name, got, row.out)
		}
	}
}

func TestQueueServesOneFunctionInOrder(t *testing.T) {
	q, all := fill("a/1 b/1 a/1 a/1 b/1")
	order := []*call{takeNext(q), takeNext(q), takeNext(q), takeNext(q), takeNext(q)}
	if want := []*call{all[0], all[1], all[2], all[4], all[3]}; !slices.Equal(order, want) {
		t.Error("waiters of one function changed places")
	}
}

func TestThoseWhoWaitAgainGoFirst(t *testing.T) {
	q, all := fill("a/1 a/1 b/1")
	again := &call{group: "a", key: "a/1"}
	q.pushFirst(again)
	if order := []*call{takeNext(q), takeNext(q), takeNext(q)}; !slices.Equal(order, []*call{again, all[2], all[0]}) {
		t.Error("a call that waits again was not the first of its function, or took the turn of others")
	}
}

func TestTakeKeyEndsTheTurnOfItsGroup(t *testing.T) {
	q, all := fill("a/1 a/1 a/2 b/1")
	if got := q.takeKey("a/1"); got != all[0] {
		t.Fatalf("got %v", got)
	}
	if got := drain(q); got != "b/1 a/2 a/1" {
		t.Errorf("after it %q", got)
	}
	q, _ = fill("a/1 b/1 b/2")
	q.takeKey("b/2") // not b's turn: a keeps its own
	if got := drain(q); got != "a/1 b/1" {
		t.Errorf("after it %q", got)
	}
	if got := q.takeKey("a/1"); got != nil {
		t.Errorf("an empty queue gave %v", got)
	}
}

func TestHeldKeysKeepTheirPlaceAndNobodyElses(t *testing.T) {
	q, all := fill("a/1 a/1 a/2 b/1")
	held := func(key string) bool { return key == "a/1" }
	for _, want := range []*call{all[2], all[3]} {
		next := nextOf(q, held)
		if next != want {
			t.Fatalf("got %v, want %v", next, want)
		}
		q.take(next)
	}
	if next := nextOf(q, held); next != nil {
		t.Errorf("a held call is next: %v", next)
	}
	if got := drain(q); got != "a/1 a/1" {
		t.Errorf("when it is held no more: %q", got)
	}
}

func TestRemovedWaitersAreNotServed(t *testing.T) {
	q, all := fill("a/1 a/1 a/2 b/1 b/2")
	for _, i := range []int{0, 3, 0, 3} { // twice is as good as once
		q.drop(all[i])
	}
	if !q.has("a/1") || q.has("b/1") || q.len() != 3 {
		t.Errorf("has a/1 %v, has b/1 %v, %d waiters", q.has("a/1"), q.has("b/1"), q.len())
	}
	if got := drain(q); got != "a/1 b/2 a/2" {
		t.Errorf("got %q", got)
	}
	q.drop(all[1])
	if q.len() != 0 {
		t.Errorf("%d waiters", q.len())
	}
}

func TestQueueCountsRight(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	keys := strings.Fields("a/1 a/2 a/3 b/1 b/2 c/1")
	q := &queue{}
	var waiting []*call
	for range 10_000 {
		key := keys[random.IntN(len(keys))]
		var gone *call
		switch op := random.IntN(7); {
		case op < 3:
			waiting = append(waiting, push(q, key[:1], key, time.Duration(random.IntN(3))))
		case op < 4 && q.len() > 0:
			gone = takeNext(q)
		case op < 5:
			gone = q.takeKey(key)
			if (gone != nil) != slices.ContainsFunc(waiting, func(w *call) bool { return w.key == key }) {
				t.Fatalf("takeKey(%s) gave %v", key, gone)
			}
		case len(waiting) > 0:
			gone = waiting[random.IntN(len(waiting))]
			q.drop(gone)
		}
		waiting = slices.DeleteFunc(waiting, func(w *call) bool { return w == gone })
		of, cost := 0, time.Duration(0)
		for _, w := range waiting {
			cost += w.cost
			if w.key == key {
				of++
			}
		}
		if q.len() != len(waiting) || q.cost != cost || q.keys[key] != of || q.has(key) != (of > 0) {
			t.Fatalf("%d waiters and %d of %s, want %d and %d", q.len(), q.keys[key], key, len(waiting), of)
		}
	}
	drain(q)
	if len(q.keys) != 0 || len(q.groups.order) != 0 || len(q.groups.members) != 0 {
		t.Errorf("an empty queue keeps %v, %v", q.keys, q.groups)
	}
}

func BenchmarkQueue(b *testing.B) {
	for name, keys := range map[string]int{"one function": 1, "1000 functions": 1000} {
		b.Run(name, func(b *testing.B) {
			q := &queue{}
			names := make([]string, keys)
			for i := range 1000 {
				names[i%keys] = "a/" + strings.Repeat("x", i%keys)
				push(q, "a", names[i%keys], 0)
			}
			for i := 0; b.Loop(); i++ {
				takeNext(q)
				push(q, "a", names[i%keys], 0)
			}
		})
	}
}

func TestAheadCountsTheTurnsOfOthers(t *testing.T) {
	const call = 2 * quantum
	for _, row := range []struct {
		waiting, key string
		bound        bool
		want         int // calls
	}{
		{"", "a/1", false, 0},
		{"a/1 a/1 a/1", "a/1", true, 3},
		{"a/1 a/1 a/1", "b/1", false, 1},     // b has its turn after one call of a
		{"a/1 a/1 a/1", "b/1", true, 0},      // a worker of b may be about to come free
		{"a/1 a/2 a/3", "a/4", false, 3},     // each function of a once
		{"a/1 a/1 a/2 a/2", "a/1", true, 4},  // two of its own, two of the other
		{"a/1 b/1 b/1 b/1", "a/1", true, 2},  // one of its own, one of b
		{"a/1 a/2 b/1 b/1", "a/3", false, 4}, // b has a turn for each of a
	} {
		q := &queue{}
		for _, key := range strings.Fields(row.waiting) {
			push(q, key[:1], key, call)
		}
		if got := q.workBefore(row.key[:1], row.key, row.bound, nil); got != time.Duration(row.want)*call {
			t.Errorf("%q before %s: %v, want %d calls of %v", row.waiting, row.key, got, row.want, call)
		}
	}
}
