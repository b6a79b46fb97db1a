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
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "private authority"}, IsCA: true,
		BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign,
	}, nil)
	leaf := issue(t, &x509.Certificate{
		SerialNumber: big.NewInt(2), Subject: pkix.Name{CommonName: "site"}, DNSNames: []string{"localhost"},
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
		KeyUsage:    x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	}, authority)
	site = httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		_, _ = io.WriteString(w, "behind TLS")
	}))
	site.TLS = &tls.Config{Certificates: []tls.Certificate{*leaf}, MinVersion: tls.VersionTLS12}
	site.Config.ErrorLog = log.New(io.Discard, "", 0) // those that do not trust it hang up
	site.StartTLS()
	t.Cleanup(site.Close)
	file = filepath.Join(t.TempDir(), "authority.pem")
	text := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: authority.Certificate[0]})
	if err := os.WriteFile(file, text, 0o600); err != nil {
		t.Fatal(err)
	}
	return site, file
}

// fetchers fetch req.body[0] in each way that functions have and answer the body or the code of the error.
var fetchers = map[string]string{
	"request":    `require('request')(req.body[0], (error, r, body) => res.send(error ? error.code : body))`,
	"node-fetch": `require('node-fetch')(req.body[0]).then(r => r.text()).then(t => res.send(t), e => res.send(e.code))`,
	"fetch":      `fetch(req.body[0]).then(r => r.text()).then(t => res.send(t), e => res.send(e.cause.code))`,
	"own cipher": `const options = { url: req.body[0], ciphers: 'ECDHE-ECDSA-AES128-GCM-SHA256' };
		require('request')(options, (error, r, body) => res.send(error ? error.code : body))`,
	"strict": `const options = { url: req.body[0], rejectUnauthorized: true };
		require('request')(options, (error, r, body) => res.send(error ? error.code : body))`,
}

func TestFunctionsTrustThePrivateAuthorityOfTheOperatorAlone(t *testing.T) {
	const trusted, refused = `"behind TLS"`, `"UNABLE_TO_VERIFY_LEAF_SIGNATURE"`
	site, file := secureSite(t)
	_, others := secureSite(t)
	_, port, err := net.SplitHostPort(site.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	for _, row := range []struct {
		variables    []string
		want, strict string
		runtimes     []string // workers get one of two lists, or neither: each is tried on all, and again on some
	}{
		{[]string{"FUNCTIONS_USE_SSL_CERT_FILE=true", "SSL_CERT_FILE=" + file}, trusted, trusted, runtimes},
		{[]string{"SSL_CERT_FILE=" + file, "NODE_TLS_REJECT_UNAUTHORIZED=0"}, refused, refused, runtimes},
		{[]string{"NODE_EXTRA_CA_CERTS=" + file}, trusted, trusted, runtimes},
		{
			[]string{"NODE_EXTRA_CA_CERTS=" + file, "FUNCTIONS_USE_SSL_CERT_FILE=true", "SSL_CERT_FILE=" + others},
			trusted, trusted, someRuntimes(),
		},
		{[]string{"NODE_EXTRA_CA_CERTS=" + others}, refused, refused, someRuntimes()},
		{[]string{"EGRESS_TLS_INSECURE=true"}, trusted, refused, runtimes},
	} {
		s := startServer(t, append(row.variables,
			runtimesVariable(t, row.runtimes...), "EGRESS_ALLOW=127.0.0.1,localhost")...)
		for _, runtime := range row.runtimes {
			for name, code := range fetchers {
				if runtime == "node8" && name == "fetch" {
					continue // it has none
				}
				url := s.url + "/functions/" + runtime + "/" + strings.ReplaceAll(name, " ", "-")
				put(t, url, "function main(req, res) { "+code+" }", `"runtime":"`+runtime+`"`)
				want := row.want
				if name == "strict" {
					want = row.strict
				}
				for _, host := range []string{"127.0.0.1", "localhost"} {
					_, got := request(t, "PUT", url+"/run", `["https://`+host+":"+port+`/"]`)
					if got != want {
						t.Errorf("%s on %s, %v: %s says %s, want %s", name, runtime, row.variables, host, got, want)
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
	t.Setenv("NODE_EXTRA_CA_CERTS", filepath.Join(t.TempDir(), "none.pem"))
	t.Setenv("DATA_DIR", t.TempDir())
	t.Setenv("PORT", "0")
	t.Setenv("METRICS_PORT", "0")
	t.Setenv("RUNNER_DIR", "../../runner-js")
	err := run(t.Context(), []string{"serve"}, io.Discard)
	if err == nil || !strings.HasPrefix(err.Error(), "SSL_CERT_FILE: ") ||
		!strings.Contains(err.Error(), "\nNODE_EXTRA_CA_CERTS: ") {
		t.Errorf("error %v", err)
	}
}
