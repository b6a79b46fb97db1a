package secrets

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/backstage/functions/internal/function"
)

// Resealed says what came of encrypting all secrets anew.
type Resealed struct {
	// Secrets are all there are; Changed those that have the primary key now and had another one, Damaged those that
	// cannot be decrypted.
	Secrets, Changed, Damaged int
}

// Reseal encrypts with the primary key of keyset what is encrypted with another one, while servers go on reading and
// writing. It ends with the first error of the store.
func Reseal(ctx context.Context, store Store, keyset *Keyset) (done Resealed, err error) {
	scopes, err := store.SecretScopes(ctx)
	if err != nil {
		return done, err
	}
	for _, scope := range scopes {
		if err := resealScope(ctx, store, keyset, scope, &done); err != nil {
			return done, fmt.Errorf("secrets of %s: %w", scope, err)
		}
	}
	return done, nil
}

func resealScope(
	ctx context.Context, store Store, keyset *Keyset, scope function.SecretScope, done *Resealed,
) error {
	for range tries {
		all, err := store.Secrets(ctx, scope)
		if err != nil {
			return err
		}
		conflicts, damaged := 0, 0
		for _, secret := range all {
			changed, err := resealOne(ctx, store, keyset, secret)
			switch {
			case errors.Is(err, function.ErrSecretConflict):
				conflicts++
			case errors.Is(err, errDamaged):
				damaged++
			case err != nil:
				return err
			case changed:
				done.Changed++
			}
		}
		if conflicts == 0 {
			done.Secrets += len(all)
			done.Damaged += damaged
			return nil
		}
	}
	return errContended
}

func resealOne(ctx context.Context, store Store, keyset *Keyset, secret *function.Secret) (changed bool, err error) {
	if id, ok := keyOf(secret.Sealed); ok && id == keyset.Primary() && secret.Whole() {
		return false, nil
	}
	value, err := keyset.open(secret)
	if err != nil {
		return false, err
	}
	sealed, err := keyset.seal(secret, value)
	if err != nil {
		return false, err
	}
	err = store.PutSecret(ctx, secret.With(sealed), secret)
	return err == nil, err
}

// every is how often the file of the keyset is looked at.
const every = 5 * time.Second

// Run keeps the keys in step with their file, and encrypts all secrets anew when another key is the primary one, until
// ctx ends. It drops values that no call asks for.
func (k *Keeper) Run(ctx context.Context) {
	tick := time.NewTicker(every)
	defer tick.Stop()
	reseal := k.keys.current.Load() != nil && len(k.keys.current.Load().IDs()) > 1 // it may have been rotated before
	for ctx.Err() == nil {
		if reseal {
			reseal = !k.reseal(ctx)
		}
		select {
		case <-ctx.Done():
		case now := <-tick.C:
			k.cache.dropIdle(now)
			k.keys.again(ctx)
			reseal = k.keys.rotated.Swap(false) || reseal
		}
	}
}

// reseal says whether there is nothing left to do.
func (k *Keeper) reseal(ctx context.Context) bool {
	keyset := k.keys.current.Load()
	done, err := Reseal(ctx, k.Store, keyset)
	switch {
	case ctx.Err() != nil:
		return false
	case err != nil:
		k.Log.WarnContext(ctx, "The secrets cannot all be encrypted with the new key yet, it is tried again", "error", err)
		return false
	case done.Damaged > 0:
		k.Log.WarnContext(ctx, "Stored secrets cannot be decrypted: put their values again, or have their keys in "+
			"SECRETS_KEYSET_FILE", "secrets", done.Damaged)
	}
	k.Log.InfoContext(ctx, "All secrets are encrypted with the primary key", "key", keyset.Primary(),
		"secrets", done.Secrets, "changed", done.Changed)
	return true
}
