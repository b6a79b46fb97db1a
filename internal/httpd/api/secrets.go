package api

import (
	"context"
	"fmt"
	"mime"
	"net/http"
	"strings"
	"time"

	"github.com/backstage/functions/internal/function"
	"github.com/backstage/functions/internal/httpd/body"
	"github.com/backstage/functions/internal/outcome"
	"github.com/backstage/functions/internal/secrets"
	"github.com/backstage/functions/sandbox/rawjson"
)

// Secrets keeps the secrets of functions and namespaces; *secrets.Keeper does. It must be safe for concurrent use.
type Secrets interface {
	// Put stores a value, or returns secrets.ErrNoKeyset or function.ErrTooManySecrets.
	Put(ctx context.Context, ref function.SecretRef, value string) error
	// List returns those of a scope in the order of their names.
	List(ctx context.Context, scope function.SecretScope) ([]secrets.Entry, error)
	// Delete and DeleteAll succeed when there is nothing to delete.
	Delete(ctx context.Context, ref function.SecretRef) error
	DeleteAll(ctx context.Context, scope function.SecretScope) error
}

// noSecrets has none, and takes none.
type noSecrets struct{}

func (noSecrets) Put(context.Context, function.SecretRef, string) error { return secrets.ErrNoKeyset }

func (noSecrets) List(context.Context, function.SecretScope) ([]secrets.Entry, error) {
	return nil, nil
}

func (noSecrets) Delete(context.Context, function.SecretRef) error      { return nil }
func (noSecrets) DeleteAll(context.Context, function.SecretScope) error { return nil }

// putSecret stores the value in the body. No answer ever has it.
func (s *server) putSecret(w http.ResponseWriter, r *http.Request) error {
	ref, err := secretOf(r)
	if err != nil {
		return err
	}
	value, err := s.secretValue(r)
	if err != nil {
		return err
	}
	if err := s.Secrets.Put(r.Context(), ref, value); err != nil {
		return fmt.Errorf("put secret %s: %w", ref, err)
	}
	sendEmpty(w, http.StatusNoContent)
	return nil
}

// maxSecretBody is the longest body with a value: JSON may need six bytes for one.
const maxSecretBody = 6*function.MaxSecretBytes + 1<<10

// secretValue is the value in the body: a text, or in JSON a string or an object with it.
func (s *server) secretValue(r *http.Request) (string, error) {
	media, _, err := mime.ParseMediaType(r.Header.Get(headerType))
	options := s.bodyOptions(r, false)
	options.Limit = min(options.Limit, maxSecretBody)
	var value string
	switch {
	case r.Header.Get(headerType) == "", err == nil && strings.HasPrefix(media, "text/"),
		media == "application/octet-stream":
		text, err := body.ReadBytes(r, options)
		if err != nil {
			return "", err
		}
		value = string(text)
	case body.IsJSON(r):
		text, err := body.Read(r, options)
		if err != nil {
			return "", err
		}
		var ok bool
		if value, ok = secretIn(text); !ok {
			return "", outcome.BadRequest(`The body is not the value of a secret: send a JSON string, {"value":"…"}, ` +
				"or the value itself with Content-Type: text/plain")
		}
	default:
		return "", outcome.New(outcome.Outcome{
			Status: http.StatusUnsupportedMediaType, Fault: outcome.FaultCaller,
			Message: "Send the value of a secret with Content-Type: text/plain, or as JSON with application/json",
		})
	}
	if len(value) > function.MaxSecretBytes {
		return "", outcome.New(outcome.Outcome{
			Status: http.StatusRequestEntityTooLarge, Fault: outcome.FaultCaller,
			Message: "The value" + secrets.ValueFault(value),
		})
	}
	if fault := secrets.ValueFault(value); fault != "" {
		return "", outcome.BadRequest("The value" + fault)
	}
	return value, nil
}

// secretIn is the value in a JSON text.
func secretIn(text []byte) (value string, ok bool) {
	if rawjson.IsString(text) {
		return rawjson.Unquote(text), true
	}
	if !rawjson.IsObject(text) {
		return "", false
	}
	given := properties(text)
	held, ok := given.get("value")
	if !ok || given.more || len(given.list) != 1 || !rawjson.IsString(held) {
		return "", false
	}
	return rawjson.Unquote(held), true
}

func (s *server) deleteSecret(w http.ResponseWriter, r *http.Request) error {
	ref, err := secretOf(r)
	if err != nil {
		return err
	}
	if err := s.Secrets.Delete(r.Context(), ref); err != nil {
		return fmt.Errorf("delete secret %s: %w", ref, err)
	}
	sendEmpty(w, http.StatusNoContent)
	return nil
}

// listSecrets answers with all secrets of a function or a namespace, without their values.
func (s *server) listSecrets(w http.ResponseWriter, r *http.Request) error {
	scope, err := scopeOf(r)
	if err != nil {
		return err
	}
	all, err := s.Secrets.List(r.Context(), scope)
	if err != nil {
		return fmt.Errorf("list secrets of %s: %w", scope, err)
	}
	o := rawjson.NewObject(nil)
	o.Raw("items", itemsJSON(all, secretJSON))
	sendSchema(w, r, "secrets/list", o.End())
	return nil
}

func secretJSON(e secrets.Entry) []byte {
	o := rawjson.NewObject(nil)
	o.String("name", e.Name)
	switch {
	case e.File:
		o.String("source", "file")
	case e.Version == 0:
		o.String("fault", "the stored record cannot be read: put its value again, or delete it")
	default:
		o.Int("version", e.Version)
		o.String("created", e.Created.Format(time.RFC3339Nano))
	}
	if !e.Updated.IsZero() {
		o.String("updated", e.Updated.Format(time.RFC3339Nano))
	}
	return o.End()
}

// secretOf is the secret that the path names.
func secretOf(r *http.Request) (ref function.SecretRef, err error) {
	if ref.SecretScope, err = scopeOf(r); err != nil {
		return ref, err
	}
	if ref.Name, err = nameOf(r, "secret"); err != nil {
		return ref, err
	}
	if fault := function.SecretNameFault(ref.Name); fault != "" {
		return ref, outcome.BadRequest(fmt.Sprintf("%q%s", ref.Name, fault))
	}
	return ref, nil
}

// scopeOf is the function or the namespace that the path names.
func scopeOf(r *http.Request) (scope function.SecretScope, err error) {
	if _, ofFunction := varsOf(r)["id"]; ofFunction {
		ref, err := refOf(r)
		return function.SecretScope(ref), err
	}
	scope.Namespace, err = nameOf(r, "namespace")
	return scope, err
}
