package server

import (
	"context"
	"crypto/tls"
	"fmt"

	"github.com/backstage/functions/internal/httpd/certificate"
)

// readCertificate reads that of TLS_CERT_FILE if it is set, and goes on to look at the files.
func (s *server) readCertificate(ctx context.Context) (stop func() error, err error) {
	if s.cfg.TLSCertFile == "" {
		return nil, nil
	}
	s.certificate, err = certificate.Load(s.cfg.TLSCertFile, s.cfg.TLSKeyFile, s.log())
	if err != nil {
		return nil, fmt.Errorf("TLS_CERT_FILE, TLS_KEY_FILE: %w", err)
	}
	return inBackground(ctx, s.certificate.Watch), nil
}

// tlsOf is how callers are spoken to with that certificate.
func tlsOf(pair *certificate.Pair) *tls.Config {
	if pair == nil {
		return nil
	}
	return pair.Config()
}
