package redis

import (
	"context"
	"errors"
	"time"

	"github.com/backstage/functions/internal/queue"
)

// HoldKey has an idempotency key held.
func (s *Store) HoldKey(ctx context.Context, h *queue.Hold, limits queue.Limits) (found queue.Holding, err error) {
	if err = h.Check(); err == nil && s.tooOld.Load() {
		err = queue.ErrUnsupported
	}
	if err == nil {
		bounded := limits.AllCalls > 0 || limits.AllBytes > 0
		err = s.withinAll(ctx, shardOf(h.Ref.Namespace), bounded, func(others partTotal, last bool) (bool, error) {
			var full bool
			found, full, err = s.holdKey(ctx, h, limits, others, last)
			return full, err
		})
	}
	return found, at("hold key of "+h.Ref.String(), err)
}

// holdKey holds a key unless that is one too many: see putCall.
func (s *Store) holdKey(
	ctx context.Context, h *queue.Hold, limits queue.Limits, others partTotal, last bool,
) (found queue.Holding, allFull bool, err error) {
	shard := shardOf(h.Ref.Namespace)
	answer, err := s.run(ctx, holdKeyScript, []string{s.keys.callPart(shard)},
		h.ID, h.Ref.Namespace, h.Key, h.Print, h.Lease.Milliseconds(), h.For.Milliseconds(), h.Size(),
		limits.Calls, limits.Bytes, others.calls, others.bytes, limits.AllCalls, limits.AllBytes)
	texts := append(textsOf(answer), "", "", "")
	switch {
	case err != nil:
		return found, false, err
	case texts[0] == "held":
		return queue.Holding{Existing: true, Print: texts[1]}, false, nil
	case texts[0] == "answered":
		return queue.Holding{Existing: true, Print: texts[1], Answered: true, Answer: []byte(texts[2])}, false, nil
	case texts[0] == allFullAnswer && last:
		return found, true, queue.ErrStoreFull
	case texts[0] == allFullAnswer:
		return found, true, nil
	case texts[0] != "new":
		return found, false, queue.ErrFull
	}
	s.totals.noteAnswer(shard, answer)
	return found, false, nil
}

// RenewKey has a key held for longer.
func (s *Store) RenewKey(ctx context.Context, of queue.HoldOf, lease time.Duration) error {
	_, err := s.changeKey(ctx, of, "renew", lease.Milliseconds())
	return at("renew key "+of.ID, err)
}

// AnswerKey gives a key its answer.
func (s *Store) AnswerKey(
	ctx context.Context, of queue.HoldOf, answer []byte, limits queue.Limits,
) (kept bool, err error) {
	bounded := limits.AllBytes > 0 && len(answer) > 0
	err = s.withinAll(ctx, shardOf(of.Ref.Namespace), bounded, func(others partTotal, last bool) (bool, error) {
		when := ""
		if last {
			when = "last"
		}
		did, err := s.changeKey(ctx, of, "answer", answer, limits.Bytes, others.bytes, limits.AllBytes, when)
		kept = did == "done"
		return did == allFullAnswer, err
	})
	return kept, at("answer key "+of.ID, err)
}

// FreeKey lets go of a key.
func (s *Store) FreeKey(ctx context.Context, of queue.HoldOf) error {
	_, err := s.changeKey(ctx, of, "free")
	if errors.Is(err, queue.ErrLost) {
		err = nil
	}
	return at("free key "+of.ID, err)
}

// changeKey does something to a key that is held, or returns queue.ErrLost.
func (s *Store) changeKey(ctx context.Context, of queue.HoldOf, what string, args ...any) (did string, err error) {
	args = append([]any{of.ID, of.Ref.Namespace, what}, args...)
	answer, err := s.run(ctx, answerKeyScript, []string{s.keys.callsOf(of.Ref.Namespace)}, args...)
	if did, _ = answer.(string); err == nil && did == "lost" {
		err = queue.ErrLost
	}
	return did, err
}
