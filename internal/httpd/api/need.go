package api

import (
	"errors"
	"net/http"

	"github.com/backstage/functions/internal/httpd/qs"
	"github.com/backstage/functions/internal/identity"
	"github.com/backstage/functions/internal/outcome"
)

// need is what a caller must be allowed to do to be served: a role, in each of some namespaces. The zero value is no
// need: anybody is served.
type need struct {
	role identity.Role
	// in are the namespaces that a request is about. Nil stands for any: the role is needed in one of them.
	in func(s *server, r *http.Request) places
	// strict says that AuthLog refuses too: what is done would outlive it.
	strict bool
	// preflights says that those of browsers are served all the same.
	preflights bool
}

// places are namespaces.
type places struct {
	names []string
	all   bool // that there are
}

// What resources need.
var (
	forAll       = need{}
	toInvoke     = need{role: identity.Invoke, in: pathNamespace, preflights: true}
	toSend       = need{role: identity.Invoke, in: pathNamespace}
	toPipe       = need{role: identity.Invoke, in: stepNamespaces}
	toDeploy     = need{role: identity.Deploy, in: pathNamespace}
	toList       = need{role: identity.Deploy, in: queryNamespace}
	toLook       = need{role: identity.Invoke}
	toAdminister = need{role: identity.Admin, in: pathNamespace}
	toOperate    = need{role: identity.Admin, in: allNamespaces}
	toKeepKeys   = need{role: identity.Admin, strict: true} // and each key what it is for
)

// toInvokeIn is what a run in the namespace needs.
func toInvokeIn(namespace string) need {
	in := func(*server, *http.Request) places { return places{names: []string{namespace}} }
	return need{role: identity.Invoke, in: in, preflights: true}
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

func queryNamespace(_ *server, r *http.Request) places {
	if namespace := textOf(qs.Parse(r.URL.RawQuery), "namespace"); namespace != "" {
		return places{names: []string{namespace}}
	}
	return places{all: true}
}

// stepNamespaces are those of all steps of a pipeline. Steps that cannot be read are told by the handler.
func stepNamespaces(s *server, r *http.Request) (p places) {
	steps, _, _ := stepsOf(qs.Parse(r.URL.RawQuery), s.MaxSteps)
	for _, step := range steps {
		p.names = append(p.names, step.Namespace)
	}
	return p
}

// refuse returns why a request is not served whose key is key, or nobody's as err says.
func (n need) refuse(s *server, r *http.Request, key identity.Key, err error) error {
	switch {
	case n.role == "":
		return nil
	case errors.Is(err, errKeysNotKnown):
		return outcome.New(outcome.Outcome{
			Status: http.StatusServiceUnavailable, Message: "The keys are not known yet", Reason: "keys_unknown", Retry: true,
		})
	case err != nil:
		return unauthorized(err)
	case !key.Role.Includes(n.role):
		return forbidden(n.role, "")
	case n.in == nil:
		return nil
	}
	p := n.in(s, r)
	if p.all && !key.MayIn(n.role, identity.Everywhere) {
		return forbidden(n.role, " in all namespaces")
	}
	for _, namespace := range p.names {
		if !key.May(n.role, namespace) {
			return forbidden(n.role, " in the namespace "+namespace)
		}
	}
	return nil
}
