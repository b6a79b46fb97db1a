package calls

import (
	"context"
	"errors"

	"github.com/backstage/functions/internal/function"
	"github.com/backstage/functions/internal/queue"
)

// Many may ask for long answers at the same time, even for the same one. Each takes memory before it is read, which is
// given back when it begins to be sent: what is being sent is bounded by those who send. Namespaces share the memory.
// Short answers take none, and wait for nobody.

const (
	// answersAtATime is how many of the longest answers fit.
	answersAtATime = 4
	// readsAtATime is how many long ones are read at a time, however long: each keeps a connection of the store busy.
	readsAtATime = 8
	// barelyLong is the length up to which an answer holds nothing once it is read: package connections may write it as a
	// short one, beside a buffer of net/http and its headers, and would not tell that it is being sent. A caller that
	// reads nothing would hold up others for HTTP_WRITE_TIMEOUT.
	barelyLong = queue.ShortAnswer + 8<<10
)

// answerMemory is the memory of long answers, in bytes.
func answerMemory(o *Options) int64 {
	return answersAtATime * int64(max(o.ResultLimit, o.KeptLimit, queue.ShortAnswer))
}

// readLong reads an answer of so many bytes once there is memory for it. Its error is that of read, or the cause of the
// end of ctx.
func (e *Engine) readLong(
	ctx context.Context, ref function.Ref, bytes int64, read func() ([]byte, error),
) (*Answer, error) {
	give := func() {}
	if bytes > queue.ShortAnswer {
		var err error
		least := answerMemory(&e.Options) / readsAtATime
		if give, err = e.answers.Take(ctx, ref.Namespace, max(bytes, least)); err != nil {
			return nil, err
		}
	}
	text, err := read()
	if err != nil {
		give()
		return nil, err
	}
	a, err := decodeAnswer(text)
	if err != nil || len(text) <= barelyLong {
		give()
		return a, err
	}
	a.release = give
	return a, nil
}

// Result returns the answer of a call, or queue.ErrNotFound. It may wait for others: see Answer.Release.
func (e *Engine) Result(ctx context.Context, ref function.Ref, id string) (*Answer, error) {
	c, err := e.Queue.GetCall(ctx, ref, id)
	if err != nil {
		return nil, err
	}
	if !c.HasResult {
		return nil, queue.ErrNotFound
	}
	return e.readLong(ctx, ref, c.ResultBytes, func() ([]byte, error) { return e.Queue.CallResult(ctx, ref, id) })
}

// keptAnswer is the answer of a key that another call held before; nil for none.
func (e *Engine) keptAnswer(ctx context.Context, found *queue.Holding) (*Answer, error) {
	if found.Bytes <= queue.ShortAnswer {
		if len(found.Answer) == 0 {
			return nil, nil
		}
		return decodeAnswer(found.Answer)
	}
	a, err := e.readLong(ctx, found.Of.Ref, found.Bytes, func() ([]byte, error) {
		return e.Queue.KeyAnswer(ctx, found.Of)
	})
	if errors.Is(err, queue.ErrNotFound) { // it has expired just now
		err = nil
	}
	return a, err
}
