package api

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/backstage/functions/internal/function"
	"github.com/backstage/functions/internal/outcome"
	"github.com/backstage/functions/sandbox"
	"github.com/backstage/functions/sandbox/rawjson"
)

// putFunction deploys what the body describes.
func (s *server) putFunction(w http.ResponseWriter, r *http.Request) error {
	ref, err := refOf(r)
	if err != nil {
		return err
	}
	text, ignored, err := s.readStorable(r, true, isDeployment)
	if err != nil {
		return err
	}
	return s.deploy(w, r, ref, text, ignored)
}

// postFunction is putFunction for what is meant to be a function. All else is answered as it was in the original, which
// had no such route although its schemas name it.
func (s *server) postFunction(w http.ResponseWriter, r *http.Request) error {
	ref, err := refOf(r)
	if err != nil {
		return notFound(w, r)
	}
	text, ignored, err := s.readStorable(r, true, isDeployment)
	if err != nil || ignored == "" && !isDeployment(text) {
		return notFound(w, r)
	}
	return s.deploy(w, r, ref, text, ignored)
}

// deploy stores code that its trial run finds sound. Ignored says that the body was not read, and why, if it was not.
func (s *server) deploy(
	w http.ResponseWriter,
	r *http.Request,
	ref function.Ref,
	text json.RawMessage,
	ignored string,
) error {
	start := time.Now()
	status, err := s.put(w, r, ref, text, ignored)
	if err != nil {
		status = outcome.Of(err).Status
	}
	s.Updated(status, time.Since(start))
	return err
}

// put answers, and says with what status, or returns why it could not.
func (s *server) put(
	w http.ResponseWriter,
	r *http.Request,
	ref function.Ref,
	text json.RawMessage,
	ignored string,
) (int, error) {
	given, faults := parseFunction(text, &optionParser{s.Runtimes(), s.Bounds})
	if ignored != "" {
		faults = append(faults, ignored)
	}
	if len(faults) > 0 {
		sendInvalid(w, r, faults)
		return http.StatusBadRequest, nil
	}
	given.Ref = ref
	if err := s.tryOut(r.Context(), given); err != nil {
		return http.StatusBadRequest, s.refuseCode(w, r, ref, err)
	}
	stored, err := s.Store.Put(r.Context(), given)
	if err != nil {
		return 0, fmt.Errorf("put function %s: %w", ref, err)
	}
	ctx := context.WithoutCancel(r.Context()) // it is stored, whether its caller waits or not
	answer, err := s.rendering.render(
		ctx,
		textBytes(stored),
		func() []byte { return putAnswer(stored, given, s.HiddenEnv) },
	)
	if err != nil {
		return 0, fmt.Errorf("answer the put of function %s: %w", ref, err)
	}
	w.Header()[headerETag] = []string{stored.Hash}
	sendSchema(w, r, "functions/item", answer)
	return http.StatusOK, nil
}

// tryOut runs the top-level code of given as it will run: with its own options and those stored with it before. Given
// gets the option body of a web handler.
func (s *server) tryOut(ctx context.Context, given *function.Function) error {
	tried := *given
	stored, err := s.Store.Get(ctx, given.Ref)
	switch {
	case stored != nil:
		tried.Options = given.Options.Over(stored.Options)
	case err != nil && !replaceable(err) && given.Options.Runtime == nil && len(s.Runtimes()) > 1:
		return err // else the answer tells of code that is wrong even while the store is away
	}
	asked := tried.Options.Body != nil
	if err := s.Invoker.Check(ctx, &tried); err != nil {
		return err
	}
	if !asked { // the trial run may have found that the code needs bytes
		given.Options.Body = tried.Options.Body
	}
	return nil
}

// replaceable says whether err, of reading a function, is one that a PUT of it mends.
func replaceable(err error) bool {
	return errors.Is(err, function.ErrNotFound) || errors.Is(err, function.ErrDamaged) ||
		errors.Is(err, function.ErrRecordTooLarge)
}

// refuseCode answers a failed trial run: what the code did is told to the caller, everything else is an error.
func (s *server) refuseCode(w http.ResponseWriter, r *http.Request, ref function.Ref, err error) error {
	o := rawjson.NewObject(nil)
	found := outcome.Of(err)
	var message string
	if thrown, ok := errors.AsType[*sandbox.FunctionError](err); ok {
		message = thrown.Text
		o.String("error", message)
		o.String("stack", thrown.Frames)
	} else if death, ok := errors.AsType[*sandbox.DeathError](err); ok && found.Fault == outcome.FaultFunction {
		s.logDeath(r, found, err)
		message = "Error: " + found.Message
		o.String("error", message)
		o.String("stack", "")
		if death.Reason != sandbox.ReasonSyncDeadline {
			o.String("reason", string(death.Reason))
		}
	} else {
		return fmt.Errorf("check function %s: %w", ref, err)
	}
	s.FunctionLog(ref, "Failed to post code: "+message)
	sendJSON(w, r, http.StatusBadRequest, o.End())
	return nil
}

func (s *server) getFunction(w http.ResponseWriter, r *http.Request) error {
	ref, err := refOf(r)
	if err != nil {
		return err
	}
	f, err := s.Store.Get(r.Context(), ref)
	if errors.Is(err, function.ErrNotFound) {
		const message = "Code not found"
		s.FunctionLog(ref, message)
		return outcome.NotFound(message)
	}
	if err != nil {
		return fmt.Errorf("get function %s: %w", ref, err)
	}
	var answer []byte
	if r.Method != http.MethodHead { // which is told nothing of it, not even its length
		answer, err = s.rendering.render(r.Context(), textBytes(f), func() []byte { return getAnswer(f, s.HiddenEnv) })
		if err != nil {
			return fmt.Errorf("answer the get of function %s: %w", ref, err)
		}
	}
	w.Header()[headerETag] = []string{f.Hash}
	sendSchema(w, r, "functions/item", answer)
	return nil
}

func (s *server) deleteFunction(w http.ResponseWriter, r *http.Request) error {
	ref, err := refOf(r)
	if err != nil {
		return err
	}
	if err := s.Store.Delete(r.Context(), ref); err != nil {
		return fmt.Errorf("delete function %s: %w", ref, err)
	}
	sendEmpty(w, http.StatusNoContent)
	return nil
}
