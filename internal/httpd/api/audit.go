package api

import (
	"context"
	"net/http"
	"net/url"
	"time"

	"github.com/backstage/functions/internal/audit"
	"github.com/backstage/functions/internal/httpd/answer"
	"github.com/backstage/functions/internal/httpd/forwarded"
	"github.com/backstage/functions/internal/identity"
	"github.com/backstage/functions/internal/outcome"
)

// Auditor records what was done and what was refused. It must be safe for concurrent use.
type Auditor interface {
	// Write records a write. It returns once that is recorded, or soon.
	Write(r audit.Record)
	// Refuse records a refusal of a client, or not if there are too many. It does not wait.
	Refuse(r audit.Record, client string)
}

// noAuditor records nothing.
type noAuditor struct{}

func (noAuditor) Write(audit.Record)          {}
func (noAuditor) Refuse(audit.Record, string) {}

// isWrite says whether m, a method of a resource, changes what is kept. Unless its need says that it is about calls,
// each method but GET does: one that is new is recorded.
func (m method) isWrite() bool { return m.name != http.MethodGet && !m.needs.calls }

// recorded has each request that h serves, the handler of a method that writes, recorded before the caller has the
// answer. One that is refused is recorded elsewhere: see recordRefusal.
func (s *server) recorded(action string, h http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		rec, ok := w.(*answer.Recorder)
		if !ok { // there is one around every handler
			panic("api: an answer without a recorder")
		}
		record := s.newRecord(r, rec, action)
		rec.Begins = func(status int) {
			if isRefusal(rec) {
				return
			}
			record.Time, record.Status, record.Reason, record.Result = auditTime(), status, rec.Reason, audit.Done
			record.Group = s.groupOf(record.Namespaces)
			if status == 0 || status >= http.StatusBadRequest {
				record.Result = audit.Failed
			}
			s.Audit.Write(*record)
		}
		h.ServeHTTP(w, r.WithContext(context.WithValue(r.Context(), recordKey{}, record)))
	})
}

// recordEnd records what is not recorded when the answer begins: a write that has none, and refusals.
func (s *server) recordEnd(r *http.Request, rec *answer.Recorder) {
	switch {
	case rec.Status == 0 && rec.Begins != nil:
		rec.Begins(0)
	case isRefusal(rec):
		s.Refused(rec.Reason)
		record := s.newRecord(r, rec, actionOf(r, rec))
		record.Time, record.Status, record.Reason, record.Result = auditTime(), rec.Status, rec.Reason, audit.Refused
		s.Audit.Refuse(*record, s.Client(r))
	}
}

// recordTolerated records what AuthOn would have refused.
func (s *server) recordTolerated(w http.ResponseWriter, r *http.Request, refusal error) {
	rec, ok := w.(*answer.Recorder)
	if !ok {
		return
	}
	record := s.newRecord(r, rec, actionOf(r, rec))
	record.Time, record.Reason, record.Result = auditTime(), outcome.Of(refusal).Reason, audit.Tolerated
	s.Audit.Refuse(*record, s.Client(r))
}

// isRefusal says whether the server, not a function, has answered that the caller may not do something.
func isRefusal(rec *answer.Recorder) bool {
	if rec.OfFunction {
		return false
	}
	switch rec.Status {
	case http.StatusUnauthorized, http.StatusForbidden, http.StatusMisdirectedRequest:
		return true
	}
	return rec.Reason == reasonFailures || rec.Reason == reasonKeyInURL
}

// actionOf names what was refused. A path that is no resource, which may be a secret, is not told.
func actionOf(r *http.Request, rec *answer.Recorder) string {
	if rec.Route == "" {
		return r.Method
	}
	return r.Method + " " + rec.Route
}

// newRecord is what is known of a request before it is served.
func (s *server) newRecord(r *http.Request, rec *answer.Recorder, action string) *audit.Record {
	record := &audit.Record{
		Action: action, Actor: rec.Actor, Claimed: rec.Claimed, Address: identity.Mask(forwarded.Addr(r, s.TrustedProxies)),
		RequestID: RequestID(r.Context()),
	}
	for name, encoded := range varsOf(r) {
		value, err := url.PathUnescape(encoded)
		value = identity.Mask(value)
		switch {
		case err != nil || value == "" || notTarget(name):
		case name == "namespace":
			record.Namespaces = []string{value}
		default:
			record.Name(name, value)
		}
	}
	return record
}

// notTarget says whether a variable of a route names nothing: the fixed parts of paths, which are numbered, and ends.
func notTarget(variable string) bool {
	return variable == "slash" || variable == "rest" || '0' <= variable[0] && variable[0] <= '9'
}

// groupOf is the group of records about namespaces. No other group has such a name.
func (s *server) groupOf(namespaces []string) string {
	if len(namespaces) == 0 {
		return ""
	}
	return "of " + s.Owner(namespaces[0])
}

// auditTime is the time of a record.
func auditTime() time.Time { return time.Now().UTC().Truncate(time.Millisecond) }

type recordKey struct{}

// recordOf is the record of r, for its handler to tell more. What nobody reads is returned for what is not recorded.
func recordOf(r *http.Request) *audit.Record {
	if record, ok := r.Context().Value(recordKey{}).(*audit.Record); ok {
		return record
	}
	return new(audit.Record)
}
