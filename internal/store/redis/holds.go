package redis

import (
	"context"
	"errors"
	"strconv"
	"time"

	"github.com/backstage/functions/internal/function"
	"github.com/backstage/functions/internal/queue"
)

// HoldKey has an idempotency key held.
func (s *Store) HoldKey(ctx context.Context, h *queue.Hold, limits queue.Limits) (found queue.Holding, err error) {
	if err = h.Check(); err == nil && s.tooOld.Load() {
		err = queue.ErrUnsupported
	}
	if err == nil {
		need := amount{calls: 1, bytes: int64(h.Size())}
		try := func(others partTotal, last bool) (refused string, err error) {
			found, refused, err = s.holdKey(ctx, h, limits, others, last)
			return refused, err
		}
		err = s.withinAll(ctx, shardOf(h.Ref.Namespace), limits, need, try)
	}
	return found, at("hold key of "+h.Ref.String(), err)
}

// holdKey holds a key unless that is one too many: see putCall.
func (s *Store) holdKey(
	ctx context.Context, h *queue.Hold, limits queue.Limits, others partTotal, last bool,
) (found queue.Holding, refused string, err error) {
	shard := shardOf(h.Ref.Namespace)
	args := append([]any{
		h.ID, h.Ref.Namespace, h.Key, h.Print, h.Lease.Milliseconds(), h.For.Milliseconds(), h.Size(),
	}, roomArgs(limits, others, last)...)
	answer, err := s.run(ctx, holdKeyScript, []string{s.keys.callPart(shard)}, args...)
	texts := append(textsOf(answer), "", "", "", "")
	switch {
	case err != nil:
		return found, "", err
	case texts[0] == "held":
		return queue.Holding{Existing: true, Print: texts[1]}, "", nil
	case texts[0] == "answered":
		return queue.Holding{Existing: true, Print: texts[1], Answered: true, Answer: []byte(texts[2])}, "", nil
	case texts[0] == "long":
		of := queue.HoldOf{Ref: h.Ref, ID: texts[2]}
		bytes, _ := strconv.ParseInt(texts[3], 10, 64) // the script says so
		return queue.Holding{Existing: true, Print: texts[1], Answered: true, Of: of, Bytes: bytes}, "", nil
	case texts[0] == allFullAnswer && last:
		return found, texts[1], queue.ErrStoreFull
	case texts[0] == allFullAnswer:
		return found, texts[1], nil
	case texts[0] != "new":
		return found, "", queue.ErrFull
	}
	s.totals.note(shard, answer)
	return found, "", nil
}

// KeyAnswer reads the answer of a key.
func (s *Store) KeyAnswer(ctx context.Context, of queue.HoldOf) ([]byte, error) {
	answer, err := s.readAnswer(ctx, of.Ref, of.ID, "")
	return answer, at("key answer "+of.ID, err)
}

// RenewKey has a key held for longer.
func (s *Store) RenewKey(ctx context.Context, of queue.HoldOf, lease time.Duration) error {
	_, _, err := s.changeKey(ctx, of, "renew", lease.Milliseconds())
	return at("renew key "+of.ID, err)
}

// AnswerKey gives a key its answer.
func (s *Store) AnswerKey(
	ctx context.Context, of queue.HoldOf, answer []byte, limits queue.Limits,
) (kept bool, err error) {
	bounds := queue.Limits{}
	if len(answer) > 0 {
		bounds.AllBytes = limits.AllBytes
	}
	try := func(others partTotal, last bool) (refused string, err error) {
		args := append([]any{answer}, roomForArgs(limits, others, last)...)
		did, refused, err := s.changeKey(ctx, of, "answer", args...)
		kept = did == "done"
		return refused, err
	}
	err = s.withinAll(ctx, shardOf(of.Ref.Namespace), bounds, amount{bytes: int64(len(answer))}, try)
	return kept, at("answer key "+of.ID, err)
}

// FreeKey lets go of a key.
func (s *Store) FreeKey(ctx context.Context, of queue.HoldOf) error {
	_, _, err := s.changeKey(ctx, of, "free")
	if errors.Is(err, queue.ErrLost) {
		err = nil
	}
	return at("free key "+of.ID, err)
}

// ForgetKey frees a key whose call has ended. That it is one of ref is part of the key.
func (s *Store) ForgetKey(ctx context.Context, ref function.Ref, key string) error {
	shard := shardOf(ref.Namespace)
	answer, err := s.run(ctx, forgetKeyScript, []string{s.keys.callPart(shard)}, ref.Namespace, key)
	switch texts := append(textsOf(answer), ""); {
	case err != nil:
	case texts[0] == "missing":
		err = queue.ErrNotFound
	case texts[0] == "not settled":
		err = queue.ErrNotSettled
	default:
		s.totals.note(shard, answer)
	}
	return at("forget key of "+ref.String(), err)
}

// changeKey does something to a key that is held, or returns queue.ErrLost. Refused is as for withinAll.
func (s *Store) changeKey(
	ctx context.Context, of queue.HoldOf, what string, args ...any,
) (did, refused string, err error) {
	shard := shardOf(of.Ref.Namespace)
	args = append([]any{of.ID, of.Ref.Namespace, what}, args...)
	answer, err := s.run(ctx, answerKeyScript, []string{s.keys.callPart(shard)}, args...)
	texts := append(textsOf(answer), "", "")
	switch did = texts[0]; did {
	case "lost":
		err = queue.ErrLost
	case allFullAnswer:
		refused = texts[1]
	default:
		s.totals.note(shard, answer)
	}
	return did, refused, err
}
