package api

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/backstage/functions/internal/calls"
	"github.com/backstage/functions/internal/function"
	"github.com/backstage/functions/internal/httpd/qs"
	"github.com/backstage/functions/internal/invoke"
	"github.com/backstage/functions/internal/outcome"
	"github.com/backstage/functions/sandbox"
	"github.com/backstage/functions/sandbox/rawjson"
)

// run answers with what the function answers.
func (s *server) run(w http.ResponseWriter, r *http.Request) error {
	ref, err := refOf(r)
	if err != nil {
		return err
	}
	return s.runFunction(w, r, target{ref: ref, path: "/"})
}

// runBelow is run for a path below that of the function, if the function is one that learns of it. Else there is no
// such path, as in the original.
func (s *server) runBelow(w http.ResponseWriter, r *http.Request) error {
	ref, err := refOf(r)
	if err != nil {
		return notFound(w, r)
	}
	found, err := s.Invoker.Find(r.Context(), ref)
	refusal := accessOf(r).refusal
	switch {
	case refusal != nil && !found.LearnsPath():
		return s.refusePreflight(w, r)
	case err != nil && !errors.Is(err, function.ErrNotFound):
		return fmt.Errorf("run %s: %w", ref, err)
	case !found.LearnsPath():
		return notFound(w, r)
	}
	return s.runFound(w, r, target{ref: ref, path: varOf(r, "rest")}, found, err)
}

// target is the function that a request is for, and how it was found.
type target struct {
	ref function.Ref
	// path is that of the request below the function; "/" is the function itself.
	path string
	// params are what the parts of a route stand for. Routed says that there is one.
	params map[string]string
	routed bool
	// pipeline says that several functions get the request.
	pipeline bool
}

// runFunction is run for a function that is known.
func (s *server) runFunction(w http.ResponseWriter, r *http.Request, to target) error {
	found, err := s.Invoker.Find(r.Context(), to.ref)
	return s.runFound(w, r, to, found, err)
}

// runFound is run for a function that was looked for, with err as what came of it. The body is read before a missing
// function is told: a broken one is refused whether or not there is one.
func (s *server) runFound(w http.ResponseWriter, r *http.Request, to target, found invoke.Found, err error) error {
	if c := found.CORS(); c != nil {
		shareAnswer(w, r, c)
		if isPreflight(r) {
			return answerPreflight(w, r, c)
		}
	}
	if accessOf(r).refusal != nil {
		return s.refusePreflight(w, r)
	}
	if wantsSocket(r, found) {
		return s.upgrade(w, r, to, found)
	}
	prefers, queues := s.queuesCall(r, to)
	if queues {
		forgetCredentials(r)
	}
	request, unread := s.requestOf(r, found, to)
	if unread != nil {
		return unread
	}
	if queues && err == nil {
		return s.queueCall(w, r, found, to.ref, &request, prefers)
	}
	var held *calls.Held
	if err == nil && s.holdsKey(r, found) {
		if held, err = s.holdKey(w, r, to, &request); held == nil {
			return err
		}
		defer held.Lapse()
	}
	var result *sandbox.Result
	stream := &stream{w: w, r: r, of: s, namespace: to.ref.Namespace}
	defer stream.close()
	start := time.Now()
	if err == nil {
		call := s.callOf(r, found, to.ref, request)
		call.OnHead, call.Standing = stream.begin, standingIn(w)
		call.Goes = held != nil
		if to.routed {
			call.Via = "route"
		}
		result, err = s.Invoker.Run(r.Context(), call)
	}
	endHold(r, held, result, err, stream.begun)
	if stream.begun {
		s.endStream(stream, err)
		return nil
	}
	setTiming(w, result, err, found.Took+time.Since(start))
	if err != nil {
		return fmt.Errorf("run %s: %w", to.ref, err)
	}
	return sendAnswer(w, r, result)
}

// callOf is the call that r makes.
func (s *server) callOf(
	r *http.Request,
	found invoke.Found,
	ref function.Ref,
	request sandbox.Request,
) invoke.Call {
	return invoke.Call{
		ID:      RequestID(r.Context()),
		TraceID: s.TraceID(r.Context()),
		URI:     r.RequestURI,
		Ref:     ref,
		Request: request,
		Found:   found,
		Key:     limitedKey(r),
	}
}

// pipeline runs the steps of the query one after the other and answers with the last one's answer. Where the original
// could not read its steps, as it could not read numbers over 20, it answered 400 whether or not its functions exist; a
// missing one is 400 there still.
func (s *server) pipeline(w http.ResponseWriter, r *http.Request) error {
	steps, numbered, err := stepsOf(qs.Parse(r.URL.RawQuery), s.MaxSteps)
	var first invoke.Found
	if err == nil {
		first, _ = s.Invoker.Find(r.Context(), steps[0]) // a missing one is told when all steps are looked for
		if c := s.corsOf(r.Context(), steps); c != nil {
			shareAnswer(w, r, c)
		}
	}
	prefers, queues := s.queuesCall(r, target{})
	if queues {
		forgetCredentials(r)
	}
	request, unread := s.requestOf(r, first, target{path: "/", routed: true, pipeline: true})
	if err := cmp.Or(unread, err); err != nil {
		return err
	}
	if queues {
		return s.queuePipeline(w, r, steps, numbered, &request, prefers)
	}
	start := time.Now()
	call := s.callOf(r, first, function.Ref{}, request)
	call.Memory = bodyMemory{s, r}
	stream := &stream{w: w, r: r, of: s, steps: steps}
	defer stream.close()
	call.OnHead, call.Standing = stream.begin, standingIn(w)
	result, err := s.Invoker.Pipeline(r.Context(), steps, call)
	if stream.begun {
		s.endStream(stream, err)
		return nil
	}
	setTiming(w, result, err, first.Took+time.Since(start))
	if missing, ok := errors.AsType[*function.NotFoundError](err); ok && numbered {
		return outcome.BadRequest(missing.Error())
	}
	if err == nil {
		err = sendAnswer(w, r, result)
	}
	if err != nil {
		return &pipelineError{err}
	}
	return nil
}

// namespacesOf are those of the steps.
func namespacesOf(steps []function.Ref) []string {
	names := make([]string, len(steps))
	for i, ref := range steps {
		names[i] = ref.Namespace
	}
	return names
}

// pipelineError is one of a pipeline whose steps are known. Its answer has details: which step failed, if it was one.
type pipelineError struct{ err error }

func (e *pipelineError) Error() string { return "run pipeline: " + e.err.Error() }

func (e *pipelineError) Unwrap() error { return e.err }

// Details names the step that failed.
func (e *pipelineError) Details() json.RawMessage {
	o := rawjson.NewObject(nil)
	if step, ok := errors.AsType[*invoke.StepError](e.err); ok {
		o.String("message", "Got error when execute pipeline function "+step.Ref.String())
	}
	return o.End()
}

// bodyMemory is that for the bodies of the steps of r.
type bodyMemory struct {
	s *server
	r *http.Request
}

func (m bodyMemory) Grow(bytes int) bool { return m.s.Grow(m.r, bytes) }
func (m bodyMemory) Shrink(bytes int)    { m.s.Shrink(m.r, bytes) }
