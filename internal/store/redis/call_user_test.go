package redis

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/backstage/functions/internal/function"
	"github.com/backstage/functions/internal/queue"
)

// callUser does random things to a store.
type callUser struct {
	t      *testing.T
	s      *Store
	random *rand.Rand
	calls  []*queue.Spec
	leases []queue.Lease
	told   []queue.Lease
	holds  []queue.HoldOf
	did    map[string]int // how often what came to what
}

var tightCalls = queue.Limits{Calls: 30, Bytes: 150_000, AllCalls: 60, AllBytes: 300_000}

// oneOf is one of these, mostly a new one; false when there is none.
func oneOf[T any](random *rand.Rand, all []T) (one T, ok bool) {
	if len(all) == 0 {
		return one, false
	}
	return all[len(all)-1-min(random.IntN(len(all)), random.IntN(len(all)))], true
}

func (u *callUser) step() {
	steps := []func() (string, error){
		u.put, u.put, u.take, u.take, u.settle, u.settle, u.settle, u.cancel, u.redrive, u.tell, u.endTold, u.redriveTold,
		u.hold, u.hold, u.endHold, u.endHold,
	}
	what, err := steps[u.random.IntN(len(steps))]()
	for _, known := range []error{
		queue.ErrFull, queue.ErrStoreFull, queue.ErrLost, queue.ErrSettled, queue.ErrNotSettled, queue.ErrNotFound,
		queue.ErrIncomplete, // no step is left
	} {
		if errors.Is(err, known) {
			what, err = what+": "+known.Error(), nil
		}
	}
	if err != nil {
		u.t.Fatal(what, err)
	}
	u.did[what]++
}

func (u *callUser) ref() function.Ref {
	return function.Ref{Namespace: fmt.Sprint("n", u.random.IntN(5)), ID: "f"}
}

// soon is a time that is over at once, in a moment, or never.
func (u *callUser) soon() time.Duration {
	return []time.Duration{time.Millisecond, 20 * time.Millisecond, time.Hour}[u.random.IntN(3)]
}

func (u *callUser) text() []byte { return make([]byte, u.random.IntN(4000)) }

func (u *callUser) put() (string, error) {
	c := callSpec(uuid.Must(uuid.NewV7()).String(), u.random.IntN(4000))
	c.Ref, c.Keep, c.KeepDead, c.MaxAge = u.ref(), u.soon(), u.soon(), u.soon()
	if u.random.IntN(2) == 0 {
		c.Key, c.KeyFor, c.Print = fmt.Sprint(u.random.IntN(20)), min(u.soon(), c.Keep), "p"
	}
	if u.random.IntN(3) == 0 {
		c.CallTo = queue.Callback{URL: "https://hooks.example.org/", Secret: "S"}
	}
	if u.random.IntN(4) == 0 {
		for range 2 {
			c.Steps = append(c.Steps, queue.Step{Ref: c.Ref, Attempts: 2, MaxAge: time.Hour})
		}
	}
	u.calls = append(u.calls, c)
	_, err := u.s.PutCall(u.t.Context(), c, tightCalls)
	return "put", err
}

func (u *callUser) take() (string, error) {
	taken, _, err := u.s.TakeCalls(u.t.Context(), "one", 1+u.random.IntN(3), u.soon())
	for _, c := range taken {
		u.leases = append(u.leases, queue.LeaseOf(c))
	}
	return "take", err
}

func (u *callUser) settlement(lease queue.Lease) *queue.Settlement {
	how := &queue.Settlement{Lease: lease, Detail: []byte(`{"status":200}`), Reason: "thrown", Limits: tightCalls}
	outcomes := []queue.Outcome{queue.Done, queue.Done, queue.Fail, queue.Retry, queue.Back, queue.Next}
	if how.Outcome = outcomes[u.random.IntN(6)]; how.Outcome == queue.Next {
		how.Payload = u.text()
	} else if u.random.IntN(2) == 0 {
		how.Result = u.text()
	}
	return how
}

func (u *callUser) settle() (string, error) {
	lease, ok := oneOf(u.random, u.leases)
	if !ok {
		return "nothing", nil
	}
	how := u.settlement(lease)
	_, err := u.s.SettleCall(u.t.Context(), how)
	return "settle " + string(how.Outcome), err
}

func (u *callUser) cancel() (string, error) {
	c, ok := oneOf(u.random, u.calls)
	if !ok {
		return "nothing", nil
	}
	return "cancel", u.s.CancelCall(u.t.Context(), c.Ref, c.ID)
}

func (u *callUser) redrive() (string, error) {
	c, ok := oneOf(u.random, u.calls)
	if !ok {
		return "nothing", nil
	}
	return "redrive", u.s.RedriveCall(u.t.Context(), c.Ref, c.ID)
}

func (u *callUser) tell() (string, error) {
	taken, _, err := u.s.TakeCallbacks(u.t.Context(), "one", 1+u.random.IntN(3), u.soon())
	for _, c := range taken {
		u.told = append(u.told, queue.LeaseOf(c))
	}
	return "take callbacks", err
}

func (u *callUser) endTold() (string, error) {
	lease, ok := oneOf(u.random, u.told)
	if !ok {
		return "nothing", nil
	}
	how := u.settlement(lease)
	how.Result, how.Payload, how.Limits = nil, nil, queue.Limits{}
	if how.Outcome == queue.Next {
		how.Outcome = queue.Fail
	}
	_, err := u.s.SettleCallback(u.t.Context(), how)
	return "settle callback " + string(how.Outcome), err
}

func (u *callUser) redriveTold() (string, error) {
	lease, ok := oneOf(u.random, u.told)
	if !ok {
		return "nothing", nil
	}
	return "redrive callback", u.s.RedriveCallback(u.t.Context(), lease.Ref, lease.ID)
}

func (u *callUser) hold() (string, error) {
	h := &queue.Hold{
		Ref: u.ref(), ID: uuid.Must(uuid.NewV7()).String(), Key: fmt.Sprint("k", u.random.IntN(20)), Print: "p",
		Lease: u.soon(), For: u.soon(),
	}
	found, err := u.s.HoldKey(u.t.Context(), h, tightCalls)
	if found.Existing {
		return "find key", err
	}
	u.holds = append(u.holds, queue.HoldOf{Ref: h.Ref, ID: h.ID})
	return "hold key", err
}

func (u *callUser) endHold() (string, error) {
	h, ok := oneOf(u.random, u.holds)
	if !ok {
		return "nothing", nil
	}
	switch u.random.IntN(4) {
	case 0:
		return "free key", u.s.FreeKey(u.t.Context(), h)
	case 1:
		return "renew key", u.s.RenewKey(u.t.Context(), h, u.soon())
	}
	kept, err := u.s.AnswerKey(u.t.Context(), h, u.text(), tightCalls)
	return fmt.Sprint("answer key ", kept), err
}
