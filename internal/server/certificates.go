package server

import (
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"strings"

	"github.com/backstage/functions/internal/config"
	"github.com/backstage/functions/internal/smallfile"
	"github.com/backstage/functions/sandbox"
)

// maxCertificates is the most bytes of a file of certificates: every worker gets it.
const maxCertificates = 4 << 20

// readCertificates reads a file of certificates in PEM. A file without one is an error: functions would silently use
// those that come with Node.js.
func readCertificates(path string) (string, error) {
	text, err := smallfile.Read(path, maxCertificates)
	if err != nil {
		return "", err
	}
	if err := checkCertificates(text); err != nil {
		return "", fmt.Errorf("%s: %w", path, err)
	}
	return string(text), nil
}

// authorities are the certificates in PEM that functions trust: of SSL_CERT_FILE, and of NODE_EXTRA_CA_CERTS.
type authorities struct{ file, extra string }

// egress passes them to workers: whom to trust instead of, or in addition to, those that come with Node.js.
func (a authorities) egress(e *sandbox.Egress) {
	switch {
	case a.file == "":
		e.ExtraCA = a.extra
	case a.extra == "":
		e.CA = a.file
	default:
		e.CA = a.file + "\n" + a.extra
	}
}

// readAuthorities reads the files that cfg names. The error contains the errors of both.
func readAuthorities(cfg *config.Config) (authorities, error) {
	var read authorities
	var faults [2]error
	if cfg.Egress.UseCertFile && cfg.Egress.CertFile != "" {
		if read.file, faults[0] = readCertificates(cfg.Egress.CertFile); faults[0] != nil {
			faults[0] = fmt.Errorf("SSL_CERT_FILE: %w", faults[0])
		}
	}
	if cfg.Egress.ExtraCertFile != "" {
		if read.extra, faults[1] = readCertificates(cfg.Egress.ExtraCertFile); faults[1] != nil {
			faults[1] = fmt.Errorf("NODE_EXTRA_CA_CERTS: %w", faults[1])
		}
	}
	return read, errors.Join(faults[:]...)
}

func checkCertificates(text []byte) error {
	found := false
	for {
		var block *pem.Block
		if block, text = pem.Decode(text); block == nil {
			break
		}
		if strings.HasSuffix(block.Type, "PRIVATE KEY") {
			return errors.New("it holds a private key, which every function could read: leave certificates only")
		}
		// Old bundles contain some that Go refuses and Node.js accepts.
		_, err := x509.ParseCertificate(block.Bytes)
		found = found || err == nil
	}
	if !found {
		return errors.New("it holds no certificate in PEM")
	}
	return nil
}
