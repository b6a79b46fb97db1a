package testenv

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"testing"
	"time"
)

// Certificate names files, in PEM, of a certificate for 127.0.0.1 and its key, and of the authority that has signed it,
// which nobody else knows.
type Certificate struct{ CAFile, CertFile, KeyFile string }

// NewCertificate makes one, for a server and for a client.
func NewCertificate(tb testing.TB) Certificate {
	tb.Helper()
	dir := tb.TempDir()
	c := Certificate{filepath.Join(dir, "ca.pem"), filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem")}
	now := time.Now()
	valid := x509.Certificate{
		SerialNumber: big.NewInt(1), NotBefore: now.Add(-time.Hour), NotAfter: now.Add(24 * time.Hour),
	}
	authority := valid
	authority.Subject = pkix.Name{CommonName: "authority of a test"}
	authority.IsCA, authority.BasicConstraintsValid = true, true
	authority.KeyUsage = x509.KeyUsageCertSign
	leaf := valid
	leaf.SerialNumber = big.NewInt(2)
	leaf.IPAddresses = []net.IP{net.IPv4(127, 0, 0, 1)}
	leaf.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth}
	authorityKey, leafKey := newKey(tb), newKey(tb)
	writeCertificate(tb, c.CAFile, &authority, &authority, authorityKey, authorityKey)
	writeCertificate(tb, c.CertFile, &leaf, &authority, leafKey, authorityKey)
	text, err := x509.MarshalECPrivateKey(leafKey)
	if err != nil {
		tb.Fatal(err)
	}
	writePEM(tb, c.KeyFile, "EC PRIVATE KEY", text)
	return c
}

func newKey(tb testing.TB) *ecdsa.PrivateKey {
	tb.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		tb.Fatal(err)
	}
	return key
}

func writeCertificate(tb testing.TB, path string, c, parent *x509.Certificate, key, parentKey *ecdsa.PrivateKey) {
	tb.Helper()
	text, err := x509.CreateCertificate(rand.Reader, c, parent, &key.PublicKey, parentKey)
	if err != nil {
		tb.Fatal(err)
	}
	writePEM(tb, path, "CERTIFICATE", text)
}

func writePEM(tb testing.TB, path, kind string, text []byte) {
	tb.Helper()
	if err := os.WriteFile(path, pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: text}), 0o600); err != nil {
		tb.Fatal(err)
	}
}

// RedisTLS starts a redis-server that also takes connections with TLS, at the address that is returned, from clients
// that show a certificate of the same authority.
func RedisTLS(tb testing.TB, c Certificate, args ...string) (s *RedisServer, addr string) {
	tb.Helper()
	addr = freeAddr(tb)
	_, port, _ := net.SplitHostPort(addr)
	return Redis(tb, append([]string{
		"--tls-port", port, "--tls-cert-file", c.CertFile, "--tls-key-file", c.KeyFile, "--tls-ca-cert-file", c.CAFile,
	}, args...)...), addr
}

// RedisSentinelTLS starts a Sentinel that watches the master at an address with TLS, with further lines of
// configuration. It takes connections with TLS at the address that is returned, from clients that show a certificate of
// the same authority.
func RedisSentinelTLS(tb testing.TB, c Certificate, masterAddr, name string, lines ...string) (addr string) {
	tb.Helper()
	addr = freeAddr(tb)
	_, port, _ := net.SplitHostPort(addr)
	lines = append([]string{
		"tls-port " + port, "tls-cert-file " + c.CertFile, "tls-key-file " + c.KeyFile,
		"tls-ca-cert-file " + c.CAFile, "tls-replication yes",
	}, lines...)
	startSentinel(tb, masterAddr, name, 1, lines...)
	return addr
}

// RedisSentinelWith starts a Sentinel that watches the master at an address, with further lines of configuration.
func RedisSentinelWith(tb testing.TB, masterAddr, name string, lines ...string) *RedisServer {
	tb.Helper()
	return startSentinel(tb, masterAddr, name, 1, lines...)
}
