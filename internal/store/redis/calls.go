package redis

import (
	"context"
	"crypto/rand"
	"strconv"
	"time"

	"github.com/backstage/functions/internal/function"
	"github.com/backstage/functions/internal/queue"
)

// PutCall adds a call, or finds the one with its idempotency key.
func (s *Store) PutCall(ctx context.Context, spec *queue.Spec, limits queue.Limits) (placed queue.Placed, err error) {
	if err = spec.Check(); err == nil && s.tooOld.Load() {
		err = queue.ErrUnsupported
	}
	if err == nil {
		need := amount{calls: 1, bytes: int64(callSize(spec) + len(spec.Payload))}
		try := func(others partTotal, last bool) (refused string, err error) {
			placed, refused, err = s.putCall(ctx, spec, limits, others, last)
			return refused, err
		}
		err = s.withinAll(ctx, shardOf(spec.Ref.Namespace), limits, need, try)
	}
	return placed, at("put call "+spec.ID, err)
}

// callSize is what a call counts as beside its payload.
func callSize(spec *queue.Spec) int {
	size := queue.Overhead + len(spec.Record())
	if spec.CallTo.URL != "" { // its callback has a record of its own
		size *= 2
	}
	return size
}

// putCall adds a call unless that is one too many. Refused says of what all parts together have too much: err is
// queue.ErrStoreFull then if it is the last try.
func (s *Store) putCall(
	ctx context.Context, spec *queue.Spec, limits queue.Limits, others partTotal, last bool,
) (placed queue.Placed, refused string, err error) {
	shard, attempts, tellFor := shardOf(spec.Ref.Namespace), 0, time.Duration(0)
	if spec.CallTo.URL != "" {
		attempts, tellFor = queue.CallbackAttempts, queue.CallbackMaxAge
	}
	args := append([]any{
		spec.ID, spec.Ref.Namespace, listName(spec.Ref), spec.Record(), spec.Payload, spec.Attempts,
		spec.MaxAge.Milliseconds(), spec.Keep.Milliseconds(), spec.KeepDead.Milliseconds(), spec.Key, spec.Print,
		spec.KeyFor.Milliseconds(), callSize(spec), len(spec.Steps), attempts, tellFor.Milliseconds(),
	}, roomArgs(limits, others, last)...)
	answer, err := s.run(ctx, putCallScript, []string{s.keys.callPart(shard)}, args...)
	texts := append(textsOf(answer), "", "", "")
	switch {
	case err != nil:
		return placed, "", err
	case texts[0] == "there":
		return queue.Placed{ID: texts[1], Existing: true, Print: texts[2]}, "", nil
	case texts[0] == allFullAnswer && last:
		return placed, texts[1], queue.ErrStoreFull
	case texts[0] == allFullAnswer:
		return placed, texts[1], nil
	case texts[0] != "new":
		return placed, "", queue.ErrFull
	}
	s.totals.note(shard, answer)
	return queue.Placed{ID: spec.ID}, "", nil
}

// SettleCall ends a take.
func (s *Store) SettleCall(ctx context.Context, how *queue.Settlement) (status queue.Status, err error) {
	bounds, need := queue.Limits{}, len(how.Result)+len(how.Detail)
	if how.Outcome == queue.Next {
		need += len(how.Payload)
	}
	if len(how.Result) > 0 || how.Outcome == queue.Next && len(how.Payload) > queue.FreeGrowth {
		bounds.AllBytes = how.Limits.AllBytes
	}
	shard := shardOf(how.Ref.Namespace)
	try := func(others partTotal, last bool) (refused string, err error) {
		answer, err := s.settle(ctx, s.keys.callPart(shard), how, others, last)
		texts := append(textsOf(answer), "", "")
		if status = queue.Status(texts[0]); status == allFullAnswer {
			return texts[1], err
		}
		s.totals.note(shard, answer)
		return "", err
	}
	err = s.withinAll(ctx, shard, bounds, amount{bytes: int64(need)}, try)
	switch {
	case err != nil:
	case status == "lost":
		err = queue.ErrLost
	case status == "incomplete":
		err = queue.ErrIncomplete
	}
	if err != nil {
		return "", at("settle call "+how.ID, err)
	}
	return status, nil
}

// settle ends a take in the queue whose keys begin with part. It returns what lua/call_settle.lua answers.
func (s *Store) settle(
	ctx context.Context, part string, how *queue.Settlement, others partTotal, last bool,
) (answer any, err error) {
	args := append([]any{
		how.ID, listName(how.Ref), how.Take, string(how.Outcome), how.Delay.Milliseconds(), how.Detail, how.Reason,
		how.Result, how.Dropped, how.Payload, how.Progress,
	}, roomForArgs(how.Limits, others, last)...)
	return s.run(ctx, settleCallScript, []string{part}, args...)
}

// CancelCall cancels a call.
func (s *Store) CancelCall(ctx context.Context, ref function.Ref, id string) error {
	answer, err := s.run(ctx, cancelCallScript, []string{s.keys.callsOf(ref.Namespace)}, id, listName(ref))
	return at("cancel call "+id, callError(answer, err))
}

// RedriveCall queues a dead or cancelled call again.
func (s *Store) RedriveCall(ctx context.Context, ref function.Ref, id string) error {
	c, err := s.readCall(ctx, ref, id)
	if err != nil {
		return at("redrive call "+id, err)
	}
	answer, err := s.run(ctx, redriveCallScript, []string{s.keys.callsOf(ref.Namespace)},
		id, listName(ref), strconv.FormatInt(c.Current().MaxAge.Milliseconds(), 10), rand.Text())
	return at("redrive call "+id, callError(answer, err))
}

// callError is what a script answers that cannot do what it was asked to.
func callError(answer any, err error) error {
	switch {
	case err != nil:
		return err
	case answer == "missing":
		return queue.ErrNotFound
	case answer == "settled":
		return queue.ErrSettled
	case answer == "not settled":
		return queue.ErrNotSettled
	}
	return nil
}

// textsOf are the texts of an answer that is a list.
func textsOf(answer any) []string {
	list, _ := answer.([]any)
	texts := make([]string, len(list))
	for i, item := range list {
		texts[i], _ = item.(string)
	}
	return texts
}
