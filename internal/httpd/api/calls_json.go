package api

import (
	"net/http"
	"net/url"
	"strconv"
	"time"

	"github.com/backstage/functions/internal/function"
	"github.com/backstage/functions/internal/queue"
	"github.com/backstage/functions/sandbox/rawjson"
)

// callURL is the path of a call.
func callURL(ref function.Ref, id string) string {
	return "/functions/" + url.PathEscape(ref.Namespace) + "/" + url.PathEscape(ref.ID) + "/invocations/" + id
}

// sendAccepted answers 202: the call is in the queue, and there is where it can be followed.
func (s *server) sendAccepted(
	w http.ResponseWriter, r *http.Request, ref function.Ref, id string, status queue.Status,
) error {
	w.Header().Set("Location", callURL(ref, id))
	o := rawjson.NewObject(nil)
	o.String("id", id)
	o.String("status", string(status))
	sendJSON(w, r, http.StatusAccepted, o.End())
	return nil
}

// CallJSON is a record as callers see it, without its callback.
func CallJSON(c *queue.Call) []byte {
	copied := *c
	copied.CallTo = queue.Callback{}
	return callJSON(&copied)
}

// callJSON is a record as callers see it.
func callJSON(c *queue.Call) []byte {
	o := rawjson.NewObject(make([]byte, 0, 1024))
	o.String("id", c.ID)
	o.String("namespace", c.Ref.Namespace)
	o.String("function", c.Ref.ID)
	o.String("status", string(c.Status))
	addText(&o, "reason", c.Reason)
	addTime(&o, "created", c.Created)
	switch c.Status {
	case queue.Queued:
		addTime(&o, "due", c.Due)
		addTime(&o, "until", c.Until)
	case queue.Running:
		addTime(&o, "started", c.Taken)
		addText(&o, "server", c.Server)
	default:
		addTime(&o, "settled", c.Settled)
		addTime(&o, "expires", c.Expires)
	}
	if len(c.Progress) > 0 {
		o.Raw("progress", c.Progress)
	}
	addText(&o, "caller", c.Caller)
	addText(&o, "requestID", c.RequestID)
	addText(&o, "traceID", c.TraceID)
	if len(c.Steps) > 0 {
		o.Raw("steps", stepsJSON(c))
	} else {
		o.Raw("maxAttempts", strconv.AppendInt(nil, int64(c.Spec.Attempts), 10))
		o.Raw("attempts", historyJSON(c.History))
	}
	if c.Dropped > 0 {
		o.Raw("resultDropped", strconv.AppendInt(nil, c.Dropped, 10))
	}
	if c.HasResult {
		o.String("result", callURL(c.Ref, c.ID)+"/result")
	}
	addCallback(&o, c)
	return o.End()
}

// historyJSON is a list of attempts: what those who ran them have told, and when.
func historyJSON(all []queue.Attempt) []byte {
	out := []byte{'['}
	for i, a := range all {
		if i > 0 {
			out = append(out, ',')
		}
		o := rawjson.NewObject(nil)
		addTime(&o, "start", a.Start)
		addTime(&o, "end", a.End)
		if rawjson.IsObject(a.Detail) {
			for name, value := range rawjson.Members(a.Detail) {
				o.Raw(rawjson.Unquote(name), value)
			}
		}
		out = append(out, o.End()...)
	}
	return append(out, ']')
}

func addText(o *rawjson.Object, name, value string) {
	if value != "" {
		o.String(name, value)
	}
}

func addTime(o *rawjson.Object, name string, t time.Time) {
	if !t.IsZero() {
		o.Time(name, t)
	}
}
