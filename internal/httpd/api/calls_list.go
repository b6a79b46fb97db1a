package api

import (
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"time"

	"github.com/google/uuid"

	"github.com/backstage/functions/internal/function"
	"github.com/backstage/functions/internal/httpd/qs"
	"github.com/backstage/functions/internal/outcome"
	"github.com/backstage/functions/internal/queue"
	"github.com/backstage/functions/sandbox/rawjson"
)

// The number of calls in a page of a list.
const (
	defaultCalls = 20
	mostCalls    = 100
)

// listCalls shows calls of a function, the newest first.
func (s *server) listCalls(w http.ResponseWriter, r *http.Request) error {
	ref, err := refOf(r)
	if err != nil {
		return err
	}
	q, err := callQuery(r)
	if err != nil {
		return err
	}
	q.Ref = ref
	all, next, err := s.listAll(r, q)
	if err != nil {
		return fmt.Errorf("list calls of %s: %w", ref, err)
	}
	items := []byte{'['}
	for i, item := range all {
		if i > 0 {
			items = append(items, ',')
		}
		items = append(items, item.text...)
	}
	o := rawjson.NewObject(make([]byte, 0, len(items)+128))
	o.Raw("items", append(items, ']'))
	addText(&o, "next", next)
	w.Header().Set(headerCache, "no-store")
	sendJSON(w, r, http.StatusOK, o.End())
	return nil
}

// callQuery reads what a list is asked for.
func callQuery(r *http.Request) (*queue.Query, error) {
	values := qs.Parse(r.URL.RawQuery)
	q := &queue.Query{
		Status: queue.Status(textOf(values, "status")), Reason: textOf(values, "reason"),
		Callback: queue.Status(textOf(values, "callback")), After: textOf(values, "cursor"), Limit: defaultCalls,
	}
	if err := checkOneOf("status", q.Status, queue.Statuses...); err != nil {
		return nil, err
	}
	if err := checkOneOf("callback", q.Callback, queue.Queued, queue.Succeeded, queue.Dead); err != nil {
		return nil, err
	}
	if q.After != "" && uuid.Validate(q.After) != nil {
		return nil, errCursor
	}
	if text := textOf(values, "since"); text != "" {
		since, err := sinceOf(text)
		if err != nil {
			return nil, outcome.BadRequest("since is not a time such as 2026-01-02T15:04:05Z")
		}
		q.Since = since
	}
	if text := textOf(values, "limit"); text != "" {
		n, err := strconv.Atoi(text)
		if err != nil || n < 1 || n > mostCalls {
			return nil, outcome.BadRequest(fmt.Sprintf("limit is not a whole number from 1 to %d", mostCalls))
		}
		q.Limit = n
	}
	return q, nil
}

// checkOneOf refuses a value of the parameter of that name that is none of those; it may be empty.
func checkOneOf[T ~string](name string, value T, all ...T) error {
	if value == "" || slices.Contains(all, value) {
		return nil
	}
	var known []string
	for _, one := range all {
		known = append(known, string(one))
	}
	return outcome.BadRequest(name + function.OneOf(known))
}

// sinceOf reads a date or a time.
func sinceOf(text string) (t time.Time, err error) {
	for _, layout := range []string{time.RFC3339Nano, time.DateOnly} {
		if t, err = time.Parse(layout, text); err == nil {
			return t, nil
		}
	}
	return t, err
}

// queryWait is how long ?wait= says to wait, in seconds.
func queryWait(r *http.Request) (time.Duration, error) {
	if r.URL.RawQuery == "" {
		return 0, nil
	}
	text := textOf(qs.Parse(r.URL.RawQuery), "wait")
	if text == "" {
		return 0, nil
	}
	seconds, err := strconv.Atoi(text)
	if err != nil || seconds < 0 {
		return 0, outcome.BadRequest("wait is not a whole number of seconds")
	}
	return waitOf(seconds), nil
}
