package redis

import (
	"context"
	"crypto/rand"
	"strconv"

	"github.com/backstage/functions/internal/function"
	"github.com/backstage/functions/internal/queue"
)

// PutCall adds a call, or finds the one with its idempotency key.
func (s *Store) PutCall(ctx context.Context, spec *queue.Spec, limits queue.Limits) (queue.Placed, error) {
	placed, err := s.putCall(ctx, spec, limits)
	return placed, at("put call "+spec.ID, err)
}

func (s *Store) putCall(ctx context.Context, spec *queue.Spec, limits queue.Limits) (placed queue.Placed, err error) {
	if err := spec.Check(); err != nil {
		return placed, err
	}
	record := spec.Record()
	answer, err := s.run(ctx, putCallScript, []string{s.keys.callsOf(spec.Ref.Namespace)},
		spec.ID, spec.Ref.Namespace, listName(spec.Ref), record, spec.Payload, spec.Attempts,
		spec.MaxAge.Milliseconds(), spec.Keep.Milliseconds(), spec.KeepDead.Milliseconds(), spec.Key, spec.Print,
		spec.KeyFor.Milliseconds(), limits.Calls, limits.Bytes, queue.Overhead+len(record))
	if err != nil {
		return placed, err
	}
	texts := textsOf(answer)
	switch {
	case len(texts) == 3:
		return queue.Placed{ID: texts[1], Existing: true, Print: texts[2]}, nil
	case len(texts) == 1 && texts[0] == "new":
		return queue.Placed{ID: spec.ID}, nil
	}
	return placed, queue.ErrFull
}

// SettleCall ends a take.
func (s *Store) SettleCall(ctx context.Context, how *queue.Settlement) (queue.Status, error) {
	answer, err := s.run(ctx, settleCallScript, []string{s.keys.callsOf(how.Ref.Namespace)},
		how.ID, listName(how.Ref), how.Take, string(how.Outcome), how.Delay.Milliseconds(), how.Detail, how.Reason,
		how.Result)
	status, _ := answer.(string)
	if err == nil && status == "lost" {
		err = queue.ErrLost
	}
	if err != nil {
		return "", at("settle call "+how.ID, err)
	}
	return queue.Status(status), nil
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
		id, listName(ref), strconv.FormatInt(c.MaxAge.Milliseconds(), 10), rand.Text())
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
