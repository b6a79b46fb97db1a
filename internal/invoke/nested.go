package invoke

import "context"

// Nesting is what is known of the calls that wait for what a request does; the zero value is that of one from outside.
type Nesting struct {
	// Depth is how many calls of this server there are, each in its worker.
	Depth int
	// Background says that they use what others leave of the processors: see sandbox.Invocation.
	Background bool
}

type nestingKey struct{}

// WithNesting notes n for what is done in a context.
func WithNesting(ctx context.Context, n Nesting) context.Context {
	return context.WithValue(ctx, nestingKey{}, n)
}

// nestingOf is what WithNesting has noted.
func nestingOf(ctx context.Context) Nesting {
	n, _ := ctx.Value(nestingKey{}).(Nesting)
	return n
}
