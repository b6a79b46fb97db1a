package certificate

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"log/slog"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"
)

// written is a certificate in files of a folder.
type written struct{ cert, key string }

// write puts a new pair, with that serial number, over the one before.
func (w written) write(t *testing.T, serial int64, expires time.Time) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(serial), NotAfter: expires, DNSNames: []string{"localhost"}}
	cert, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	text, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	put(t, w.cert, string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: cert})))
	put(t, w.key, string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: text})))
}

func put(t *testing.T, name, text string) {
	t.Helper()
	if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

func inFolder(t *testing.T) written {
	t.Helper()
	folder := t.TempDir()
	return written{filepath.Join(folder, "tls.crt"), filepath.Join(folder, "tls.key")}
}

func load(t *testing.T, w written) (p *Pair, log *strings.Builder) {
	t.Helper()
	log = new(strings.Builder)
	p, err := Load(w.cert, w.key, slog.New(slog.NewTextHandler(log, nil)))
	if err != nil {
		t.Fatal(err)
	}
	return p, log
}

func (p *Pair) serial() int64 { return p.current.Load().Leaf.SerialNumber.Int64() }

func TestPairIsReadAgainWhenItChanges(t *testing.T) {
	files := inFolder(t)
	soon := time.Now().Add(time.Hour)
	files.write(t, 1, soon)
	p, log := load(t, files)
	p.Reload()
	if log.Len() > 0 {
		t.Errorf("logged %s", log)
	}
	files.write(t, 2, soon)
	p.Reload()
	if p.serial() != 2 || strings.Count(log.String(), "level=INFO") != 1 {
		t.Errorf("serial %d, logged %s", p.serial(), log)
	}
}

func TestBadPairLeavesTheOneBefore(t *testing.T) {
	for name, spoil := range map[string]func(t *testing.T, w written){
		"no PEM": func(t *testing.T, w written) { t.Helper(); put(t, w.cert, "text") },
		"another key": func(t *testing.T, w written) {
			t.Helper()
			key := inFolder(t)
			key.write(t, 3, time.Now().Add(time.Hour))
			if err := os.Rename(key.key, w.key); err != nil {
				t.Fatal(err)
			}
		},
		"too large": func(t *testing.T, w written) { t.Helper(); put(t, w.key, strings.Repeat("x", maxFile+1)) },
		"missing": func(t *testing.T, w written) {
			t.Helper()
			if err := os.Remove(w.key); err != nil {
				t.Fatal(err)
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			files := inFolder(t)
			files.write(t, 1, time.Now().Add(time.Hour))
			p, log := load(t, files)
			spoil(t, files)
			p.Reload()
			p.Reload()
			if p.serial() != 1 || strings.Count(log.String(), "level=ERROR") != 1 {
				t.Errorf("serial %d, logged %s", p.serial(), log)
			}
			if _, err := Load(files.cert, files.key, p.log); err == nil {
				t.Error("a server would start with it")
			}
			files.write(t, 2, time.Now().Add(time.Hour))
			p.Reload()
			if p.serial() != 2 {
				t.Errorf("a good one after it: serial %d", p.serial())
			}
		})
	}
}

// Opening a pipe would wait for somebody to write, and hold back all that looks at the pair.
func TestWhatIsNoFileIsNotRead(t *testing.T) {
	files := inFolder(t)
	files.write(t, 1, time.Now().Add(time.Hour))
	p, log := load(t, files)
	if err := os.Remove(files.key); err != nil {
		t.Fatal(err)
	}
	if err := syscall.Mkfifo(files.key, 0o600); err != nil {
		t.Fatal(err)
	}
	p.Reload()
	if p.serial() != 1 || !strings.Contains(log.String(), files.key+" is not a regular file") {
		t.Errorf("serial %d, logged %s", p.serial(), log)
	}
	if _, err := Load(files.cert, t.TempDir(), p.log); err == nil {
		t.Error("a folder was read")
	}
}

func TestFilesAreWatched(t *testing.T) {
	files := inFolder(t)
	files.write(t, 1, time.Now().Add(time.Hour))
	p, _ := load(t, files)
	files.write(t, 2, time.Now().Add(time.Hour))
	synctest.Test(t, func(t *testing.T) {
		go p.Watch(t.Context())
		time.Sleep(2 * interval)
		synctest.Wait()
		if p.serial() != 2 {
			t.Errorf("serial %d", p.serial())
		}
	})
}

func TestExpiredPairIsWarnedOf(t *testing.T) {
	files := inFolder(t)
	files.write(t, 1, time.Now().Add(-time.Hour))
	if p, log := load(t, files); !strings.Contains(log.String(), "level=WARN") || !p.NotAfter().Before(time.Now()) {
		t.Errorf("logged %s", log)
	}
}

// Old versions, and suites without forward secrecy or authentication, are refused.
func TestOnlySoundTLSIsSpoken(t *testing.T) {
	files := inFolder(t)
	files.write(t, 1, time.Now().Add(time.Hour))
	p, _ := load(t, files)
	for name, row := range map[string]struct {
		config *tls.Config
		spoken bool
	}{
		"TLS 1.1": {&tls.Config{MinVersion: tls.VersionTLS11, MaxVersion: tls.VersionTLS11}, false},
		"CBC": {&tls.Config{
			MaxVersion: tls.VersionTLS12, CipherSuites: []uint16{tls.TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA},
		}, false},
		"TLS 1.2": {&tls.Config{MaxVersion: tls.VersionTLS12}, true},
		"TLS 1.3": {&tls.Config{MinVersion: tls.VersionTLS13}, true},
	} {
		t.Run(name, func(t *testing.T) {
			left, right := net.Pipe()
			defer left.Close()
			server := tls.Server(right, p.Config())
			go func() { _ = server.Handshake(); _ = server.Close() }() // failures show at the client
			row.config.InsecureSkipVerify = true
			client := tls.Client(left, row.config)
			if err := client.Handshake(); (err == nil) != row.spoken {
				t.Errorf("error %v", err)
			}
		})
	}
}
