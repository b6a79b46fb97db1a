package storetest

import (
	"errors"
	"math/rand/v2"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/backstage/functions/internal/function"
	"github.com/backstage/functions/internal/queue"
)

// testRandomTakersSettleEachCallOnce has takers that die with calls, sleep past their leases and settle late. Each call
// is settled once, and none is missing.
func testRandomTakersSettleEachCallOnce(t *testing.T, s Store) {
	const calls, takers = 120, 4
	refs := map[string]function.Ref{}
	for i := range calls {
		c := spec("n" + strconv.Itoa(i%5))
		c.Attempts = 1 << 20 // nothing dies here
		refs[putCall(t, s, c)] = c.Ref
	}
	var mu sync.Mutex // guards what follows
	settled, lost := map[string]int{}, 0
	deadline := time.Now().Add(patience)
	var wg sync.WaitGroup
	for taker := range takers {
		random := rand.New(rand.NewPCG(1, uint64(taker)))
		wg.Go(func() {
			for {
				mu.Lock()
				all := len(settled)
				mu.Unlock()
				if all == calls || time.Now().After(deadline) {
					return
				}
				lease := time.Hour
				if random.IntN(3) == 0 {
					lease = time.Millisecond
				}
				taken, _, err := s.TakeCalls(t.Context(), strconv.Itoa(taker), 1+random.IntN(3), lease)
				if err != nil {
					t.Error(err)
					return
				}
				for _, c := range taken {
					if lease < time.Hour && random.IntN(2) == 0 {
						continue // it dies
					}
					how := &queue.Settlement{Lease: queue.LeaseOf(c), Outcome: queue.Done}
					_, err := s.SettleCall(t.Context(), how)
					mu.Lock()
					switch {
					case err == nil:
						settled[c.ID]++
					case errors.Is(err, queue.ErrLost):
						lost++
					default:
						t.Error(err)
					}
					mu.Unlock()
				}
			}
		})
	}
	wg.Wait()
	for id, r := range refs {
		if settled[id] != 1 {
			t.Errorf("%s was settled %d times", id, settled[id])
		}
		if got := getCall(t, s, r, id); got.Status != queue.Succeeded {
			t.Errorf("%s is %s", id, got.Status)
		}
	}
	t.Logf("%d settlements came too late", lost)
}

// modelCall is what the model knows of a call.
type modelCall struct {
	spec   *queue.Spec
	status queue.Status
	takes  int
	used   int
	step   int
	old    []queue.Lease // all that were given
}

// testTheQueueBehavesAsItsModel does random things, one after the other, to the store and to a model of a few lines.
func testTheQueueBehavesAsItsModel(t *testing.T, s Store) {
	random := rand.New(rand.NewPCG(7, 7))
	var all []*modelCall
	byID := map[string]*modelCall{}
	want := func(what string, m *modelCall, err, wanted error) {
		t.Helper()
		if !errors.Is(err, wanted) {
			t.Fatalf("%s of a call that is %s: %v, want %v", what, m.status, err, wanted)
		}
	}
	steps := map[string]func(){
		"put": func() {
			c := spec("n" + strconv.Itoa(random.IntN(3)))
			if c.Attempts = 1 + random.IntN(3); random.IntN(2) == 0 {
				c = pipeline(c.Ref.Namespace, 1+random.IntN(3))
			}
			putCall(t, s, c)
			m := &modelCall{spec: c, status: queue.Queued}
			all, byID[c.ID] = append(all, m), m
		},
		"take": func() {
			taken, _, err := s.TakeCalls(t.Context(), "one", 1+random.IntN(2), time.Hour)
			wantNoError(t, err)
			for _, c := range taken {
				m := byID[c.ID]
				if m.status != queue.Queued || c.Takes != m.takes+1 || c.Used != m.used || c.Step != m.step {
					t.Fatalf("took %+v, the model has %+v", c, m)
				}
				m.status, m.takes = queue.Running, c.Takes
				m.old = append(m.old, queue.LeaseOf(c))
			}
		},
		"settle": func() {
			m := all[random.IntN(len(all))]
			if len(m.old) == 0 {
				return
			}
			lease := m.old[random.IntN(len(m.old))]
			outcome := []queue.Outcome{queue.Done, queue.Fail, queue.Retry, queue.Back, queue.Next}[random.IntN(5)]
			if outcome == queue.Next && m.step+1 >= len(m.spec.Steps) {
				outcome = queue.Done
			}
			valid := m.status == queue.Running && lease.Take == m.takes
			_, err := s.SettleCall(t.Context(), &queue.Settlement{Lease: lease, Outcome: outcome})
			if !valid {
				if lease.Take == m.takes && err == nil && m.status != queue.Cancelled {
					return // the very settlement once more: a store may accept that, and change nothing
				}
				want("settling", m, err, queue.ErrLost)
				return
			}
			want("settling", m, err, nil)
			m.settle(outcome)
		},
		"cancel": func() {
			m := all[random.IntN(len(all))]
			err := s.CancelCall(t.Context(), m.spec.Ref, m.spec.ID)
			switch m.status {
			case queue.Succeeded:
				want("cancelling", m, err, queue.ErrSettled)
			default:
				want("cancelling", m, err, nil)
				m.status = queue.Cancelled
			}
		},
		"redrive": func() {
			m := all[random.IntN(len(all))]
			err := s.RedriveCall(t.Context(), m.spec.Ref, m.spec.ID)
			if m.status != queue.Dead && m.status != queue.Cancelled {
				want("redriving", m, err, queue.ErrNotSettled)
				return
			}
			want("redriving", m, err, nil)
			m.status, m.used = queue.Queued, 0
		},
	}
	names := []string{"put", "take", "take", "settle", "settle", "settle", "cancel", "redrive"}
	steps["put"]()
	for range 400 {
		steps[names[random.IntN(len(names))]]()
	}
	for _, m := range all {
		got := getCall(t, s, m.spec.Ref, m.spec.ID)
		if got.Status != m.status || got.Takes != m.takes || got.Used != m.used ||
			got.Step != m.step {
			t.Errorf("%s is %s after %d takes, %d used; the model has %s, %d, %d",
				m.spec.ID, got.Status, got.Takes, got.Used, m.status, m.takes, m.used)
		}
	}
}

func (m *modelCall) settle(outcome queue.Outcome) {
	attempts := m.spec.Attempts
	if m.step < len(m.spec.Steps) {
		attempts = m.spec.Steps[m.step].Attempts
	}
	if outcome != queue.Back {
		m.used++
	}
	switch {
	case outcome == queue.Next:
		m.status, m.used, m.step = queue.Queued, 0, m.step+1
	case outcome == queue.Done:
		m.status = queue.Succeeded
	case outcome == queue.Fail, outcome == queue.Retry && m.used >= attempts:
		m.status = queue.Dead
	default:
		m.status = queue.Queued
	}
}
