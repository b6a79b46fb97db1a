package api

import (
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"

	"github.com/backstage/functions/internal/function"
	"github.com/backstage/functions/internal/outcome"
	"github.com/backstage/functions/internal/queue"
	"github.com/backstage/functions/sandbox/rawjson"
)

// headerCallback is where a caller has the end of an asynchronous call told.
const headerCallback = "Callback-Url"

// callbackOf is where the end of the call is told that r makes of f: what f says, or the caller where f leaves it to
// them and the operator allows the host.
func (s *server) callbackOf(r *http.Request, f *function.Function) (to queue.Callback, err error) {
	var set function.Callback
	if f != nil && f.Options.Callback != nil {
		set = *f.Options.Callback
	}
	asked := r.Header[headerCallback]
	switch {
	case len(asked) == 0 && set.URL == "":
		return to, nil
	case len(asked) == 0:
		return queue.Callback{URL: set.URL, Secret: set.Secret}, nil
	case set.URL != "":
		return to, refusedCallback("the function has a URL of its own: leave the header out")
	case set.Secret == "":
		return to, refusedCallback(`the function names no secret that signs callbacks: deploy it with ` +
			`"callback":{"secret":"NAME"}`)
	case len(asked) > 1:
		return to, outcome.BadRequest("Callback-URL must be there once")
	}
	u, err := function.ParseCallbackURL(asked[0])
	if err != nil {
		return to, outcome.BadRequest("Callback-URL" + err.Error())
	}
	if s.CallbackTo == nil || !s.CallbackTo(addressOf(u)) {
		return to, refusedCallback("CALLS_CALLBACK_HOSTS does not name its host")
	}
	return queue.Callback{URL: u.String(), Secret: set.Secret}, nil
}

// keepCallback leaves a pipeline without the callback of its first step when it has steps in other namespaces: who is
// told of the first one has no right to what those answer.
func keepCallback(r *http.Request, spec *queue.Spec, steps []function.Ref) error {
	for _, ref := range steps {
		if ref.Namespace == spec.Ref.Namespace {
			continue
		}
		spec.CallTo = queue.Callback{}
		if len(r.Header[headerCallback]) > 0 {
			return refusedCallback("the pipeline has steps in several namespaces")
		}
	}
	return nil
}

// addressOf is the host and the port of an http or https URL.
func addressOf(u *url.URL) string {
	port := u.Port()
	if port == "" {
		port = map[string]string{"http": "80", "https": "443"}[u.Scheme]
	}
	return net.JoinHostPort(u.Hostname(), port)
}

func refusedCallback(why string) error {
	return outcome.New(outcome.Outcome{
		Status: http.StatusForbidden, Reason: "callback_refused", Fault: outcome.FaultCaller,
		Message: "Callback-URL is refused: " + why,
	})
}

// errNoDeadCallback is answered where no callback can be queued again.
var errNoDeadCallback = outcome.New(outcome.Outcome{
	Status: http.StatusConflict, Reason: "not_settled", Fault: outcome.FaultCaller,
	Message: "The invocation has no callback that is dead: only that of an asynchronous one is sent, and sent again " +
		"once all its attempts have failed",
})

// redriveCallback queues a dead callback again.
func (s *server) redriveCallback(w http.ResponseWriter, r *http.Request) error {
	ref, id, err := callOfPath(r)
	if err != nil {
		return err
	}
	if err := s.Calls.RedriveCallback(r.Context(), ref, id); err != nil {
		err = s.orKept(r, ref, id, err, queue.ErrNotSettled)
		if errors.Is(err, queue.ErrNotSettled) {
			err = errNoDeadCallback
		}
		return fmt.Errorf("redrive the callback of call %s of %s: %w", id, ref, err)
	}
	return s.sendAccepted(w, r, ref, id, queue.Queued)
}

// addCallback adds where the end of c is told and how far that is, to its record.
func addCallback(o *rawjson.Object, c *queue.Call) {
	if c.CallTo.URL != "" {
		o.Raw("callback", callbackJSON(c, nil))
	}
}

// withCallback is the record of c with the attempts of its callback.
func (s *server) withCallback(r *http.Request, c *queue.Call) ([]byte, error) {
	if c.Callback == "" {
		return callJSON(c), nil
	}
	telling, err := s.Calls.Callback(r.Context(), c.Ref, c.ID)
	if err != nil {
		return nil, err
	}
	return rawjson.SetMember(callJSON(c), "callback", callbackJSON(c, telling)), nil
}

// callbackJSON is a callback as callers see it; telling is its own record, nil if that is not asked for. Of the URL it
// shows the host alone: the rest may be a secret.
func callbackJSON(c, telling *queue.Call) []byte {
	o := rawjson.NewObject(nil)
	if u, err := url.Parse(c.CallTo.URL); err == nil {
		o.String("host", u.Host)
	}
	addText(&o, "status", string(c.Callback))
	if telling == nil {
		return o.End()
	}
	addText(&o, "id", c.EventID())
	addText(&o, "reason", telling.Reason)
	if telling.Status == queue.Queued {
		addTime(&o, "due", telling.Due)
	}
	o.Raw("attempts", historyJSON(telling.History))
	return o.End()
}
