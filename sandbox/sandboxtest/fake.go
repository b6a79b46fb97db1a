package sandboxtest

import (
	"context"
	"slices"
	"sync"

	"github.com/backstage/functions/sandbox"
)

// Fake stands for a pool where a program takes an interface with Invoke. It refuses what a pool refuses as invalid,
// remembers the other calls and answers them at once. Its zero value answers 200 without a body. It is safe for
// concurrent use.
type Fake struct {
	// Answer says what the call is answered with, nil for the zero value's. It may return any error of Pool.Invoke, such
	// as a *sandbox.FunctionError or sandbox.ErrBusy. It must be set before the first call.
	Answer func(inv *sandbox.Invocation) (*sandbox.Result, error)

	mu    sync.Mutex // guards calls
	calls []*sandbox.Invocation
}

// Invoke answers inv as Answer says, or with the cause of a context that has ended.
func (f *Fake) Invoke(ctx context.Context, inv *sandbox.Invocation) (*sandbox.Result, error) {
	if err := inv.Validate(); err != nil {
		return nil, err
	}
	if ctx.Err() != nil {
		return nil, context.Cause(ctx)
	}
	f.mu.Lock()
	f.calls = append(f.calls, inv)
	f.mu.Unlock()
	if f.Answer == nil {
		return &sandbox.Result{Status: 200}, nil
	}
	return f.Answer(inv)
}

// Calls are those that were made so far, in their order.
func (f *Fake) Calls() []*sandbox.Invocation {
	f.mu.Lock()
	defer f.mu.Unlock()
	return slices.Clone(f.calls)
}
