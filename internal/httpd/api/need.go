package api

import (
	"errors"
	"net/http"
	"slices"

	"github.com/backstage/functions/internal/function"
	"github.com/backstage/functions/internal/httpd/qs"
	"github.com/backstage/functions/internal/identity"
	"github.com/backstage/functions/internal/outcome"
)

// need is what a caller must be allowed to do to be served: a role, in each of some namespaces. The zero value is no
// need: anybody is served.
type need struct {
	role identity.Role
	// in is what a request is about. Nil stands for nothing in particular: the role is needed in any namespace.
	in func(s *server, r *http.Request) places
	// strict says that AuthLog refuses too: what is done would outlive it.
	strict bool
	// quiet says that a refusal names no namespace: the caller has not.
	quiet bool
	// calls says that a request changes nothing but calls: it makes or ends one, or is for what is connected to one. The
	// callers of public functions may do that, and who writes records pushes out those of others.
	calls bool
	// preflights says that those of browsers are served all the same.
	preflights bool
	// own says that pages of other sites are refused even where code runs.
	own bool
	// runs says that code of the namespaces runs, which must not be disabled then. It needs in.
	runs bool
}

// places are namespaces.
type places struct {
	names []string
	all   bool // that there are
	// runs are functions that are run, in their namespaces: of those that are public anybody may.
	runs []function.Ref
}

// What resources need.
var (
	forAll       = need{}
	toFollow     = need{role: identity.Invoke, in: pathFunction, calls: true}
	toInvoke     = need{role: identity.Invoke, in: pathFunction, preflights: true, runs: true, calls: true}
	toBatch      = need{role: identity.Invoke, in: pathFunction, runs: true, calls: true, own: true}
	toPipe       = need{role: identity.Invoke, in: steps, runs: true, calls: true}
	toSend       = need{role: identity.Invoke, in: pathNamespace, calls: true}
	toSendAll    = need{role: identity.Deploy, in: pathNamespace, calls: true}
	toBuild      = need{role: identity.Deploy, in: pathNamespace, runs: true}
	toDeploy     = need{role: identity.Deploy, in: pathNamespace}
	toList       = need{role: identity.Deploy, in: queryNamespace}
	toLook       = need{role: identity.Invoke}
	toAdminister = need{role: identity.Admin, in: pathNamespace}
	toOperate    = need{role: identity.Admin, in: allNamespaces}
	toKeepKeys   = need{role: identity.Admin, strict: true} // and each key what it is for
	toAudit      = need{role: identity.Admin, strict: true} // and each record what it is about
)

// toRun is what a run of that function needs.
func toRun(ref function.Ref) need {
	in := func(*server, *http.Request) places { return places{runs: []function.Ref{ref}} }
	return need{role: identity.Invoke, in: in, preflights: true, quiet: true, runs: true, calls: true}
}

func allNamespaces(*server, *http.Request) places { return places{all: true} }

// pathNamespace is that of the path. One that cannot be read is told by the handler.
func pathNamespace(_ *server, r *http.Request) places {
	namespace, err := nameOf(r, "namespace")
	if err != nil {
		return places{}
	}
	return places{names: []string{namespace}}
}

// pathFunction is that of the path. One that cannot be read is told by the handler.
func pathFunction(_ *server, r *http.Request) places {
	refs, err := pathRefs(r)
	if err != nil {
		return places{}
	}
	return places{runs: refs}
}

func queryNamespace(_ *server, r *http.Request) places {
	if namespace := textOf(qs.Parse(r.URL.RawQuery), "namespace"); namespace != "" {
		return places{names: []string{namespace}}
	}
	return places{all: true}
}

// steps are those of a pipeline. Steps that cannot be read are told by the handler.
func steps(s *server, r *http.Request) places {
	refs, _, _ := stepsOf(qs.Parse(r.URL.RawQuery), s.MaxSteps)
	return places{runs: refs}
}

// refuse returns why a request is not served whose caller has a.
func (n need) refuse(s *server, r *http.Request, a *access) error {
	if n.role == "" {
		return nil
	}
	err := a.err
	var p places
	if n.in != nil {
		p = n.in(s, r)
	}
	if err == nil && n.refuseHolder(a.holder(), p) == nil { // as nearly all are; no function is looked for
		return nil
	}
	public := func(ref function.Ref) bool { return s.isOpen(r, ref, a) }
	switch notPublic := slices.DeleteFunc(slices.Clone(p.runs), public); {
	case errors.Is(err, errKeysNotKnown), isNobody(err) && len(p.runs) > 0 && !s.Public.Loaded():
		return outcome.New(outcome.Outcome{
			Status: http.StatusServiceUnavailable, Message: "The keys are not known yet", Reason: "keys_unknown", Retry: true,
		})
	case errors.Is(err, identity.ErrKeysUnknown):
		return outcome.New(outcome.Outcome{
			Status: http.StatusServiceUnavailable, Message: "The keys of the issuer of the token are not known at the moment",
			Reason: "keys_unknown", Retry: true,
		})
	case err == nil, isNobody(err):
		if len(p.runs) > 0 && len(notPublic) == 0 {
			return nil
		}
		p.runs = notPublic
	}
	if err != nil {
		return unauthorized(err)
	}
	return n.refuseHolder(a.holder(), p)
}

// isNobody says whether err is that of a caller who has shown nothing that is for this server.
func isNobody(err error) bool { return errors.Is(err, errNoKey) || errors.Is(err, identity.ErrForeign) }

// refuseHolder returns why a caller's key or token does not do in those places.
func (n need) refuseHolder(by holder, p places) error {
	if !by.Has(n.role) {
		return forbidden(n.role, "")
	}
	if p.all && !by.MayIn(n.role, identity.Everywhere) {
		return forbidden(n.role, " in all namespaces")
	}
	for _, ref := range p.runs {
		if !by.May(n.role, ref.Namespace) {
			return n.forbidden(ref.Namespace)
		}
	}
	for _, namespace := range p.names {
		if !by.May(n.role, namespace) {
			return n.forbidden(namespace)
		}
	}
	return nil
}

// forbidden is why a caller without the role in that namespace is refused.
func (n need) forbidden(namespace string) error {
	if n.quiet {
		return forbidden(n.role, " in the namespace of its function")
	}
	return forbidden(n.role, " in the namespace "+namespace)
}

// isOpen says whether the caller may run a function without a role: anybody may, or who has a token. What is not in the
// list, or not for them, is not looked for: a caller learns nothing of it from how long that takes. The list may lag
// behind the function.
func (s *server) isOpen(r *http.Request, ref function.Ref, a *access) bool {
	if !a.opens(s.Public.Access(ref), ref.Namespace) {
		return false
	}
	found, err := s.Invoker.Find(r.Context(), ref)
	return err == nil && a.opens(found.Access(), ref.Namespace)
}
