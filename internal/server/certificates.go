package server

import (
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
)

// maxCertificates is the most bytes of a file of certificates: it goes to every worker.
const maxCertificates = 4 << 20

// readCertificates reads a file of certificates in PEM. One that holds none would leave functions with those that come with Node.js.
func readCertificates(path string) (string, error) {
	file, err := os.Open(path)
	if err != nil {
		return "", err
	}
	defer file.Close() //nolint:errcheck // only read
	text, err := io.ReadAll(io.LimitReader(file, maxCertificates+1))
	switch {
	case err != nil:
		return "", err
	case len(text) > maxCertificates:
		return "", fmt.Errorf("%s is larger than %d bytes", path, maxCertificates)
	}
	if err := checkCertificates(text); err != nil {
		return "", fmt.Errorf("%s: %w", path, err)
	}
	return string(text), nil
}

func certificatesError(err error) error { return fmt.Errorf("SSL_CERT_FILE: %w", err) }

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
		// Bundles of old hold some that Go refuses and Node.js takes.
		_, err := x509.ParseCertificate(block.Bytes)
		found = found || err == nil
	}
	if !found {
		return errors.New("it holds no certificate in PEM")
	}
	return nil
}
