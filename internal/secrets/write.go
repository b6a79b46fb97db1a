package secrets

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/backstage/functions/internal/function"
	"github.com/backstage/functions/internal/outcome"
)

// Entry is what is shown of a secret.
type Entry struct {
	Name string
	// Version counts its values from 1; 0 for one that is a file, and for one that cannot be read.
	Version int64
	// Created is zero for a file; both are zero for one that cannot be read.
	Created, Updated time.Time
	// File says that it is a file in SECRETS_DIR, which goes before one in the store.
	File bool
}

// List returns the secrets of a scope in the order of their names, as this server has them.
func (k *Keeper) List(ctx context.Context, scope function.SecretScope) ([]Entry, error) {
	stored, err := k.Store.Secrets(ctx, scope)
	if err != nil {
		return nil, err
	}
	files, err := k.dir.list(scope)
	if err != nil {
		return nil, err
	}
	var all []Entry
	for _, secret := range stored {
		if _, file := files[secret.Name]; !file {
			all = append(all, Entry{
				Name: secret.Name, Version: secret.Version, Created: secret.Created, Updated: secret.Updated,
			})
		}
	}
	for name, changed := range files {
		all = append(all, Entry{Name: name, Updated: changed.UTC(), File: true})
	}
	slices.SortFunc(all, func(a, b Entry) int { return strings.Compare(a.Name, b.Name) })
	return all, nil
}

// tries is how often a write is tried that others are faster with.
const tries = 20

// errContended is that of a write which others were always faster with.
var errContended = outcome.New(outcome.Outcome{
	Status: http.StatusConflict, Reason: "conflict", Message: "The secret is being written by others: try again",
	Fault: outcome.FaultCaller, Retry: true,
})

// Put stores a new value. It has no ValueFault, and the name no function.SecretNameFault.
func (k *Keeper) Put(ctx context.Context, ref function.SecretRef, value string) error {
	keyset := k.keys.current.Load()
	if keyset == nil {
		return ErrNoKeyset
	}
	for range tries {
		stored, err := k.Store.Secrets(ctx, ref.SecretScope)
		if err != nil {
			return err
		}
		was := named(stored, ref.Name)
		next := k.after(was, ref)
		if next.Sealed, err = keyset.seal(next, []byte(value)); err != nil {
			return err
		}
		err = k.Store.PutSecret(ctx, next, was)
		if errors.Is(err, function.ErrSecretConflict) {
			continue
		}
		if err == nil {
			k.marks.see(next)
			k.cache.changed(ref.Namespace)
		}
		return err
	}
	return errContended
}

// after is the version after was, which may be nil, without its value. Its time is after those of all that this server
// has seen, whatever the clock says.
func (k *Keeper) after(was *function.Secret, ref function.SecretRef) *function.Secret {
	const step = time.Millisecond
	now := time.Now().UTC().Truncate(step)
	for _, before := range []time.Time{k.marks.of(ref), updatedOf(was)} {
		if earliest := before.Add(step); !before.IsZero() && now.Before(earliest) {
			now = earliest
		}
	}
	next := &function.Secret{SecretRef: ref, Version: 1, Created: now, Updated: now}
	if was != nil && was.Whole() {
		next.Version, next.Created = was.Version+1, was.Created
	}
	return next
}

func updatedOf(s *function.Secret) time.Time {
	if s == nil {
		return time.Time{}
	}
	return s.Updated
}

// Delete removes a stored secret. A missing one is no error.
func (k *Keeper) Delete(ctx context.Context, ref function.SecretRef) error {
	defer k.cache.changed(ref.Namespace)
	return k.Store.DeleteSecret(ctx, ref)
}

// DeleteAll removes all stored secrets of a scope. Where there are none, it writes nothing.
func (k *Keeper) DeleteAll(ctx context.Context, scope function.SecretScope) error {
	if stored, err := k.Store.Secrets(ctx, scope); err == nil && len(stored) == 0 {
		return nil
	}
	defer k.cache.changed(scope.Namespace)
	return k.Store.DeleteSecrets(ctx, scope)
}
