package server

import (
	"context"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"sync/atomic"

	"github.com/backstage/functions/internal/config"
	"github.com/backstage/functions/internal/function"
	"github.com/backstage/functions/internal/httpd/api"
	"github.com/backstage/functions/internal/identity"
	"github.com/backstage/functions/internal/replica"
	"github.com/backstage/functions/internal/store"
)

// keyring has the keys of callers in memory, in step with the store.
type keyring struct {
	*identity.Keyring
	*replica.Keeper[[]identity.Key]
}

// publicList has the public functions in memory, in step with the store.
type publicList struct {
	*replica.Keeper[[]function.Open]
	access atomic.Pointer[map[function.Ref]string]
}

// newPublicList returns a list that is empty until it is loaded.
func newPublicList(source store.Public, log *slog.Logger) *publicList {
	l := new(publicList)
	use := func(all []function.Open) {
		access := make(map[function.Ref]string, len(all))
		for _, f := range all {
			access[f.Ref] = f.Access
		}
		l.access.Store(&access)
	}
	l.Keeper = replica.New(replica.Options[[]function.Open]{
		Name: "The list of public functions", Read: source.Public, Use: use, Same: slices.Equal[[]function.Open], Log: log,
	})
	return l
}

// Access is that of the function; empty if it is not in the list.
func (l *publicList) Access(ref function.Ref) string {
	access := l.access.Load()
	if access == nil {
		return ""
	}
	return (*access)[ref]
}

// Count says how many functions are in the list, and how many of them are in namespaces that match.
func (l *publicList) Count(match func(namespace string) bool) (matching, all int) {
	open := l.access.Load()
	if open == nil {
		return 0, 0
	}
	for ref := range *open {
		if match(ref.Namespace) {
			matching++
		}
	}
	return matching, len(*open)
}

// auths are the values of AUTH.
var auths = map[string]api.Auth{config.AuthOff: api.AuthOff, config.AuthLog: api.AuthLog, config.AuthOn: api.AuthOn}

// openKeys reads the list of public functions and, unless nobody needs any, the administrator's key and the stored
// ones.
func (s *server) openKeys(ctx context.Context) (stop func() error, err error) {
	s.public = newPublicList(s.store, s.log())
	if s.cfg.Auth == config.AuthOff {
		return inBackground(ctx, s.public.Run), nil
	}
	if err := checkKeyFolder(s.cfg); err != nil {
		return nil, fmt.Errorf("ADMIN_KEY_FILE: %w", err)
	}
	admin, made, err := adminKey(s.cfg.AdminKeyFile, s.log())
	if err != nil {
		return nil, fmt.Errorf("ADMIN_KEY_FILE: %w", err)
	}
	if made {
		s.log().Info("The key of the administrator was made: it is in " + s.cfg.AdminKeyFile)
	}
	ring := identity.NewKeyring(admin)
	s.keys = &keyring{ring, replica.New(replica.Options[[]identity.Key]{
		Name: "Keys", Read: s.store.Keys, Use: ring.Set, Log: s.log(),
		Same: func(a, b []identity.Key) bool { return slices.EqualFunc(a, b, identity.Key.Equal) },
	})}
	var loads sync.WaitGroup
	loads.Go(func() { load(ctx, s.public.Keeper) })
	loads.Go(func() { load(ctx, s.keys.Keeper) })
	loads.Wait()
	return inBackground(ctx, s.public.Run, s.keys.Run), nil
}

// auth sets what api.Options say of keys.
func (s *server) auth(o *api.Options) {
	o.Auth, o.Public, o.Disabled = auths[s.cfg.Auth], s.public, s.limits
	if s.keys != nil {
		o.Keyring = s.keys
	}
	if s.tokens != nil {
		o.Tokens = s.tokens
	}
}
