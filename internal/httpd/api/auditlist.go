package api

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"time"

	"github.com/backstage/functions/internal/audit"
	"github.com/backstage/functions/internal/httpd/qs"
	"github.com/backstage/functions/internal/identity"
	"github.com/backstage/functions/internal/outcome"
	"github.com/backstage/functions/sandbox/rawjson"
)

// defaultAuditLimit is how many records one answer has unless the query says it.
const defaultAuditLimit = 100

// auditBytes is about how long a record is in a list.
const auditBytes = 512

// AuditList reads the records that are kept. It must be safe for concurrent use.
type AuditList interface {
	// Audit returns a page of records, the newest first. It returns audit.ErrCursor.
	Audit(ctx context.Context, q audit.Query) (audit.Page, error)
}

// listAudit answers with records of what the caller may administer, the newest first.
func (s *server) listAudit(w http.ResponseWriter, r *http.Request) error {
	q, err := auditQuery(qs.Parse(r.URL.RawQuery), holderOf(r))
	if err != nil {
		return err
	}
	page, err := s.AuditList.Audit(r.Context(), q)
	if err != nil {
		return fmt.Errorf("list audit records: %w", err)
	}
	answer, err := s.rendering.render(r.Context(), len(page.Items)*auditBytes, func() []byte { return auditJSON(page) })
	if err != nil {
		return fmt.Errorf("answer a list of audit records: %w", err)
	}
	w.Header().Set("Cache-Control", "no-store")
	sendSchema(w, r, "audit/list", answer)
	return nil
}

// auditQuery reads limit, before, since, namespace, actor, action and result.
func auditQuery(values *qs.Value, by holder) (q audit.Query, err error) {
	limit, ok := parseInt(textOf(values, "limit"), defaultAuditLimit)
	if !ok || limit < 1 || limit > audit.MaxLimit {
		return q, outcome.BadRequest(fmt.Sprintf("limit must be a number from 1 to %d", audit.MaxLimit))
	}
	f := audit.Filter{
		Namespace: textOf(values, "namespace"), Actor: textOf(values, "actor"),
		Action: textOf(values, "action"), Result: textOf(values, "result"),
	}
	if since := textOf(values, "since"); since != "" {
		if f.Since, err = time.Parse(time.RFC3339, since); err != nil {
			return q, outcome.BadRequest(`since must be a time such as "2026-12-31T23:59:59Z"`)
		}
	}
	if err := checkOneOf("result", audit.Result(f.Result), audit.Results...); err != nil {
		return q, err
	}
	match := func(record audit.Record) bool { return f.Matches(record) && maySee(by, record) }
	return audit.Query{Before: textOf(values, "before"), Limit: limit, Match: match}, nil
}

// maySee says whether the caller may read a record: all that it is about is theirs to administer.
func maySee(by holder, record audit.Record) bool {
	if by.MayIn(identity.Admin, identity.Everywhere) {
		return true
	}
	beyond := func(namespace string) bool { return !by.MayIn(identity.Admin, identity.Pattern(namespace)) }
	return len(record.Namespaces) > 0 && !slices.ContainsFunc(record.Namespaces, beyond)
}

// auditJSON is a page of records. Next is where the page after it begins.
func auditJSON(page audit.Page) []byte {
	o := rawjson.NewObject(nil)
	o.Raw("items", itemsJSON(page.Items, audit.Record.JSON))
	if page.More {
		o.String("next", page.Items[len(page.Items)-1].ID)
	}
	return o.End()
}
