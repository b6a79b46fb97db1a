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
		bounded := limits.AllCalls > 0 || limits.AllBytes > 0
		err = s.withinAll(ctx, shardOf(spec.Ref.Namespace), bounded, func(others partTotal, last bool) (bool, error) {
			var full bool
			placed, full, err = s.putCall(ctx, spec, limits, others, last)
			return full, err
		})
	}
	return placed, at("put call "+spec.ID, err)
}

// putCall adds a call unless that is one too many. AllFull says that all parts together have too many: err is
// queue.ErrStoreFull then if it is the last try.
func (s *Store) putCall(
	ctx context.Context, spec *queue.Spec, limits queue.Limits, others partTotal, last bool,
) (placed queue.Placed, allFull bool, err error) {
	record, shard := spec.Record(), shardOf(spec.Ref.Namespace)
	size, attempts, tellFor := queue.Overhead+len(record), 0, time.Duration(0)
	if spec.CallTo.URL != "" { // its callback has a record of its own
		size, attempts, tellFor = 2*size, queue.CallbackAttempts, queue.CallbackMaxAge
	}
	answer, err := s.run(ctx, putCallScript, []string{s.keys.callPart(shard)},
		spec.ID, spec.Ref.Namespace, listName(spec.Ref), record, spec.Payload, spec.Attempts,
		spec.MaxAge.Milliseconds(), spec.Keep.Milliseconds(), spec.KeepDead.Milliseconds(), spec.Key, spec.Print,
		spec.KeyFor.Milliseconds(), limits.Calls, limits.Bytes, size,
		others.calls, others.bytes, limits.AllCalls, limits.AllBytes, len(spec.Steps), attempts, tellFor.Milliseconds())
	texts := append(textsOf(answer), "", "", "")
	switch {
	case err != nil:
		return placed, false, err
	case texts[0] == "there":
		return queue.Placed{ID: texts[1], Existing: true, Print: texts[2]}, false, nil
	case texts[0] == allFullAnswer && last:
		return placed, true, queue.ErrStoreFull
	case texts[0] == allFullAnswer:
		return placed, true, nil
	case texts[0] != "new":
		return placed, false, queue.ErrFull
	}
	s.totals.noteAnswer(shard, answer)
	return queue.Placed{ID: spec.ID}, false, nil
}

// SettleCall ends a take.
func (s *Store) SettleCall(ctx context.Context, how *queue.Settlement) (status queue.Status, err error) {
	bounded := how.Limits.AllBytes > 0 && len(how.Result) > 0
	err = s.withinAll(ctx, shardOf(how.Ref.Namespace), bounded, func(others partTotal, last bool) (bool, error) {
		status, err = s.settle(ctx, s.keys.callsOf(how.Ref.Namespace), how, others, last)
		return status == allFullAnswer, err
	})
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

// allFullAnswer is what a script answers that has done nothing for lack of room in all parts.
const allFullAnswer = "all full"

// settle ends a take in the queue whose keys begin with part.
func (s *Store) settle(
	ctx context.Context, part string, how *queue.Settlement, others partTotal, last bool,
) (queue.Status, error) {
	when := ""
	if last {
		when = "last"
	}
	answer, err := s.run(ctx, settleCallScript, []string{part},
		how.ID, listName(how.Ref), how.Take, string(how.Outcome), how.Delay.Milliseconds(), how.Detail, how.Reason,
		how.Result, how.Dropped, how.Limits.Bytes, others.bytes, how.Limits.AllBytes, when, how.Payload)
	status, _ := answer.(string)
	return queue.Status(status), err
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
