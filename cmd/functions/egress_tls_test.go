package main

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"io"
	"log"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// issue makes a certificate, signed by parent or, when that is nil, by itself.
func issue(t *testing.T, template *x509.Certificate, parent *tls.Certificate) *tls.Certificate {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template.NotBefore, template.NotAfter = time.Now().Add(-time.Hour), time.Now().Add(time.Hour)
	signer, signerKey := template, key
	if parent != nil {
		signer, signerKey = parent.Leaf, parent.PrivateKey.(*ecdsa.PrivateKey)
	}
	der, err := x509.CreateCertificate(rand.Reader, template, signer, &key.PublicKey, signerKey)
	if err != nil {
		t.Fatal(err)
	}
	leaf, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return &tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key, Leaf: leaf}
}

// secureSite is an HTTPS server with a certificate of a private authority, whose own certificate is in the file.
func secureSite(t *testing.T) (site *httptest.Server, file string) {
	t.Helper()
	authority := issue(t, &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "private authority"}, IsCA: true, BasicConstraintsValid: true,
		KeyUsage: x509.KeyUsageCertSign,
	}, nil)
	leaf := issue(t, &x509.Certificate{
		SerialNumber: big.NewInt(2), Subject: pkix.Name{CommonName: "site"}, DNSNames: []string{"localhost"}, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
		KeyUsage: x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	}, authority)
	site = httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		_, _ = io.WriteString(w, "behind TLS")
	}))
	site.TLS = &tls.Config{Certificates: []tls.Certificate{*leaf}, MinVersion: tls.VersionTLS12}
	site.Config.ErrorLog = log.New(io.Discard, "", 0) // those that do not trust it hang up
	site.StartTLS()
	t.Cleanup(site.Close)
	file = filepath.Join(t.TempDir(), "authority.pem")
	if err := os.WriteFile(file, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: authority.Certificate[0]}), 0o600); err != nil {
		t.Fatal(err)
	}
	return site, file
}

// fetchers fetch req.body[0] in each way that functions have and answer the body or the code of the error.
var fetchers = map[string]string{
	"request":    `require('request')(req.body[0], (error, r, body) => res.send(error ? error.code : body))`,
	"node-fetch": `require('node-fetch')(req.body[0]).then(r => r.text()).then(t => res.send(t), e => res.send(e.code))`,
	"fetch":      `fetch(req.body[0]).then(r => r.text()).then(t => res.send(t), e => res.send(e.cause.code))`,
}

func TestFunctionsTrustThePrivateAuthorityOfTheOperatorAlone(t *testing.T) {
	site, file := secureSite(t)
	_, port, err := net.SplitHostPort(site.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	for _, trusted := range []string{"true", "false"} {
		s := startServer(t, runtimesVariable(t), "EGRESS_ALLOW=127.0.0.1,localhost", "FUNCTIONS_USE_SSL_CERT_FILE="+trusted, "SSL_CERT_FILE="+file)
		for _, runtime := range runtimes {
			for name, code := range fetchers {
				if runtime == "node8" && name == "fetch" {
					continue // it has none
				}
				url := s.url + "/functions/" + runtime + "/" + name
				put(t, url, "function main(req, res) { "+code+" }", `"runtime":"`+runtime+`"`)
				want := map[string]string{"true": `"behind TLS"`, "false": `"UNABLE_TO_VERIFY_LEAF_SIGNATURE"`}[trusted]
				for _, host := range []string{"127.0.0.1", "localhost"} {
					_, got := request(t, "PUT", url+"/run", `["https://`+host+":"+port+`/"]`)
					if got != want {
						t.Errorf("%s on %s, trusted %s: %s says %s, want %s", name, runtime, trusted, host, got, want)
					}
				}
			}
		}
		s.stop(t)
	}
}

func TestAnAuthorityThatCannotBeReadEndsTheStart(t *testing.T) {
	t.Setenv("FUNCTIONS_USE_SSL_CERT_FILE", "true")
	t.Setenv("SSL_CERT_FILE", filepath.Join(t.TempDir(), "none.pem"))
	t.Setenv("DATA_DIR", t.TempDir())
	t.Setenv("PORT", "0")
	t.Setenv("METRICS_PORT", "0")
	t.Setenv("RUNNER_DIR", "../../runner-js")
	if err := run(t.Context(), []string{"serve"}, io.Discard); err == nil || !strings.HasPrefix(err.Error(), "SSL_CERT_FILE: ") {
		t.Errorf("error %v", err)
	}
}
