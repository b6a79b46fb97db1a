package recent

import (
	"context"

	"github.com/backstage/functions/internal/function"
	"github.com/backstage/functions/internal/queue"
)

// Kept has the operations of a store on its Records. A store embeds it. It is safe for concurrent use.
type Kept struct {
	records *Records
	do      Doer
}

// Doer runs an operation of a store unless the store is closed. Its error says the operation that it is of.
type Doer func(ctx context.Context, operation string, what func() error) error

// KeptOf returns the operations on Records, each of which runs by do.
func KeptOf(records *Records, do Doer) Kept { return Kept{records, do} }

// AppendKept adds records.
func (k Kept) AppendKept(ctx context.Context, records []*queue.Kept, limits queue.KeptLimits) error {
	return k.do(ctx, "append kept calls", func() error { return k.records.Append(ctx, records, limits) })
}

// GetKept returns a record.
func (k Kept) GetKept(ctx context.Context, ref function.Ref, id string) (found *queue.Kept, err error) {
	err = k.do(ctx, "get kept call", func() error {
		found, err = k.records.Get(ctx, ref, id)
		return err
	})
	return found, err
}

// ListKept returns a page of the records of a function.
func (k Kept) ListKept(ctx context.Context, q *queue.Query) (page queue.KeptPage, err error) {
	err = k.do(ctx, "list kept calls", func() error {
		page, err = k.records.List(ctx, q)
		return err
	})
	return page, err
}
