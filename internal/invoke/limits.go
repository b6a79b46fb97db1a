package invoke

import (
	"context"

	"github.com/backstage/functions/internal/function"
	"github.com/backstage/functions/internal/limits"
	"github.com/backstage/functions/sandbox"
)

// Limits holds calls to rates and quotas, and counts what they use; *limits.Limiter is one. It must be safe for
// concurrent use.
type Limits interface {
	// Allowed returns why nothing of a namespace may run.
	Allowed(namespace string) error
	Begin(ctx context.Context, c limits.Call) (limits.Running, error)
}

// unlimited is Limits that let everything begin and count nothing.
type unlimited struct{}

func (unlimited) Allowed(string) error { return nil }
func (unlimited) Begin(context.Context, limits.Call) (limits.Running, error) {
	return limits.Running{}, nil
}

// admit has the pool run inv, unless a limit is against it.
func (v *Invoker) admit(
	ctx context.Context, f *function.Function, call *Call, inv *sandbox.Invocation,
) (*sandbox.Result, error) {
	running, err := v.limits.Begin(ctx, limits.Call{ID: inv.ID, Key: call.Key, Function: f, Standing: call.Standing})
	if err != nil {
		v.refused(err)
		return nil, err
	}
	token, err := v.limiter.acquire(f)
	if err != nil {
		running.Refused()
		v.refused(err)
		return nil, err
	}
	defer v.limiter.release(token)
	result, err := v.pool.Invoke(ctx, inv)
	if stats := StatsOf(result, err); stats.Start != "" {
		running.Done(stats.CPU, inv.Memory, stats.Run)
	} else {
		running.Refused()
	}
	return result, err
}
