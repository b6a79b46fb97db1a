package api

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"

	"github.com/backstage/functions/internal/body"
	"github.com/backstage/functions/internal/function"
	"github.com/backstage/functions/sandbox"
)

// putFunction stores code that its trial run finds sound.
func (s *server) putFunction(w http.ResponseWriter, r *http.Request) error {
	ref, err := refOf(r)
	if err != nil {
		return err
	}
	text, err := body.Read(r, body.Options{Limit: s.BodyLimit, Strict: true})
	if err != nil {
		return err
	}
	given, faults := parseFunction(text)
	if len(faults) > 0 {
		sendInvalid(w, r, faults)
		return nil
	}
	given.Ref = ref
	if err := s.Invoker.Check(r.Context(), ref, given.Code); err != nil {
		return s.refuseCode(w, r, ref, err)
	}
	stored, err := s.Store.Put(r.Context(), given)
	if err != nil {
		return fmt.Errorf("put function %s: %w", ref, err)
	}
	w.Header()[headerETag] = []string{stored.Hash}
	sendSchema(w, r, "functions/item", putAnswer(stored, given.Env))
	return nil
}

// putAnswer shows the environment only when the request brought one.
func putAnswer(f *function.Function, given *function.Env) []byte {
	o := newObject()
	o.string("id", f.ID)
	o.string("code", f.Code)
	o.string("hash", f.Hash)
	if given != nil {
		o.raw("env", envJSON(given))
	}
	return o.end()
}

// refuseCode answers a failed trial run: what the code did is told to the caller, everything else is an error.
func (s *server) refuseCode(w http.ResponseWriter, r *http.Request, ref function.Ref, err error) error {
	o := newObject()
	var message string
	if thrown, ok := errors.AsType[*sandbox.FunctionError](err); ok {
		message = thrown.Text
		o.string("error", message)
		o.string("stack", thrown.Frames)
	} else if death, ok := errors.AsType[*sandbox.DeathError](err); ok && deathOf(death).fault {
		s.logDeath(r, death, err)
		message = "Error: " + deathOf(death).message
		o.string("error", message)
		o.string("stack", "")
		if death.Reason != sandbox.ReasonSyncDeadline {
			o.string("reason", string(death.Reason))
		}
	} else {
		return fmt.Errorf("check function %s: %w", ref, err)
	}
	s.FunctionLog(ref, "Failed to post code: "+message)
	sendJSON(w, r, http.StatusBadRequest, o.end())
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
		return &problem{http.StatusNotFound, message}
	}
	if err != nil {
		return fmt.Errorf("get function %s: %w", ref, err)
	}
	w.Header()[headerETag] = []string{f.Hash}
	sendSchema(w, r, "functions/item", getAnswer(f))
	return nil
}

// getAnswer leaves out what a record written by an early original does not have.
func getAnswer(f *function.Function) []byte {
	o := newObject()
	o.string("id", f.ID)
	o.string("namespace", f.Namespace)
	o.string("code", f.Code)
	o.string("hash", f.Hash)
	if f.Created != "" {
		o.string("created", f.Created)
	}
	if f.Updated != "" {
		o.string("updated", f.Updated)
	}
	o.raw("namespaceSettings", settingsJSON(f.Settings))
	o.optional("versionID", nonEmpty(&f.VersionID))
	if f.Env != nil {
		o.raw("env", envJSON(f.Env))
	}
	o.optional("sentryDSN", nonEmpty(f.SentryDSN()))
	return o.end()
}

func settingsJSON(n *function.Namespace) json.RawMessage {
	if n == nil {
		return json.RawMessage("null")
	}
	o := newObject()
	if n.SentryDSN != nil {
		o.string("sentryDSN", *n.SentryDSN)
	}
	return o.end()
}

func envJSON(e *function.Env) json.RawMessage {
	text, _ := e.MarshalJSON() // cannot fail
	return text
}

func nonEmpty(text *string) *string {
	if text == nil || *text == "" {
		return nil
	}
	return text
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
