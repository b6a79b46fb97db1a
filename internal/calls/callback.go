package calls

import (
	"context"

	"github.com/backstage/functions/internal/function"
	"github.com/backstage/functions/internal/queue"
)

// Callback returns the record of the callback of a settled call, or queue.ErrNotFound.
func (e *Engine) Callback(ctx context.Context, ref function.Ref, id string) (*queue.Call, error) {
	return e.Queue.GetCallback(ctx, ref, id)
}

// RedriveCallback queues a dead callback again.
func (e *Engine) RedriveCallback(ctx context.Context, ref function.Ref, id string) error {
	if err := e.Queue.RedriveCallback(ctx, ref, id); err != nil {
		return err
	}
	e.Ended()
	return nil
}
