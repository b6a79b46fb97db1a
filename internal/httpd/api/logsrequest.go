package api

import (
	"net/http"
	"strconv"

	"github.com/backstage/functions/internal/function"
	"github.com/backstage/functions/internal/httpd/qs"
	"github.com/backstage/functions/internal/outcome"
)

const (
	defaultTail = 100
	// maxTail bounds the lines of one answer.
	maxTail = 1000
)

// logsRequest is what a request for the output of a function asks for.
type logsRequest struct {
	// after is the line that the caller has already, resumed says that there is one.
	after   function.LogCursor
	resumed bool
	// tail is how many of the newest lines to begin with; limited says that the caller chose it.
	tail    int
	limited bool
	follow  bool
}

func parseLogsRequest(r *http.Request) (asked logsRequest, err error) {
	values := qs.Parse(r.URL.RawQuery)
	asked.tail = defaultTail
	if text := textOf(values, "tail"); text != "" {
		asked.limited = true
		if asked.tail, err = strconv.Atoi(text); err != nil || asked.tail < 0 || asked.tail > maxTail {
			return asked, outcome.BadRequest("tail must be a whole number from 0 to " + strconv.Itoa(maxTail))
		}
	}
	switch textOf(values, "follow") {
	case "", "0", "false":
	case "1", "true":
		asked.follow = true
	default:
		return asked, outcome.BadRequest("follow must be 1 or 0")
	}
	if asked.follow && r.Header.Get(headerLastEvent) != "" { // a reconnect to the same URL
		asked.limited = false
		err = asked.resume("Last-Event-ID", r.Header.Get(headerLastEvent))
	} else if since := textOf(values, "since"); since != "" {
		err = asked.resume("since", since)
	}
	return asked, err
}

func (l *logsRequest) resume(name, text string) (err error) {
	if l.after, err = function.ParseLogCursor(text); err != nil {
		return outcome.BadRequest(name + " is " + err.Error())
	}
	l.resumed = true
	return nil
}

// query selects the lines to begin with: the newest, but all in order for a caller who goes on from a line and wants to
// miss none.
func (l *logsRequest) query() function.LogQuery {
	if l.resumed && !l.limited {
		return function.LogQuery{After: l.after, Limit: maxTail, Bytes: maxLogText}
	}
	return function.LogQuery{After: l.after, Limit: l.tail, Bytes: maxLogText, Newest: true}
}
