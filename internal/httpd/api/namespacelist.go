package api

import (
	"encoding/base64"
	"fmt"
	"net/http"
	"slices"
	"strconv"

	"github.com/backstage/functions/internal/function"
	"github.com/backstage/functions/internal/identity"
	"github.com/backstage/functions/internal/outcome"
	"github.com/backstage/functions/sandbox/rawjson"
)

const (
	// defaultNamespaces and maxNamespaces are how many namespaces one answer lists.
	defaultNamespaces = 100
	maxNamespaces     = 1000
	// namespaceBytes is about how long one is in a list.
	namespaceBytes = 64
)

var errCursor = outcome.BadRequest("cursor is not one that a list has shown as next: leave it out to begin")

// listNamespaces lists the namespaces in which the key may run functions. Where nobody needs a key it lists all, for a
// request that says by a parameter that it wants the list: others are answered as in the original, which had no list.
func (s *server) listNamespaces(w http.ResponseWriter, r *http.Request) error {
	query := r.URL.Query()
	if s.Auth == AuthOff && !query.Has("limit") && !query.Has("cursor") {
		return notFound(w, r)
	}
	limit, err := limitOf(query.Get("limit"))
	if err != nil {
		return err
	}
	after, err := base64.RawURLEncoding.DecodeString(query.Get("cursor"))
	if err != nil {
		return errCursor
	}
	names, err := s.Store.NamespaceNames(r.Context())
	if err != nil {
		return fmt.Errorf("list namespaces: %w", err)
	}
	if len(after) > 0 {
		start, found := slices.BinarySearchFunc(names, string(after), function.CompareNamespaces)
		if found {
			start++
		}
		names = names[start:]
	}
	if a := accessOf(r); a.isHeld() {
		names = slices.DeleteFunc(names, func(name string) bool { return !a.holder().May(identity.Invoke, name) })
	}
	page := names[:min(limit, len(names))]
	answer, err := s.rendering.render(r.Context(), len(page)*namespaceBytes, func() []byte {
		o := rawjson.NewObject(nil)
		o.Raw("items", itemsJSON(page, s.namespaceItem))
		if len(page) < len(names) {
			o.String("next", base64.RawURLEncoding.EncodeToString([]byte(page[len(page)-1])))
		}
		return o.End()
	})
	if err != nil {
		return fmt.Errorf("answer a list of namespaces: %w", err)
	}
	sendJSON(w, r, http.StatusOK, answer)
	return nil
}

// limitOf is how many namespaces a page may have.
func limitOf(text string) (int, error) {
	if text == "" {
		return defaultNamespaces, nil
	}
	limit, err := strconv.Atoi(text)
	if err != nil || limit < 1 || limit > maxNamespaces {
		return 0, outcome.BadRequest("limit is not a number from 1 to " + strconv.Itoa(maxNamespaces))
	}
	return limit, nil
}

func (s *server) namespaceItem(name string) []byte {
	o := rawjson.NewObject(nil)
	o.String("namespace", name)
	if s.Disabled.Check(name) != nil {
		o.Raw("disabled", []byte("true"))
	}
	return o.End()
}
