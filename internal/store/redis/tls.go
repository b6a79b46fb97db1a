package redis

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"

	"github.com/backstage/functions/internal/smallfile"
)

// maxTLSFile is the most bytes of one of the files.
const maxTLSFile = 4 << 20

// TLS names files in PEM for endpoints with TLS; empty ones are not used.
type TLS struct {
	// CAFile holds the authorities that are trusted, in the place of the system's.
	CAFile string
	// CertFile and KeyFile are what the server shows a Redis that asks clients for a certificate.
	CertFile, KeyFile string
	// ServerName is the name that certificates must be for; empty for the host that was connected to.
	ServerName string
}

// Errors of TLS, each about one or two of its files.
var (
	ErrCAFile   = errors.New("of the authorities")
	ErrCertFile = errors.New("of the certificate and its key")
)

// Faults are those of the files: ErrCAFile, ErrCertFile or both.
func (t TLS) Faults() []error {
	var faults []error
	for _, part := range []TLS{{CAFile: t.CAFile}, {CertFile: t.CertFile, KeyFile: t.KeyFile}} {
		if _, err := part.config(); err != nil {
			faults = append(faults, err)
		}
	}
	return faults
}

func (t TLS) config() (*tls.Config, error) {
	config := &tls.Config{MinVersion: tls.VersionTLS12, ServerName: t.ServerName}
	if t.CAFile != "" {
		text, err := smallfile.Read(t.CAFile, maxTLSFile)
		if err != nil {
			return nil, fmt.Errorf("redis: the file %w: %w", ErrCAFile, err)
		}
		config.RootCAs = x509.NewCertPool()
		if !config.RootCAs.AppendCertsFromPEM(text) {
			return nil, fmt.Errorf("redis: the file %w: there is no certificate in PEM in %s", ErrCAFile, t.CAFile)
		}
	}
	if t.CertFile != "" || t.KeyFile != "" {
		pair, err := readPair(t.CertFile, t.KeyFile)
		if err != nil {
			return nil, fmt.Errorf("redis: the files %w: %w", ErrCertFile, err)
		}
		config.Certificates = []tls.Certificate{pair}
	}
	return config, nil
}

func readPair(certFile, keyFile string) (tls.Certificate, error) {
	cert, err := smallfile.Read(certFile, maxTLSFile)
	if err != nil {
		return tls.Certificate{}, err
	}
	key, err := smallfile.Read(keyFile, maxTLSFile)
	if err != nil {
		return tls.Certificate{}, err
	}
	return tls.X509KeyPair(cert, key)
}
