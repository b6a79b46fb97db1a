package server

import (
	"context"
	"crypto/x509"
	"encoding/json"
	"fmt"

	"github.com/backstage/functions/internal/callbacks"
	"github.com/backstage/functions/internal/egress"
	"github.com/backstage/functions/internal/function"
	"github.com/backstage/functions/internal/httpd/api"
)

// newCallbacks makes what tells the ends of calls. It needs the calls.
func (s *server) newCallbacks() *callbacks.Sender {
	return callbacks.New(callbacks.Options{
		Queue: s.store, Dial: egress.NewDialer(s.outside).Dial, Secret: s.secretOf, Record: api.CallJSON,
		Answer: s.calls.Result, Roots: s.trusted.pool(), Timeout: s.cfg.Calls.CallbackTimeout, Observer: s.measures,
		Disabled: func(namespace string) bool { return s.limits.Check(namespace) != nil }, Logger: s.log(),
	})
}

// secretOf returns the value of one secret of a function or its namespace.
func (s *server) secretOf(ctx context.Context, ref function.Ref, name string) (string, error) {
	set, err := s.secrets.For(ctx, ref, []string{name})
	if err != nil {
		return "", err
	}
	var values map[string]string
	if err := json.Unmarshal(set.Values, &values); err != nil {
		return "", fmt.Errorf("secret %s of %s: %w", name, ref, err)
	}
	return values[name], nil
}

// pool are the certificates that callbacks trust, as functions do; nil for those of the system.
func (a authorities) pool() *x509.CertPool {
	if a.file == "" && a.extra == "" {
		return nil
	}
	pool := x509.NewCertPool()
	if a.file == "" {
		if system, err := x509.SystemCertPool(); err == nil {
			pool = system
		}
	}
	pool.AppendCertsFromPEM([]byte(a.file + "\n" + a.extra))
	return pool
}

// callbackTo says whether a caller may name that address.
func (s *server) callbackTo(address string) bool {
	return egress.Names(s.cfg.Calls.CallbackHosts, address)
}
