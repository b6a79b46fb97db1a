package api

import (
	"errors"
	"fmt"
	"net/http"

	"github.com/backstage/functions/internal/function"
	"github.com/backstage/functions/internal/identity"
	"github.com/backstage/functions/internal/invoke"
	"github.com/backstage/functions/internal/outcome"
	"github.com/backstage/functions/internal/queue"
	"github.com/backstage/functions/sandbox"
)

// queuePipeline queues the pipeline that r asks for. Its record is in the namespace of its first step, and one of the
// calls of that function. A missing step is told as it is of a pipeline that runs at once.
func (s *server) queuePipeline(
	w http.ResponseWriter, r *http.Request, steps []function.Ref, numbered bool, request *sandbox.Request, p preference,
) error {
	found := make([]invoke.Found, len(steps))
	for i, ref := range steps {
		var err error
		if found[i], err = s.Invoker.Find(r.Context(), ref); err == nil {
			continue
		}
		if missing, ok := errors.AsType[*function.NotFoundError](err); ok && numbered {
			return outcome.BadRequest(missing.Error())
		}
		return &pipelineError{err}
	}
	spec, err := s.specOf(r, found[0], steps[0], request)
	if err != nil {
		return err
	}
	if err := keepCallback(r, spec, steps); err != nil {
		return err
	}
	for i, ref := range steps {
		retries := retriesOf(found[i])
		spec.Steps = append(spec.Steps, queue.Step{
			Ref: ref, Attempts: retries.Attempts, Backoff: retries.Backoff, MaxAge: retries.MaxAge,
		})
		spec.Guest = spec.Guest || s.isGuest(r, ref.Namespace)
	}
	if spec.Key != "" { // which is another one than that of a call of the first step
		spec.Key = hashOf(spec.Key, "pipeline")
	}
	return s.placeCall(w, r, spec, p)
}

// retriesOf says how calls of a function are retried.
func retriesOf(found invoke.Found) function.Retries {
	var retries function.Retries
	if found.Function != nil && found.Function.Options.Retries != nil {
		retries = *found.Function.Options.Retries
	}
	return retries.WithDefaults()
}

// allowCall returns why r is not served what is about a call: of a pipeline the caller needs the role in the namespace
// of each step. That of the first one is checked with the path.
func (s *server) allowCall(
	w http.ResponseWriter, r *http.Request, ref function.Ref, id string, role identity.Role,
) error {
	if contextOf(r.Context()).access == nil {
		return nil
	}
	c, err := s.Calls.Get(r.Context(), ref, id)
	switch {
	case errors.Is(err, queue.ErrNotFound): // as the handler finds, unless it is one whose caller has waited
		return nil
	case err != nil:
		return fmt.Errorf("call %s of %s: %w", id, ref, err)
	case len(c.Steps) == 0:
		return nil
	}
	return s.authorize(w, r, needOfSteps(c, role))
}

// mayList says whether the caller of r sees a call in a list.
func (s *server) mayList(r *http.Request, c *queue.Call) bool {
	a := contextOf(r.Context()).access
	if a == nil || s.Auth != AuthOn || len(c.Steps) == 0 {
		return true
	}
	return needOfSteps(c, identity.Deploy).refuse(s, r, a) == nil
}

// needOfSteps is that role in the namespaces of all steps. Who may run public functions may follow what is made of
// them.
func needOfSteps(c *queue.Call, role identity.Role) need {
	in := func(*server, *http.Request) places {
		if role == identity.Invoke {
			return places{runs: c.Functions()}
		}
		return places{names: namespacesOf(c.Functions())}
	}
	return need{role: role, in: in, quiet: true, calls: true}
}
