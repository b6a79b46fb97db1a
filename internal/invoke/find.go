package invoke

import (
	"cmp"
	"context"
	"time"

	"github.com/backstage/functions/internal/function"
)

// Found is a function as Find has met it. The zero value is none.
type Found struct {
	// Function must not be changed; nil for none.
	Function *function.Function
	// Took is how long it took to find it, or to learn that it is not to be had.
	Took time.Duration

	entry   *entry
	at      time.Time // when it was found
	changes uint64    // that the cache had seen when it was looked for
}

// Body says how the function wants the body of its request: function.BodyJSON, BodyRaw or BodyAuto.
func (f Found) Body() string {
	if f.Function == nil {
		return function.BodyJSON
	}
	return cmp.Or(valueOf(f.Function.Options.Body), function.BodyJSON)
}

// CORS says which pages of other sites may call the function; nil for none.
func (f Found) CORS() *function.CORS {
	if f.Function == nil || f.Function.Options.CORS == nil || len(f.Function.Options.CORS.Origins) == 0 {
		return nil
	}
	return f.Function.Options.CORS
}

// WebSocket says how the server holds WebSocket connections for the function; nil where it does not.
func (f Found) WebSocket() *function.WebSocket {
	if f.Function == nil || f.Function.Options.WebSocket == nil || !f.Function.Options.WebSocket.On {
		return nil
	}
	return f.Function.Options.WebSocket
}

// Access says who may run the function: function.AccessPublic, AccessJWT or AccessKey.
func (f Found) Access() string {
	if f.Function == nil {
		return function.AccessKey
	}
	return f.Function.Options.AccessOr()
}

// HoldsKeys says whether idempotency keys count for calls whose callers wait.
func (f Found) HoldsKeys() bool {
	return f.Function != nil && valueOf(f.Function.Options.Idempotency) == function.IdempotencySync
}

// LearnsCaller says whether the function learns who calls it.
func (f Found) LearnsCaller() bool { return f.Function != nil && f.Function.Options.LearnsCaller() }

// LearnsPath says whether the function learns the path and more of the HTTP request, however it is reached: one with
// the globals of the web platform does, one that takes bytes, and one with WebSocket connections.
func (f Found) LearnsPath() bool {
	return f.Body() != function.BodyJSON || f.WebSocket() != nil || f.Function != nil && isWeb(&f.Function.Options)
}

// Find returns the function of a call that is about to be made, for those who must know its options before they read
// the request. Put what it returns into Call.Found. Its errors are those of Run; with one, Found has Took alone.
func (v *Invoker) Find(ctx context.Context, ref function.Ref) (Found, error) {
	start := time.Now()
	e, changes, err := v.cache.find(ctx, ref)
	if err != nil {
		return Found{Took: time.Since(start)}, err
	}
	at := time.Now()
	return Found{Function: e.fn, entry: e, at: at, Took: at.Sub(start), changes: changes}, nil
}

// entryOf is the function of ref, and how long it took to find it. What was found before is used if it may be still:
// the request may have taken long to arrive.
func (v *Invoker) entryOf(ctx context.Context, ref function.Ref, found Found) (*entry, time.Duration, error) {
	if found.entry != nil && found.Function.Ref == ref && v.cache.stillTrusted(&found) {
		return found.entry, found.Took, nil
	}
	start := time.Now()
	e, err := v.cache.get(ctx, ref)
	return e, time.Since(start), err
}
