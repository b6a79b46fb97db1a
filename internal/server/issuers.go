package server

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"

	"github.com/backstage/functions/internal/config"
	"github.com/backstage/functions/internal/httpd/api"
	"github.com/backstage/functions/internal/identity/oidc"
)

// openIssuers fetches the keys of the issuers of tokens in the background: a server starts without them.
func (s *server) openIssuers(ctx context.Context) (stop func() error, err error) {
	if s.cfg.Auth == config.AuthOff || len(s.cfg.Issuers) == 0 {
		return nil, nil
	}
	authorities, err := readIssuerAuthorities(s.cfg)
	if err != nil {
		return nil, err
	}
	s.tokens = oidc.New(oidc.Options{Issuers: s.cfg.Issuers, Authorities: authorities, Logger: s.log()})
	s.measures.WatchIssuers(s.tokens.Stats)
	return inBackground(ctx, s.tokens.Run), nil
}

// readIssuerAuthorities reads the files of certificates that issuers name, by their URLs.
func readIssuerAuthorities(cfg *config.Config) (map[string]*x509.CertPool, error) {
	read := map[string]*x509.CertPool{}
	var faults []error
	for _, issuer := range cfg.Issuers {
		if issuer.CA == "" {
			continue
		}
		text, err := readCertificates(issuer.CA)
		if err != nil {
			faults = append(faults, fmt.Errorf("OIDC_ISSUERS: the ca of %s: %w", issuer.URL, err))
			continue
		}
		read[issuer.URL] = x509.NewCertPool()
		read[issuer.URL].AppendCertsFromPEM([]byte(text))
	}
	return read, errors.Join(faults...)
}

// services are what /status shows beside the store.
func (s *server) services() []api.Service {
	if s.tokens == nil {
		return nil
	}
	return []api.Service{{Name: "OpenID Connect", Check: s.tokens.Check}}
}
