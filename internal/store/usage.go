package store

import (
	"context"
	"time"

	"github.com/backstage/functions/internal/store/hook"
	"github.com/backstage/functions/internal/usage"
)

// Usage shows what was used.
type Usage interface {
	// Usage returns what a subject used in each hour from the one of from to the one before to, those without any left
	// out, the first one first.
	Usage(ctx context.Context, s usage.Subject, from, to time.Time) ([]usage.Record, error)
}

// Metering keeps what was used, and the buckets of the rates that servers share.
type Metering interface {
	// AddUsage adds a batch and returns the totals of its days. After an error a part of it may have been added; it can be
	// sent again. Days that are older than the batch keeps them are removed.
	AddUsage(ctx context.Context, b usage.Batch) (usage.Totals, error)
	// TakeTokens takes tokens of buckets, which are full at first, and returns what each Take got.
	TakeTokens(ctx context.Context, takes []usage.Take) ([]usage.Grant, error)
}

// used is Usage whose operation calls hooks.
type used struct{ guarded hook.Guarded[Usage] }

func (s used) Usage(ctx context.Context, of usage.Subject, from, to time.Time) ([]usage.Record, error) {
	return hook.Value(ctx, s.guarded, read("usage"), func(ctx context.Context, store Usage) ([]usage.Record, error) {
		return store.Usage(ctx, of, from, to)
	})
}
