package connections

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"io"
	"math/big"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"
)

// serverTLS is the TLS of a rig, with a certificate that nobody trusts.
var serverTLS = sync.OnceValue(func() *tls.Config {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		panic(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), NotAfter: time.Now().Add(24 * time.Hour)}
	cert, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		panic(err)
	}
	pair := tls.Certificate{Certificate: [][]byte{cert}, PrivateKey: key}
	return &tls.Config{MinVersion: tls.VersionTLS12, Certificates: []tls.Certificate{pair}}
})

func TestCallerWithoutTLSIsToldToUseIt(t *testing.T) {
	s := transport{tls: serverTLS(), h2: true}.start(t, Options{})
	plain := &rig{Port: New(s.Listener, Options{}), address: s.address}
	c := plain.dial(t, 1, get("/"))
	answer, err := http.ReadResponse(c.answers, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	if err != nil || answer.StatusCode != http.StatusBadRequest || !strings.Contains(string(text), "https://") {
		t.Errorf("%v: %d %s", err, answer.StatusCode, text)
	}
	if err := c.Close(); err != nil {
		t.Fatal(err)
	}
	s.awaitOpen(t, 0)
	if got := s.Stats().HandshakeErrors; got != 1 {
		t.Errorf("%d failures are counted", got)
	}
}

// A caller that does not finish its handshake has the time for headers, and makes place for others meanwhile.
func TestUnfinishedHandshakesMakePlaceForOthers(t *testing.T) {
	s := transport{tls: serverTLS()}.start(t, Options{Most: 2})
	plain := &rig{Port: New(s.Listener, Options{}), address: s.address}
	for range 2 {
		plain.dial(t, 1, "\x16\x03\x01")
	}
	s.awaitOpen(t, 2)
	s.dial(t, 2, get("/")).expect(t, http.StatusOK)
}

func TestRequestKnowsOfItsTLS(t *testing.T) {
	overEach(t, func(t *testing.T, over transport) {
		s := over.start(t, Options{})
		want := http.StatusOK
		if over.tls == nil {
			want = http.StatusNotFound
		}
		s.dial(t, 1, get("/tls")).expect(t, want)
	})
}
