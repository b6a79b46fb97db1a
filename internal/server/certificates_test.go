package server

import (
	"encoding/pem"
	"errors"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/backstage/functions/internal/store/redis"
	"github.com/backstage/functions/internal/testenv"
)

func TestAFileWithoutCertificatesEndsTheStart(t *testing.T) {
	site := httptest.NewTLSServer(nil)
	defer site.Close()
	good := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: site.Certificate().Raw})
	key := "-----BEGIN EC PRIVATE KEY-----\nAAAA\n-----END EC PRIVATE KEY-----\n"
	for text, want := range map[string]string{
		string(good):                   "",
		"# a comment\n" + string(good): "",
		"":                             "holds no certificate",
		"not PEM":                      "holds no certificate",
		"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n": "holds no certificate",
		string(good) + key:         "holds a private key",
		strings.Repeat(" ", 5<<20): "is larger than",
	} {
		path := filepath.Join(t.TempDir(), "ca.pem")
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		got, err := readCertificates(path)
		if want == "" && (err != nil || got != text) || want != "" && (err == nil || !strings.Contains(err.Error(), want)) {
			t.Errorf("%.50q: %v, want %q", text, err, want)
		}
	}
}

// Nobody writes to a pipe in the place of a file: the start must not wait for that.
func TestAPipeInPlaceOfAFileIsNotWaitedFor(t *testing.T) {
	pipe := filepath.Join(t.TempDir(), "pipe")
	if err := syscall.Mkfifo(pipe, 0o600); err != nil {
		t.Fatal(err)
	}
	good := testenv.NewCertificate(t)
	_, certificates := readCertificates(pipe)
	_, key := readKeyFile(pipe)
	faults := map[string]error{"certificates": certificates, "key": key}
	for name, files := range map[string]redis.TLS{
		"Redis' authorities": {CAFile: pipe},
		"Redis' certificate": {CertFile: pipe, KeyFile: good.KeyFile},
		"Redis' key":         {CertFile: good.CertFile, KeyFile: pipe},
	} {
		faults[name] = errors.Join(files.Faults()...)
	}
	for name, err := range faults {
		if err == nil || !strings.Contains(err.Error(), pipe+" is not a regular file") {
			t.Errorf("%s: %v", name, err)
		}
	}
	t.Setenv("HOME", t.TempDir())
	if err := os.Rename(pipe, filepath.Join(os.Getenv("HOME"), ".npmrc")); err != nil {
		t.Fatal(err)
	}
	if registry := ofNpmrc(); registry != "" {
		t.Errorf("the registry is %q", registry)
	}
}
