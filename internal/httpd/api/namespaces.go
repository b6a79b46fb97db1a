package api

import (
	"fmt"
	"net/http"

	"github.com/backstage/functions/internal/function"
	"github.com/backstage/functions/sandbox/rawjson"
)

func (s *server) putNamespace(w http.ResponseWriter, r *http.Request) error {
	name, err := nameOf(r, "namespace")
	if err != nil {
		return err
	}
	given, ok, err := readSettings(s, w, r, parseNamespace)
	if !ok {
		return err
	}
	n := &function.Namespace{Name: name, SentryDSN: given.dsn, MaxConcurrency: given.maxConcurrency}
	if err := s.Store.PutNamespace(r.Context(), n); err != nil {
		return fmt.Errorf("put namespace %q: %w", name, err)
	}
	sendSchema(w, r, "namespaces/item", namespaceJSON(n, given.nameFirst))
	return nil
}

func (s *server) getNamespace(w http.ResponseWriter, r *http.Request) error {
	name, err := nameOf(r, "namespace")
	if err != nil {
		return err
	}
	n, err := s.Store.GetNamespace(r.Context(), name)
	if err != nil {
		return fmt.Errorf("get namespace %q: %w", name, err)
	}
	sendSchema(w, r, "namespaces/item", namespaceJSON(n, false))
	return nil
}

func (s *server) deleteNamespace(w http.ResponseWriter, r *http.Request) error {
	name, err := nameOf(r, "namespace")
	if err != nil {
		return err
	}
	if err := s.Store.DeleteNamespace(r.Context(), name); err != nil {
		return fmt.Errorf("delete namespace %q: %w", name, err)
	}
	sendEmpty(w, http.StatusNoContent)
	return nil
}

// namespaceJSON puts the name last, unless a request's body had it first.
func namespaceJSON(n *function.Namespace, nameFirst bool) []byte {
	o := rawjson.NewObject(nil)
	if nameFirst {
		o.String("namespace", n.Name)
	}
	if n.SentryDSN != nil {
		o.String("sentryDSN", *n.SentryDSN)
	}
	if n.MaxConcurrency != nil {
		o.Int("maxConcurrency", int64(*n.MaxConcurrency))
	}
	if !nameFirst {
		o.String("namespace", n.Name)
	}
	return o.End()
}
