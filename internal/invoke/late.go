package invoke

import (
	"encoding/json"
	"net/http"
	"time"

	"github.com/backstage/functions/internal/function"
	"github.com/backstage/functions/internal/secrets"
	"github.com/backstage/functions/internal/stacktrace"
	"github.com/backstage/functions/sandbox"
)

// lateOutput is the output of what a call does after its answer. The output of its run has been finished then, so it
// gets one of its own, of the same call, when the first line comes. It is used by one goroutine at a time.
type lateOutput struct {
	output Output
	places *stacktrace.Translator
	hidden *secrets.Set
	out    RunOutput // nil before the first line
	began  time.Time
	last   lastLines // of those before the answer

	id, traceID, owner, uri string
	ref                     function.Ref
	method                  string
	header                  json.RawMessage
	queued                  *sandbox.Queued
	step                    int
}

// newLateOutput keeps nothing of the request but what output may want of its header.
func newLateOutput(
	output Output, call *Call, places *stacktrace.Translator, hidden *secrets.Set,
) *lateOutput {
	return &lateOutput{
		output: output, places: places, hidden: hidden, id: call.ID, traceID: call.TraceID, owner: call.Owner,
		uri: call.URI, ref: call.Ref, method: call.Request.Method, header: call.Request.Header,
		queued: call.Queued, step: call.Step,
	}
}

// call is that of the run, as far as it is kept.
func (l *lateOutput) call() Call {
	return Call{
		ID: l.id, TraceID: l.traceID, Owner: l.owner, URI: l.uri, Ref: l.ref,
		Request: sandbox.Request{Method: l.method, Header: l.header}, Queued: l.queued, Step: l.step,
	}
}

func (l *lateOutput) line(line sandbox.LogLine) {
	if l.out == nil {
		l.out, l.began = l.output.Start(l.call()), time.Now()
	}
	l.out.Line(l.hidden.Line(l.places.Line(line)))
}

// end comes after the last line.
func (l *lateOutput) end() {
	if l.out != nil {
		l.out.Finish(http.StatusOK, time.Since(l.began))
	}
}
