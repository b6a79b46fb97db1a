package main

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"io"
	"math/big"
	"net"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// shown is a certificate of a private authority in files, as an operator has it.
type shown struct {
	authority             *tls.Certificate
	pool                  *x509.CertPool
	ca, certFile, keyFile string
}

func newShown(t *testing.T) *shown {
	t.Helper()
	authority := issue(t, &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "private authority"}, IsCA: true,
		BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign,
	}, nil)
	folder := t.TempDir()
	s := &shown{
		authority: authority, pool: x509.NewCertPool(), ca: filepath.Join(folder, "ca.pem"),
		certFile: filepath.Join(folder, "tls.crt"), keyFile: filepath.Join(folder, "tls.key"),
	}
	s.pool.AddCert(authority.Leaf)
	writePEM(t, s.ca, "CERTIFICATE", authority.Certificate[0])
	s.renew(t, 2)
	return s
}

// renew puts a certificate with that serial number into the files.
func (s *shown) renew(t *testing.T, serial int64) {
	t.Helper()
	leaf := issue(t, &x509.Certificate{
		SerialNumber: big.NewInt(serial), Subject: pkix.Name{CommonName: "functions"}, DNSNames: []string{"localhost"},
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, KeyUsage: x509.KeyUsageDigitalSignature,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	}, s.authority)
	key, err := x509.MarshalPKCS8PrivateKey(leaf.PrivateKey)
	if err != nil {
		t.Fatal(err)
	}
	writePEM(t, s.certFile, "CERTIFICATE", leaf.Certificate[0])
	writePEM(t, s.keyFile, "PRIVATE KEY", key)
}

func writePEM(t *testing.T, name, kind string, der []byte) {
	t.Helper()
	if err := os.WriteFile(name, pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}), 0o600); err != nil {
		t.Fatal(err)
	}
}

// serial is that of the certificate which a new caller sees.
func (s *shown) serial(t *testing.T, address string) int64 {
	t.Helper()
	dialer := tls.Dialer{Config: &tls.Config{RootCAs: s.pool}}
	conn, err := dialer.DialContext(t.Context(), "tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	state := conn.(*tls.Conn).ConnectionState() //nolint:forcetypeassert // of a tls.Dialer
	return state.PeerCertificates[0].SerialNumber.Int64()
}

// curl runs curl and returns what it prints.
func curl(t *testing.T, args ...string) string {
	t.Helper()
	out, err := exec.CommandContext(t.Context(), "curl", append([]string{"-sS", "--max-time", "240"}, args...)...).
		CombinedOutput()
	if err != nil {
		t.Errorf("curl %q: %v: %s", args, err, out)
	}
	return string(out)
}

func TestServerSpeaksTLSAndTakesNewCertificates(t *testing.T) {
	files := newShown(t)
	s := startServer(t, "TLS_CERT_FILE="+files.certFile, "TLS_KEY_FILE="+files.keyFile, "HTTP2=true",
		"WEBSOCKET_CONNECTIONS=10")
	s.url = strings.Replace(s.url, "http:", "https:", 1)
	address := strings.TrimPrefix(s.url, "https://")
	client := &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: files.pool}}}
	code := deployment(`function main(req, res) { res.send({ got: req.body.n }) }`, "")
	if r := send(client, "PUT", s.url+"/functions/secure/echo", code); r.status != http.StatusOK {
		t.Fatal(r)
	}
	if r := send(client, "PUT", s.url+"/functions/secure/echo/run", `{"n":7}`); r.body != `{"got":7}` {
		t.Error(r)
	}
	for _, version := range []string{"1.1", "2"} {
		got := curl(t, "--cacert", files.ca, "--http"+version, "-w", " %{http_version}",
			"-H", "Content-Type: application/json", "-d", `{"n":8}`, s.url+"/functions/secure/echo/run")
		if got != `{"got":8} `+version {
			t.Errorf("curl got %s", got)
		}
	}
	webSocketOverTLS(t, s, client, files)
	if got := curl(t, "--cacert", files.ca, "-I", s.url+"/"); !strings.Contains(got, "profile=https://") {
		t.Errorf("links of %s", got)
	}
	if got := curl(t, strings.Replace(s.url, "https:", "http:", 1)); !strings.Contains(got, "use https://") {
		t.Errorf("without TLS curl got %s", got)
	}
	s.awaitMetric(t, `functions_http_tls_handshake_errors_total{port="api"} 1`)

	if err := os.WriteFile(files.certFile, []byte("no certificate"), 0o600); err != nil {
		t.Fatal(err)
	}
	s.hangUp(t)
	s.logs.await(t, `error: .*(The new certificate cannot be used)`)
	if got := files.serial(t, address); got != 2 {
		t.Errorf("after a bad one callers see number %d", got)
	}
	files.renew(t, 3)
	s.hangUp(t)
	eventually(t, "the new certificate", func() bool { return files.serial(t, address) == 3 })
	healthOverTLS(t, address, files)
}

// webSocketOverTLS opens a WebSocket connection with TLS. Over HTTP/2 there is none.
func webSocketOverTLS(t *testing.T, s *server, client *http.Client, files *shown) {
	t.Helper()
	code := deployment(`function main(req, res) { res.end(req.event === 'message' ? req.body : '') }`, `"websocket":{}`)
	if r := send(client, "PUT", s.url+"/functions/secure/socket", code); r.status != http.StatusOK {
		t.Fatal(r)
	}
	conn, err := tls.Dial("tcp", strings.TrimPrefix(s.url, "https://"), &tls.Config{
		RootCAs: files.pool, NextProtos: []string{"http/1.1"},
	})
	if err != nil {
		t.Fatal(err)
	}
	o := upgrade(t, conn, "/functions/secure/socket/run")
	o.say("secret")
	if got := o.frame(t); got != "secret" {
		t.Errorf("with TLS got %q", got)
	}
	got := curl(t, "--cacert", files.ca, "--http2", "-w", " %{http_code}", "-H", "Sec-WebSocket-Version: 13",
		s.url+"/functions/secure/socket/run")
	if !strings.Contains(got, "over HTTP/1.1 only") || !strings.HasSuffix(got, " 501") {
		t.Errorf("over HTTP/2 got %s", got)
	}
}

func (s *server) hangUp(t *testing.T) {
	t.Helper()
	if err := s.cmd.Process.Signal(syscall.SIGHUP); err != nil {
		t.Fatal(err)
	}
}

// healthOverTLS asks as the image does when there is no metrics port.
func healthOverTLS(t *testing.T, address string, files *shown) {
	t.Helper()
	at, err := url.Parse("//" + address)
	if err != nil {
		t.Fatal(err)
	}
	for name, value := range map[string]string{
		"HOST": at.Hostname(), "PORT": at.Port(), "USE_NODE_CLUSTER": "false",
		"TLS_CERT_FILE": files.certFile, "TLS_KEY_FILE": files.keyFile,
	} {
		t.Setenv(name, value)
	}
	var out strings.Builder
	if err := run(context.Background(), []string{"health"}, &out); err != nil {
		t.Errorf("health: %v", err)
	}
}

func TestCertificateThatCannotBeReadEndsTheStart(t *testing.T) {
	for name, value := range map[string]string{
		"TLS_CERT_FILE": filepath.Join(t.TempDir(), "none.pem"), "TLS_KEY_FILE": "none", "DATA_DIR": t.TempDir(),
		"PORT": "0", "METRICS_PORT": "0", "RUNNER_DIR": "../../runner-js",
	} {
		t.Setenv(name, value)
	}
	err := run(t.Context(), []string{"serve"}, io.Discard)
	if err == nil || !strings.HasPrefix(err.Error(), "TLS_CERT_FILE, TLS_KEY_FILE: open ") {
		t.Errorf("error %v", err)
	}
}
