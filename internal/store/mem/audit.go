package mem

import (
	"context"
	"slices"
	"strconv"
	"time"

	"github.com/backstage/functions/internal/audit"
)

// AppendAudit adds records, and drops what keep does not allow.
func (s *Store) AppendAudit(ctx context.Context, records []audit.Record, keep audit.Keep) error {
	return s.change(ctx, "append audit", func() error {
		for _, r := range records {
			s.audited++
			r.ID = strconv.FormatUint(s.audited, 10)
			s.audit = append(s.audit, r)
		}
		oldest := time.Now().Add(-keep.Age)
		s.audit = slices.DeleteFunc(s.audit, func(r audit.Record) bool { return r.Time.Before(oldest) })
		if len(s.audit) <= keep.Slack() {
			return nil
		}
		groups := make([]string, len(s.audit))
		for i, r := range s.audit {
			groups[i] = r.Group
		}
		drop := audit.Evict(groups, keep.Records)
		kept := make([]audit.Record, 0, keep.Slack())
		for i, r := range s.audit {
			if _, dropped := slices.BinarySearch(drop, i); !dropped {
				kept = append(kept, r)
			}
		}
		s.audit = kept
		return nil
	})
}

// Audit returns a page of records, the newest first.
func (s *Store) Audit(ctx context.Context, q audit.Query) (page audit.Page, err error) {
	err = s.read(ctx, "audit", func() error {
		before := s.audited + 1
		if q.Before != "" {
			if before, err = strconv.ParseUint(q.Before, 10, 64); err != nil {
				return audit.ErrCursor
			}
		}
		for _, r := range slices.Backward(s.audit) {
			if number, _ := strconv.ParseUint(r.ID, 10, 64); number >= before || !q.Matches(r) {
				continue
			}
			if page.More = len(page.Items) == q.Limit; page.More {
				break
			}
			page.Items = append(page.Items, r)
		}
		return nil
	})
	return page, err
}
