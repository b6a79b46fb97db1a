package server

import (
	"context"
	"fmt"
	"slices"

	"github.com/backstage/functions/internal/config"
	"github.com/backstage/functions/internal/httpd/api"
	"github.com/backstage/functions/internal/identity"
	"github.com/backstage/functions/internal/replica"
)

// keyring has the keys of callers in memory, in step with the store.
type keyring struct {
	*identity.Keyring
	*replica.Keeper[[]identity.Key]
}

// auths are the values of AUTH.
var auths = map[string]api.Auth{config.AuthOff: api.AuthOff, config.AuthLog: api.AuthLog, config.AuthOn: api.AuthOn}

// openKeys reads the administrator's key and the stored ones, unless nobody needs any.
func (s *server) openKeys(ctx context.Context) (stop func() error, err error) {
	if s.cfg.Auth == config.AuthOff {
		return nil, nil
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
	load(ctx, s.keys.Keeper)
	return inBackground(ctx, s.keys.Run), nil
}

// auth sets what api.Options say of keys.
func (s *server) auth(o *api.Options) {
	o.Auth = auths[s.cfg.Auth]
	if s.keys != nil {
		o.Keyring = s.keys
	}
}
