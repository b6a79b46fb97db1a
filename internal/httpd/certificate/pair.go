// Package certificate keeps the certificate that the server shows to its callers, and reads it again when its files
// change.
package certificate

import (
	"bytes"
	"context"
	"crypto/tls"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/backstage/functions/internal/smallfile"
)

// interval is how often the files are looked at.
const interval = 10 * time.Second

// maxFile is the most bytes of a file that are read.
const maxFile = 1 << 20

// Pair is a certificate, with those that lead to its authority, and its private key. It is safe for concurrent use.
type Pair struct {
	certFile, keyFile string
	log               *slog.Logger
	current           atomic.Pointer[tls.Certificate]

	mu   sync.Mutex // guards the field below
	seen contents   // what was last read, good or bad
}

// contents are those of the files.
type contents struct{ cert, key []byte }

// Load reads a pair from two files in PEM. Its error names the file if it is about one.
func Load(certFile, keyFile string, log *slog.Logger) (*Pair, error) {
	p := &Pair{certFile: certFile, keyFile: keyFile, log: log}
	read, err := p.read()
	if err != nil {
		return nil, err
	}
	cert, err := p.parse(read)
	if err != nil {
		return nil, err
	}
	p.seen = read
	p.current.Store(cert)
	if time.Now().After(cert.Leaf.NotAfter) {
		log.Warn("The certificate has expired: callers will refuse it", "file", certFile, "expired", cert.Leaf.NotAfter)
	}
	return p, nil
}

// NotAfter is when the certificate in force expires.
func (p *Pair) NotAfter() time.Time { return p.current.Load().Leaf.NotAfter }

// Reload takes the files as they are now. A pair that cannot be used is logged, once, and the one before stays.
func (p *Pair) Reload() {
	p.mu.Lock()
	defer p.mu.Unlock()
	read, err := p.read()
	if err == nil && p.seen.equal(read) {
		return
	}
	var cert *tls.Certificate
	if err == nil {
		cert, err = p.parse(read)
	}
	if err != nil {
		p.keep(read, err)
		return
	}
	p.seen = read
	p.current.Store(cert)
	p.log.Info("The certificate was read again", "file", p.certFile, "expires", cert.Leaf.NotAfter)
}

// keep leaves the pair as it is. Files that cannot be read count as empty ones.
func (p *Pair) keep(read contents, err error) {
	if told := p.seen.equal(read); told {
		return
	}
	p.seen = read
	p.log.Error("The new certificate cannot be used: the one before stays in force until the files are mended",
		"error", err, "expires", p.NotAfter())
}

// Watch calls Reload now and then until ctx ends.
func (p *Pair) Watch(ctx context.Context) {
	tick := time.NewTicker(interval)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
			p.Reload()
		}
	}
}

func (p *Pair) parse(read contents) (*tls.Certificate, error) {
	cert, err := tls.X509KeyPair(read.cert, read.key)
	if err != nil {
		return nil, fmt.Errorf("%s with %s: %w", p.certFile, p.keyFile, err)
	}
	return &cert, nil
}

func (p *Pair) read() (contents, error) {
	cert, err := smallfile.Read(p.certFile, maxFile)
	if err != nil {
		return contents{}, err
	}
	key, err := smallfile.Read(p.keyFile, maxFile)
	if err != nil {
		return contents{}, err
	}
	return contents{cert, key}, nil
}

func (c contents) equal(other contents) bool {
	return bytes.Equal(c.cert, other.cert) && bytes.Equal(c.key, other.key)
}
