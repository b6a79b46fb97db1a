package invoke

import "context"

type depthKey struct{}

// WithDepth notes in a context that so many calls of this server wait for what is done in it, each in its worker.
func WithDepth(ctx context.Context, depth int) context.Context {
	return context.WithValue(ctx, depthKey{}, depth)
}

// depthOf is what WithDepth has noted; 0 stands for a call from outside.
func depthOf(ctx context.Context) int {
	depth, _ := ctx.Value(depthKey{}).(int)
	return depth
}
