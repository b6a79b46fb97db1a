package redis

import (
	"context"
	"fmt"

	"github.com/redis/go-redis/v9"

	"github.com/backstage/functions/internal/audit"
	"github.com/backstage/functions/internal/function"
)

// The records of writes and refusals are one stream, each with its group.

// auditBatch is how many records are read at once.
const auditBatch = 500

// AppendAudit adds records, and drops what keep does not allow.
func (s *Store) AppendAudit(ctx context.Context, records []audit.Record, keep audit.Keep) error {
	args := []any{keep.Age.Milliseconds(), keep.Records, keep.Slack() - keep.Records}
	for _, r := range records {
		args = append(args, r.Group, r.JSON())
	}
	_, err := s.run(ctx, auditScript, []string{s.keys.audit()}, args...)
	return at("append audit", err)
}

// Audit returns a page of records, the newest first. A record that cannot be read is left out.
func (s *Store) Audit(ctx context.Context, q audit.Query) (page audit.Page, err error) {
	before := "+"
	if q.Before != "" {
		c, err := function.ParseLogCursor(q.Before)
		if err != nil {
			return page, at("audit", audit.ErrCursor)
		}
		before = beforeOf(c)
	}
	for before != "" && !page.More && err == nil {
		before, err = s.readAudit(ctx, q, before, &page)
	}
	return page, at("audit", err)
}

// beforeOf is the last place of a stream before c; empty if there is none.
func beforeOf(c function.LogCursor) string {
	switch {
	case c.Seq > 0:
		return function.LogCursor{Millis: c.Millis, Seq: c.Seq - 1}.String()
	case c.Millis > 0:
		return fmt.Sprint(c.Millis - 1) // Redis takes the last place of that time
	}
	return ""
}

// readAudit adds to page what matches of the next batch, and returns where the one after it begins.
func (s *Store) readAudit(ctx context.Context, q audit.Query, from string, page *audit.Page) (next string, err error) {
	var found *redis.XMessageSliceCmd
	err = read(ctx, s.client, func(p redis.Pipeliner) {
		found = p.XRevRangeN(ctx, s.keys.audit(), from, "-", auditBatch)
	})
	for _, m := range found.Val() {
		text, _ := m.Values["r"].(string)
		r, unread := audit.Parse([]byte(text))
		r.ID = m.ID
		if unread != nil || !q.Matches(r) {
			continue
		}
		if page.More = len(page.Items) == q.Limit; page.More {
			return "", nil
		}
		page.Items = append(page.Items, r)
	}
	if messages := found.Val(); len(messages) == auditBatch {
		c, _ := function.ParseLogCursor(messages[auditBatch-1].ID)
		next = beforeOf(c)
	}
	return next, err
}
