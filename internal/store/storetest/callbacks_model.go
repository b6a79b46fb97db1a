package storetest

import (
	"errors"
	"math/rand/v2"
	"strconv"
	"testing"
	"time"

	"github.com/backstage/functions/internal/queue"
)

// modelCallback is what the model knows of a callback: Status is that which the record of its call shows, running says
// that it is taken.
type modelCallback struct {
	spec        *queue.Spec
	status      queue.Status
	running     bool
	takes, used int
	old         []queue.Lease // all that were given
}

// testCallbacksBehaveAsTheirModel does random things, one after the other, to the store and to a model of a few lines.
func testCallbacksBehaveAsTheirModel(t *testing.T, s Store) {
	random := rand.New(rand.NewPCG(9, 9))
	var all []*modelCallback
	byID := map[string]*modelCallback{}
	pick := func() *modelCallback { return all[random.IntN(len(all))] }
	want := func(what string, m *modelCallback, err, wanted error) {
		t.Helper()
		if !errors.Is(err, wanted) {
			t.Fatalf("%s of a callback that is %q (running: %v): %v, want %v", what, m.status, m.running, err, wanted)
		}
	}
	steps := map[string]func(){
		"end": func() {
			c := telling("n" + strconv.Itoa(random.IntN(3)))
			putCall(t, s, c)
			wantNoError(t, s.CancelCall(t.Context(), c.Ref, c.ID))
			m := &modelCallback{spec: c, status: queue.Queued}
			all, byID[c.ID] = append(all, m), m
		},
		"end again": func() {
			m := pick()
			wantNoError(t, s.RedriveCall(t.Context(), m.spec.Ref, m.spec.ID))
			wantNoError(t, s.CancelCall(t.Context(), m.spec.Ref, m.spec.ID))
			m.status, m.running, m.used = queue.Queued, false, 0
		},
		"take": func() {
			taken, _, err := s.TakeCallbacks(t.Context(), "one", 1+random.IntN(2), time.Hour)
			wantNoError(t, err)
			for _, c := range taken {
				m := byID[c.ID]
				if m.status != queue.Queued || m.running || c.Takes != m.takes+1 || c.Used != m.used {
					t.Fatalf("took %+v, the model has %+v", c, m)
				}
				m.running, m.takes = true, c.Takes
				m.old = append(m.old, queue.LeaseOf(c))
			}
		},
		"settle": func() {
			m := pick()
			if len(m.old) == 0 {
				return
			}
			lease := m.old[random.IntN(len(m.old))]
			outcome := []queue.Outcome{queue.Done, queue.Fail, queue.Retry, queue.Back}[random.IntN(4)]
			_, err := s.SettleCallback(t.Context(), &queue.Settlement{Lease: lease, Outcome: outcome})
			if !m.running || lease.Take != m.takes {
				if lease.Take == m.takes && err == nil {
					return // the very settlement once more: a store may accept that, and change nothing
				}
				want("settling", m, err, queue.ErrLost)
				return
			}
			want("settling", m, err, nil)
			m.settle(outcome)
		},
		"redrive": func() {
			m := pick()
			err := s.RedriveCallback(t.Context(), m.spec.Ref, m.spec.ID)
			if m.status != queue.Dead {
				want("redriving", m, err, queue.ErrNotSettled)
				return
			}
			want("redriving", m, err, nil)
			m.status, m.used = queue.Queued, 0
		},
	}
	names := []string{"end", "end again", "take", "take", "settle", "settle", "settle", "redrive"}
	steps["end"]()
	for range 300 {
		steps[names[random.IntN(len(names))]]()
	}
	var counted queue.Stats
	for _, m := range all {
		told, err := s.GetCallback(t.Context(), m.spec.Ref, m.spec.ID)
		wantNoError(t, err)
		shown := getCall(t, s, m.spec.Ref, m.spec.ID).Callback
		if shown != m.status || told.Takes != m.takes || told.Used != m.used || (told.Status == queue.Running) != m.running {
			t.Errorf("%s: shown is %s, told %+v; the model has %+v", m.spec.ID, shown, told, m)
		}
		switch {
		case m.running:
			counted.Running++
		case m.status == queue.Queued:
			counted.Queued++
		case m.status == queue.Dead:
			counted.Dead++
		}
	}
	stats, err := s.CallbackStats(t.Context())
	stats.Overdue = 0
	if err != nil || stats != counted {
		t.Errorf("counted %+v, %v; the model has %+v", stats, err, counted)
	}
}

func (m *modelCallback) settle(outcome queue.Outcome) {
	m.running = false
	if outcome != queue.Back {
		m.used++
	}
	switch {
	case outcome == queue.Done:
		m.status = queue.Succeeded
	case outcome == queue.Fail, outcome == queue.Retry && m.used >= queue.CallbackAttempts:
		m.status = queue.Dead
	}
}
