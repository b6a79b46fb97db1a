package server

import (
	"encoding/pem"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
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
