package api

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/backstage/functions/internal/deploy"
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
	d, err := s.readDeployment(r)
	if err != nil {
		return err
	}
	return s.deploy(w, r, ref, d)
}

// postFunction is putFunction for what is meant to be a function. All else is answered as it was in the original, which
// had no such route although its schemas name it.
func (s *server) postFunction(w http.ResponseWriter, r *http.Request) error {
	ref, err := refOf(r)
	if err != nil {
		return notFound(w, r)
	}
	d, err := s.readDeployment(r)
	switch {
	case !d.meant:
		return notFound(w, r)
	case err != nil:
		return err
	}
	return s.deploy(w, r, ref, d)
}

// deploy stores code that its trial run finds sound.
func (s *server) deploy(w http.ResponseWriter, r *http.Request, ref function.Ref, d deployment) error {
	start := time.Now()
	status, err := s.put(w, r, ref, d)
	if err != nil {
		status = outcome.Of(err).Status
	}
	s.Updated(status, time.Since(start))
	return err
}

// put answers, and says with what status, or returns why it could not.
func (s *server) put(w http.ResponseWriter, r *http.Request, ref function.Ref, d deployment) (int, error) {
	if len(d.faults) > 0 {
		sendInvalid(w, r, d.faults)
		return http.StatusBadRequest, nil
	}
	given := d.given
	given.Ref = ref
	built, err := s.tryOut(r.Context(), given)
	if built.Took > 0 {
		w.Header()[headerTiming] = []string{string(appendDuration(nil, "build", built.Took))}
	}
	if err != nil {
		return http.StatusBadRequest, s.refuseCode(w, r, ref, err)
	}
	if a := given.Options.Access; a != nil && *a != s.Public.Access(ref) {
		if err := s.conceal(r.Context(), ref); err != nil {
			return 0, err
		}
	}
	stored, err := s.Store.Put(r.Context(), given)
	if err != nil {
		return 0, fmt.Errorf("put function %s: %w", ref, err)
	}
	if pointless := s.Defaults.WithoutEffect(stored.Options); len(pointless) > 0 {
		s.DeployLog(ref, RequestID(r.Context()), "Deployed, but "+strings.Join(pointless, "; "))
	}
	record := recordOf(r)
	record.Hash, record.Revision = stored.Hash, stored.VersionID
	ctx := context.WithoutCancel(r.Context()) // it is stored, whether its caller waits or not
	if err := s.reveal(ctx, stored); err != nil {
		return 0, err
	}
	answer, err := s.rendering.render(
		ctx,
		textBytes(stored),
		func() []byte { return putAnswer(stored, given, s.HiddenEnv, built.Warnings) },
	)
	if err != nil {
		return 0, fmt.Errorf("answer the put of function %s: %w", ref, err)
	}
	w.Header()[headerETag] = []string{stored.Hash}
	sendSchema(w, r, schemaOf(stored), answer)
	return http.StatusOK, nil
}

// tryOut builds given and runs its top-level code as it will run: with its own options and those stored with it before.
// Given gets what was built, the runtime of a new function of files, and the option body of a web handler, unless it
// has one.
func (s *server) tryOut(ctx context.Context, given *function.Function) (built deploy.Built, err error) {
	stored, err := s.Store.Get(ctx, given.Ref)
	switch {
	case errors.Is(err, function.ErrNotFound) && given.Source != nil && given.Options.Runtime == nil:
		s.useNewest(&given.Options)
	case err != nil && !replaceable(err) && given.Options.Runtime == nil && len(s.Runtimes()) > 1:
		return built, err // else the answer tells of code that is wrong even while the store is away
	}
	tried := *given
	if stored != nil {
		tried.Options = given.Options.Over(stored.Options)
	}
	if built, err = s.Builder.Build(ctx, &tried); err != nil {
		return built, err
	}
	tried.Options.Body = given.Options.Body // what is stored was for other code, which may have read JSON
	if err := s.Invoker.Check(ctx, &tried); err != nil {
		return built, err
	}
	given.Artefact, given.Source, given.Options.Body = tried.Artefact, tried.Source, tried.Options.Body
	return built, nil
}

// useNewest makes the newest runtime that of a new function of files, as if its deploy had named it.
func (s *server) useNewest(o *function.Options) {
	if newest := sandbox.Newest(s.Runtimes()).Name; newest != "" {
		o.Runtime = &newest
		s.optionParser().modernize(o)
	}
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
		if _, ok := errors.AsType[detailed](err); ok {
			s.FunctionLog(ref, "Failed to post code: "+found.Message)
		}
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
	sendSchema(w, r, schemaOf(f), answer)
	return nil
}

// schemaOf is the name of the schema that describes f.
func schemaOf(f *function.Function) string {
	if f.OfFiles() {
		return "functions/files"
	}
	return "functions/item"
}

func (s *server) deleteFunction(w http.ResponseWriter, r *http.Request) error {
	ref, err := refOf(r)
	if err != nil {
		return err
	}
	if err := s.conceal(r.Context(), ref); err != nil {
		return err
	}
	if err := s.Store.Delete(r.Context(), ref); err != nil {
		return fmt.Errorf("delete function %s: %w", ref, err)
	}
	if err := s.Secrets.DeleteAll(r.Context(), function.SecretScope(ref)); err != nil {
		return fmt.Errorf("delete the secrets of function %s, which is deleted: %w", ref, err)
	}
	sendEmpty(w, http.StatusNoContent)
	return nil
}
