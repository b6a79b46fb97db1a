package api

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"time"

	"github.com/backstage/functions/internal/audit"
	"github.com/backstage/functions/internal/function"
	"github.com/backstage/functions/internal/identity"
)

// postKey makes the key that the body describes. Its token is in this answer and nowhere else.
func (s *server) postKey(w http.ResponseWriter, r *http.Request) error {
	given, ok, err := readSettings(s, w, r, func(body json.RawMessage) (identity.Key, []string) {
		return parseKey(body, time.Now())
	})
	if !ok {
		return err
	}
	tellKey(recordOf(r), given)
	if !holderOf(r).Gives(given) {
		return forbidden(identity.Admin, " in all namespaces of the new key")
	}
	if !holderOf(r).Outlives(&given) {
		fault := "instance.expires is later than that of the key that makes it"
		if accessOf(r).bearer != nil {
			fault = "instance.expires is too late: a key that is made with a token is valid for 90 days at most"
		}
		sendInvalid(w, r, []string{fault})
		return nil
	}
	given.Root = rootOf(r)
	given.Limits = given.Limits.Within(accessOf(r).key.Limits)
	key, token := identity.New(given)
	recordOf(r).Name("key", key.ID)
	if err := s.putKey(r.Context(), key); err != nil {
		return fmt.Errorf("put a key: %w", err)
	}
	w.Header().Set("Cache-Control", "no-store")
	sendSchemaAs(w, r, http.StatusCreated, "keys/item", keyJSON(key, token))
	return nil
}

// rootOf is the Root of keys that the caller of r makes.
func rootOf(r *http.Request) string {
	a := accessOf(r)
	switch {
	case a.holder().MayIn(identity.Admin, identity.Everywhere):
		return ""
	case a.key.Root != "":
		return a.key.Root
	}
	return a.name()
}

// putKey stores a key, or returns identity.ErrShare if there are as many of its root as there may be. It counts again
// once the key is there, and takes it back if that is one too many: of several that are put at once, on any servers,
// the last to arrive sees all of them. So no more stay than may, though all of them may be refused. Until then nobody
// has the token.
func (s *server) putKey(ctx context.Context, key identity.Key) error {
	if key.Root == "" {
		return s.Store.PutKey(ctx, key)
	}
	if err := s.checkShare(ctx, key.Root, 1); err != nil {
		return err
	}
	if err := s.Store.PutKey(ctx, key); err != nil {
		return err
	}
	err := s.checkShare(ctx, key.Root, 0)
	if err == nil {
		return nil
	}
	// It is also taken back if the caller is gone.
	return errors.Join(err, s.Store.DeleteKey(context.WithoutCancel(ctx), key.ID))
}

// checkShare returns identity.ErrShare if there is no room for the keys of that root, so many more of them included.
func (s *server) checkShare(ctx context.Context, root string, more int) error {
	all, err := s.Store.Keys(ctx)
	if err != nil {
		return fmt.Errorf("count keys: %w", err)
	}
	has := more
	for _, key := range all {
		if key.Root == root {
			has++
		}
	}
	if !hasRoom(has-1, len(all)+more-1, function.MaxKeys) {
		return identity.ErrShare
	}
	return nil
}

// tellKey has a record say what a key is for.
func tellKey(record *audit.Record, key identity.Key) {
	record.Role, record.Namespaces = string(key.Role), nil
	for _, pattern := range key.Namespaces {
		record.Namespaces = append(record.Namespaces, identity.Mask(string(pattern)))
	}
}

func (s *server) getKey(w http.ResponseWriter, r *http.Request) error {
	key, err := s.keyNamed(r)
	if err != nil {
		return err
	}
	sendSchema(w, r, "keys/item", keyJSON(key, ""))
	return nil
}

// deleteKey revokes a key: once it has answered, this server refuses it, and the others moments later.
func (s *server) deleteKey(w http.ResponseWriter, r *http.Request) error {
	key, err := s.keyNamed(r)
	if err != nil {
		return err
	}
	tellKey(recordOf(r), key)
	if err := s.Store.DeleteKey(r.Context(), key.ID); err != nil {
		return fmt.Errorf("delete key %s: %w", key.ID, err)
	}
	sendEmpty(w, http.StatusNoContent)
	return nil
}

// listKeys answers with a page of the keys that the caller could make.
func (s *server) listKeys(w http.ResponseWriter, r *http.Request) error {
	may := func(ctx context.Context) ([]identity.Key, error) {
		all, err := s.Store.Keys(ctx)
		return slices.DeleteFunc(all, func(k identity.Key) bool { return !holderOf(r).Gives(k) }), err
	}
	return sendPage(s, w, r, "keys", keyBytes, may, func(k identity.Key) []byte { return keyJSON(k, "") })
}

// keyNamed is the key that the path names, if the caller could make it: one that it could not is not there.
func (s *server) keyNamed(r *http.Request) (identity.Key, error) {
	key, err := s.Store.Key(r.Context(), varOf(r, "key"))
	if err == nil && !holderOf(r).Gives(key) {
		key, err = identity.Key{}, identity.ErrNotFound
	}
	if err != nil {
		return key, fmt.Errorf("get key: %w", err)
	}
	return key, nil
}
