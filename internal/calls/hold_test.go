package calls

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/backstage/functions/internal/queue"
)

func (f *flaky) AnswerKey(
	ctx context.Context, of queue.HoldOf, answer []byte, limits queue.Limits,
) (kept bool, err error) {
	if f.away.Load() {
		return false, errAway
	}
	return f.Store.AnswerKey(ctx, of, answer, limits)
}

func (f *flaky) RenewKey(ctx context.Context, of queue.HoldOf, lease time.Duration) error {
	if f.away.Load() || f.noRenewals.Load() {
		return errAway
	}
	return f.Store.RenewKey(ctx, of, lease)
}

func keyOf(id string) *queue.Hold {
	return &queue.Hold{Ref: ref, ID: id, Key: "key", Print: "print", For: time.Hour}
}

// hold has the key held for a call with that ID.
func (r *rig) hold(t *testing.T, id string) *Held {
	t.Helper()
	held, kept, err := r.Hold(t.Context(), keyOf(id), false)
	if err != nil || held == nil {
		t.Fatalf("not held: %+v, %v", kept, err)
	}
	return held
}

// kept is what the key has.
func (r *rig) kept(t *testing.T) *Kept {
	t.Helper()
	held, kept, err := r.Hold(t.Context(), keyOf("another"), false)
	if err != nil || held != nil {
		t.Fatalf("held: %v", err)
	}
	return kept
}

func TestAKeyIsHeldForAsLongAsItsCallRuns(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, nil)
		held := r.hold(t, "1")
		defer held.Lapse()
		time.Sleep(10 * r.Lease)
		if kept := r.kept(t); kept.Ended {
			t.Errorf("it has ended: %+v", kept)
		}
		held.Answer(t.Context(), &Answer{Status: 201, Body: []byte("1")})
		kept := r.kept(t)
		if a := kept.Answer; !kept.Ended || a == nil || a.Status != 201 || string(a.Body) != "1" || kept.Print != "print" {
			t.Errorf("kept is %+v", kept)
		}
		time.Sleep(30 * time.Minute)
		held.Free(t.Context()) // it is not held any more
		if r.kept(t).Answer == nil {
			t.Error("the answer has gone")
		}
		time.Sleep(31 * time.Minute)
		r.hold(t, "2").Free(t.Context())
		r.hold(t, "3").Lapse()
		r.stop()
	})
}

// TestAKeyOfAServerThatIsGoneIsFree has a call whose server cannot renew, and one that nobody ends.
func TestAKeyOfAServerThatIsGoneIsFree(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, nil)
		r.store.noRenewals.Store(true)
		first := r.hold(t, "1")
		time.Sleep(r.Lease + time.Second)
		second := r.hold(t, "2")
		first.Answer(t.Context(), &Answer{Status: 500}) // is told to its caller alone
		if kept := r.kept(t); kept.Ended {
			t.Errorf("kept is %+v", kept)
		}
		second.Lapse()
		time.Sleep(r.Lease + time.Second)
		r.hold(t, "3").Lapse()
		r.stop()
	})
}

func TestAnAnswerWaitsForTheStore(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, nil)
		held := r.hold(t, "1")
		r.store.away.Store(true)
		begun := time.Now()
		held.Answer(t.Context(), &Answer{Status: 200, Body: []byte("1")})
		if waited := time.Since(begun); waited > firstAnswer {
			t.Errorf("its caller has waited for %v", waited)
		}
		time.Sleep(20 * time.Second)
		r.store.away.Store(false)
		time.Sleep(2 * r.Poll)
		if kept := r.kept(t); kept.Answer == nil {
			t.Errorf("kept is %+v", kept)
		}
		r.stop()
	})
}

// TestAStoppingServerDoesNotWaitForTheStore ends one that has an answer which cannot be stored.
func TestAStoppingServerDoesNotWaitForTheStore(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, nil)
		held := r.hold(t, "1")
		r.store.away.Store(true)
		held.Answer(t.Context(), &Answer{Status: 200})
		begun := time.Now()
		r.stop()
		if waited := time.Since(begun); waited > r.Poll {
			t.Errorf("it has waited for %v", waited)
		}
	})
}

func TestAnAnswerThatIsTooLongIsNotKept(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, nil)
		r.hold(t, "1").Answer(t.Context(), &Answer{Status: 200, Bytes: make([]byte, DefaultResultLimit)})
		if kept := r.kept(t); !kept.Ended || kept.Answer != nil {
			t.Errorf("kept is %+v", kept)
		}
		r.stop()
	})
}

// TestGuestsHoldHalfOfTheKeys: whoever needs no key leaves half of the room to those who have one.
func TestGuestsHoldHalfOfTheKeys(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, nil)
		r.Limits = queue.Limits{Calls: 3, Bytes: 1 << 20}
		for i, row := range []struct {
			guest bool
			want  error
		}{{true, nil}, {true, nil}, {true, queue.ErrFull}, {false, nil}, {false, queue.ErrFull}} {
			h := keyOf(string(rune('a' + i)))
			h.Key = h.ID
			held, _, err := r.Hold(t.Context(), h, row.guest)
			if !errors.Is(err, row.want) {
				t.Errorf("%d: %v, want %v", i, err, row.want)
			}
			if held != nil {
				held.Lapse()
			}
		}
		r.stop()
	})
}
