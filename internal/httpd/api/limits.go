package api

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"

	"github.com/backstage/functions/internal/function"
	"github.com/backstage/functions/internal/limits"
	"github.com/backstage/functions/internal/usage"
	"github.com/backstage/functions/sandbox/rawjson"
)

// NamespaceLimits keeps the limits of namespaces.
type NamespaceLimits interface {
	// LimitsOf returns those of a namespace, which are empty where there are none.
	LimitsOf(ctx context.Context, name string) (usage.Namespace, error)
	// PutNamespaceLimits returns usage.ErrTooMany when they are those of one namespace too many.
	PutNamespaceLimits(ctx context.Context, n usage.Namespace) error
	// DeleteNamespaceLimits succeeds when there is nothing to delete.
	DeleteNamespaceLimits(ctx context.Context, name string) error
}

// Disabled tells which namespaces are disabled. It must be safe for concurrent use.
type Disabled interface {
	// None says that there is certainly none, and Loaded whether it is known which there are.
	None() bool
	Loaded() bool
	// Check is limits.Table.Check, and Watch limits.Table.Watch.
	Check(namespace string) error
	Watch(namespaces []string, ended func()) (stop func())
}

// noneDisabled is a Disabled without namespaces.
type noneDisabled struct{}

func (noneDisabled) None() bool                           { return true }
func (noneDisabled) Loaded() bool                         { return true }
func (noneDisabled) Check(string) error                   { return nil }
func (noneDisabled) Watch([]string, func()) (stop func()) { return func() {} }

// checkEnabled returns why r, which runs what n says, is not served: a namespace of it is disabled. It asks no store,
// so whoever is refused learns nothing of what there is in the namespace.
func (s *server) checkEnabled(r *http.Request, n need) error {
	switch {
	case !n.runs:
		return nil
	case !s.Disabled.Loaded():
		return fmt.Errorf("limits of namespaces are not known yet: %w", function.ErrUnavailable)
	case s.Disabled.None():
		return nil
	}
	p := n.in(s, r)
	for _, ref := range p.runs {
		p.names = append(p.names, ref.Namespace)
	}
	err := s.checkNamespaces(p.names)
	if err != nil && n.quiet {
		return new(limits.DisabledError)
	}
	return err
}

// checkNamespaces returns that one of them is disabled.
func (s *server) checkNamespaces(names []string) error {
	for _, name := range names {
		if err := s.Disabled.Check(name); err != nil {
			return err
		}
	}
	return nil
}

// putLimits replaces the limits of a namespace.
func (s *server) putLimits(w http.ResponseWriter, r *http.Request) error {
	name, err := nameOf(r, "namespace")
	if err != nil {
		return err
	}
	n, ok, err := readSettings(s, w, r, func(body json.RawMessage) (usage.Namespace, []string) {
		return parseLimits(name, body)
	})
	if !ok {
		return err
	}
	if err := s.Store.PutNamespaceLimits(r.Context(), n); err != nil {
		return fmt.Errorf("put limits of the namespace %q: %w", name, err)
	}
	sendJSON(w, r, http.StatusOK, n.JSON())
	return nil
}

// getLimits shows the limits of a namespace; one that has none has an empty object.
func (s *server) getLimits(w http.ResponseWriter, r *http.Request) error {
	name, err := nameOf(r, "namespace")
	if err != nil {
		return err
	}
	found, err := s.Store.LimitsOf(r.Context(), name)
	if err != nil {
		return fmt.Errorf("get limits of the namespace %q: %w", name, err)
	}
	sendJSON(w, r, http.StatusOK, found.JSON())
	return nil
}

func (s *server) deleteLimits(w http.ResponseWriter, r *http.Request) error {
	name, err := nameOf(r, "namespace")
	if err != nil {
		return err
	}
	if err := s.Store.DeleteNamespaceLimits(r.Context(), name); err != nil {
		return fmt.Errorf("delete limits of the namespace %q: %w", name, err)
	}
	sendEmpty(w, http.StatusNoContent)
	return nil
}

// parseLimits reads the limits of a namespace and says all that is wrong with them.
func parseLimits(name string, body json.RawMessage) (n usage.Namespace, faults []string) {
	n.Name = name
	if !rawjson.IsObject(body) {
		return n, []string{"instance" + notObject}
	}
	given := properties(body)
	if given.more {
		return n, []string{tooMany("instance")}
	}
	for _, p := range given.list {
		if !slices.Contains(usage.NamespaceMembers, p.name) {
			faults = append(faults, notAllowed(p.name))
		} else if err := n.ParseMember(p.name, p.value); err != nil {
			faults = append(faults, "instance."+p.name+err.Error())
		}
	}
	return n, faults
}
