package store

import (
	"context"

	"github.com/backstage/functions/internal/audit"
	"github.com/backstage/functions/internal/function"
	"github.com/backstage/functions/internal/store/hook"
)

// Audit keeps records of writes and refusals.
type Audit interface {
	// AppendAudit adds records in their order, and drops those that are older than keep says, or too many: see
	// audit.Evict. Without records it only drops.
	AppendAudit(ctx context.Context, records []audit.Record, keep audit.Keep) error
	// Audit returns a page of records, the newest first, with their IDs. It returns audit.ErrCursor.
	Audit(ctx context.Context, q audit.Query) (audit.Page, error)
}

// auditing is Audit whose operations call hooks.
type auditing struct{ guarded hook.Guarded[Audit] }

func (s auditing) AppendAudit(ctx context.Context, records []audit.Record, keep audit.Keep) error {
	return s.guarded.Do(ctx, write("append audit", function.Change{}), func(ctx context.Context, to Audit) error {
		return to.AppendAudit(ctx, records, keep)
	})
}

func (s auditing) Audit(ctx context.Context, q audit.Query) (audit.Page, error) {
	return hook.Value(ctx, s.guarded, read("audit"), func(ctx context.Context, to Audit) (audit.Page, error) {
		return to.Audit(ctx, q)
	})
}
