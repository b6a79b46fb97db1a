package trace

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"strings"

	"github.com/backstage/functions/internal/smallfile"
)

// maxFile is the most bytes of one of the files.
const maxFile = 4 << 20

// The variables of OpenTelemetry's SDK that name files, with and without TRACES_ in the middle.
const (
	otlp          = "OTEL_EXPORTER_OTLP_"
	caFile        = "CERTIFICATE"
	clientFile    = "CLIENT_CERTIFICATE"
	clientKeyFile = "CLIENT_KEY"
)

// CheckFiles reads the files that the variables name, by name of the variable. The SDK leaves out a file that it cannot
// read: without the one of authorities it trusts those of the system, and without its own certificate it shows none.
// The error has a line for each fault.
func CheckFiles(variables map[string]string) error {
	var faults []error
	for _, prefix := range []string{otlp, otlp + "TRACES_"} {
		faults = append(
			faults,
			checkAuthorities(prefix+caFile, variables),
			checkPair(prefix+clientFile, prefix+clientKeyFile, variables),
		)
	}
	return errors.Join(faults...)
}

func checkAuthorities(name string, variables map[string]string) error {
	path := strings.TrimSpace(variables[name])
	if path == "" {
		return nil
	}
	text, err := smallfile.Read(path, maxFile)
	if err == nil && !x509.NewCertPool().AppendCertsFromPEM(text) {
		err = errors.New("there is no certificate in PEM in it")
	}
	if err != nil {
		return fmt.Errorf("%s: must be a file of certificates in PEM: %w, got %q", name, err, path)
	}
	return nil
}

func checkPair(certificate, key string, variables map[string]string) error {
	certificatePath, keyPath := strings.TrimSpace(variables[certificate]), strings.TrimSpace(variables[key])
	switch {
	case certificatePath == "" && keyPath == "":
		return nil
	case keyPath == "":
		return fmt.Errorf("%s: must be set together with %s, got %q alone", certificate, key, certificatePath)
	case certificatePath == "":
		return fmt.Errorf("%s: must be set together with %s, got %q alone", key, certificate, keyPath)
	}
	if err := readPair(certificatePath, keyPath); err != nil {
		return fmt.Errorf("%s and %s: must be files of a certificate and its key in PEM: %w, got %q and %q",
			certificate, key, err, certificatePath, keyPath)
	}
	return nil
}

func readPair(certificatePath, keyPath string) error {
	certificate, err := smallfile.Read(certificatePath, maxFile)
	if err != nil {
		return err
	}
	key, err := smallfile.Read(keyPath, maxFile)
	if err == nil {
		_, err = tls.X509KeyPair(certificate, key)
	}
	return err
}
