package line

import (
	"errors"
	"math/rand/v2"
	"reflect"
	"strconv"
	"testing"
	"time"

	"github.com/backstage/functions/internal/function"
	"github.com/backstage/functions/internal/queue"
)

var errDisk = errors.New("no space left")

// failing is a Keeper whose writes fail while it is full.
type failing struct {
	Memory
	full bool
}

func (f *failing) Save(changes []Change) error {
	if f.full {
		return errDisk
	}
	return f.Memory.Save(changes)
}

var ref = function.Ref{Namespace: "ns", ID: "id"}

func spec(id string) *queue.Spec {
	return &queue.Spec{ID: id, Ref: ref, Payload: []byte(id), Attempts: 2, MaxAge: time.Hour, Keep: time.Hour}
}

// state is all that can be seen of a Line from inside.
func state(l *Line) map[string]any {
	return map[string]any{"calls": stateOf(l.ofCalls), "callbacks": stateOf(l.ofCallbacks)}
}

func stateOf(l *order) map[string]any {
	calls, texts := map[string]queue.Call{}, map[string]texts{}
	for id, c := range l.calls {
		calls[id], texts[id] = *c, l.texts[id]
	}
	spaces := map[string][6]int64{}
	for name, ns := range l.namespaces {
		if ns.has.calls == 0 { // as good as none
			continue
		}
		spaces[name] = [6]int64{
			int64(ns.has.calls), ns.has.bytes, int64(ns.spare.calls), ns.spare.bytes, int64(ns.held),
			int64(ns.due.Len() + 1000*ns.done.Len()),
		}
	}
	return map[string]any{
		"calls": calls, "texts": texts, "namespaces": spaces,
		"order": [5]int{l.waiting.Len(), l.leases.Len(), l.expiring.Len(), int(l.dead), l.keyed.Len()},
		"all":   [2]amount{l.has, l.spare}, "holders": [2]int{l.holders.byCalls.Len(), l.holders.byBytes.Len()},
		"turns": l.turns.active.Len() + l.turns.later.Len(),
	}
}

// operations are all that write, on a call.
func operations(l *Line, t *testing.T, id string, take int) map[string]func() error {
	lease := queue.Lease{Ref: ref, ID: id, Take: take}
	settle := func(outcome queue.Outcome) func() error {
		return func() error {
			_, err := l.Settle(t.Context(), &queue.Settlement{Lease: lease, Outcome: outcome, Result: []byte("r")})
			return err
		}
	}
	settleCallback := func(outcome queue.Outcome) func() error {
		return func() error {
			of := lease
			if c := l.ofCallbacks.calls[id]; c != nil {
				of.Take = c.Takes
			}
			_, err := l.SettleCallback(t.Context(), &queue.Settlement{Lease: of, Outcome: outcome})
			return err
		}
	}
	return map[string]func() error{
		"put": func() error {
			_, err := l.Put(t.Context(), spec("new"+id), queue.Limits{Calls: 3, Bytes: 1 << 20})
			return err
		},
		"take": func() error {
			_, _, err := l.Take(t.Context(), "one", 2, time.Hour)
			return err
		},
		"renew": func() error {
			_, err := l.Renew(t.Context(), []queue.Renewal{{Lease: lease}}, time.Hour)
			return err
		},
		"done": settle(queue.Done), "fail": settle(queue.Fail), "retry": settle(queue.Retry), "back": settle(queue.Back),
		"cancel":  func() error { return l.Cancel(t.Context(), ref, id) },
		"redrive": func() error { return l.Redrive(t.Context(), ref, id) },
		"take callback": func() error {
			_, _, err := l.TakeCallbacks(t.Context(), "one", 2, time.Hour)
			return err
		},
		"told": settleCallback(queue.Done), "untold": settleCallback(queue.Fail), "later": settleCallback(queue.Back),
		"redrive callback": func() error { return l.RedriveCallback(t.Context(), ref, id) },
	}
}

func TestWhatCannotBeWrittenHasNotHappened(t *testing.T) {
	disk := &failing{}
	l := New(disk, nil)
	random := rand.New(rand.NewPCG(1, 1))
	refused := 0
	for i := range 1000 {
		id, take := "", 0
		for known, c := range l.calls {
			id, take = known, c.Takes
			break
		}
		all := operations(l, t, id, take)
		names := []string{
			"put", "put", "take", "renew", "done", "fail", "retry", "back", "cancel", "redrive", "take callback",
			"take callback", "told", "untold", "later", "redrive callback",
		}
		name := names[random.IntN(len(names))]
		if name == "put" {
			all["put"] = func() error {
				c := spec(strconv.Itoa(i))
				if i%2 == 1 {
					c.CallTo = queue.Callback{URL: "https://a.example/", Secret: "S"}
				}
				_, err := l.Put(t.Context(), c, queue.Limits{Calls: 5, Bytes: 1 << 20})
				return err
			}
		}
		before := state(l)
		disk.full = true
		if err := all[name](); errors.Is(err, errDisk) {
			refused++
			if after := state(l); !reflect.DeepEqual(after, before) {
				t.Fatalf("%s failed, and changed\n%+v to\n%+v", name, before, after)
			}
		}
		disk.full = false
		_ = all[name]() // may be impossible in this state
	}
	if refused < 100 {
		t.Errorf("only %d operations wrote", refused)
	}
}

func TestNamespacesAreForgottenWithTheirLastCall(t *testing.T) {
	now := time.Unix(1000, 0)
	l := New(&Memory{}, func() time.Time { return now })
	for i := range 300 {
		c := spec(strconv.Itoa(i))
		c.Ref.Namespace = strconv.Itoa(i)
		if _, err := l.Put(t.Context(), c, queue.Limits{Calls: 5, Bytes: 1 << 20}); err != nil {
			t.Fatal(err)
		}
		if err := l.Cancel(t.Context(), c.Ref, c.ID); err != nil {
			t.Fatal(err)
		}
	}
	now = now.Add(2 * time.Hour)
	for range 3 {
		if _, _, err := l.Take(t.Context(), "one", 1, time.Hour); err != nil {
			t.Fatal(err)
		}
	}
	if l.order != l.ofCalls || len(l.calls)+len(l.namespaces)+len(l.functions)+len(l.texts)+l.expiring.Len() > 0 {
		t.Errorf("left: %+v", state(l))
	}
}
