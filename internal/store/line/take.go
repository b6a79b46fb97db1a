package line

import (
	"context"
	"fmt"
	"time"

	"github.com/backstage/functions/internal/queue"
)

// lostDetail is the attempt of a call whose server did not renew its lease.
func lostDetail(c *queue.Call) []byte {
	if len(c.Steps) == 0 {
		return []byte(`{"reason":"` + queue.ReasonLeaseLost + `"}`)
	}
	return fmt.Appendf(nil, `{"step":%d,"reason":"%s"}`, c.Step+1, queue.ReasonLeaseLost)
}

// Take takes calls: see store.Calls.
func (l *Line) Take(
	ctx context.Context, server string, most int, lease time.Duration,
) (taken []*queue.Call, next time.Duration, err error) {
	err = l.change(ctx, func(ch *change) error {
		taken, next, err = ch.take(server, most, lease)
		return err
	})
	if err != nil {
		return nil, 0, err
	}
	return taken, next, nil
}

func (ch *change) take(
	server string, most int, lease time.Duration,
) (taken []*queue.Call, next time.Duration, err error) {
	ch.purge()
	ch.endLost()
	for len(taken) < most {
		c, err := ch.takeNext(server, lease)
		if err != nil {
			return nil, 0, err
		}
		if c == nil {
			break
		}
		taken = append(taken, c)
	}
	return taken, ch.next(), nil
}

// endLost gives calls whose lease has run out to their next attempt.
func (ch *change) endLost() {
	for range maxPurge {
		first, ok := ch.leases.Min()
		if !ok || first.at.After(ch.now) {
			return
		}
		c := ch.edit(first.id)
		ch.failed(c, &queue.Settlement{Outcome: queue.Retry, Detail: lostDetail(c), Reason: queue.ReasonLeaseLost})
	}
}

// takeNext takes the call whose turn it is; nil when none is due. It is of the namespace that has the fewest running,
// and of those the one that was served longest ago.
func (ch *change) takeNext(server string, lease time.Duration) (*queue.Call, error) {
	for {
		ns, ok := ch.turns.active.Min()
		if !ok {
			return nil, nil
		}
		first, _ := ns.due.Min()
		c := ch.edit(first.id)
		if c.Until.Before(ch.now) {
			ch.settle(c, queue.Dead, queue.ReasonMaxAge, &queue.Settlement{})
			continue
		}
		var payload []byte
		if !ch.onCallbacks() {
			var err error
			if payload, err = ch.payload(c.ID); err != nil {
				return nil, err
			}
		}
		c.Status, c.Takes, c.Server = queue.Running, c.Takes+1, server
		c.Taken, c.Lease = ch.now, ch.now.Add(lease)
		ch.put(c, Change{})
		ch.turn++
		ns.turn = ch.turn
		ch.placeLocked(ns)
		given := *c
		given.Payload = payload
		return &given, nil
	}
}

// next is how long nothing changes by itself; 0 when nothing will.
func (ch *change) next() (next time.Duration) {
	for _, moments := range []func() (moment, bool){ch.waiting.Min, ch.leases.Min} {
		if first, ok := moments(); ok {
			if in := max(first.at.Sub(ch.now), time.Millisecond); next == 0 || in < next {
				next = in
			}
		}
	}
	return next
}

// Renew renews leases: see store.Calls.
func (l *Line) Renew(
	ctx context.Context, renewals []queue.Renewal, lease time.Duration,
) (lost []queue.Lease, err error) {
	err = l.change(ctx, func(ch *change) error {
		lost = nil
		for _, r := range renewals {
			if !ch.holds(r.Lease) {
				lost = append(lost, r.Lease)
				continue
			}
			c := ch.edit(r.ID)
			c.Lease = ch.now.Add(lease)
			if len(r.Progress) > 0 {
				c.Progress = append([]byte(nil), r.Progress...)
			}
			ch.put(c, Change{})
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return lost, nil
}

// holds says whether a lease is that of the last take, which nobody has ended. It may have run out: as long as nobody
// noticed it counts.
func (ch *change) holds(l queue.Lease) bool {
	c := ch.foundLocked(l.Ref, l.ID)
	return c != nil && c.Status == queue.Running && c.Takes == l.Take
}
