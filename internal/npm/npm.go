// Package npm fetches the packages that a lock file of npm names, without npm and without running their scripts: it
// reads the lock file, downloads tarballs from one registry, checks them against the lock file, and keeps them on disk.
// It unpacks nothing.
package npm

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/backstage/functions/internal/build"
	"github.com/backstage/functions/internal/smallfile"
	"github.com/backstage/functions/internal/store/keylock"
)

// Options say where packages come from and where they are kept.
type Options struct {
	// Registry is the http or https URL of the registry; it may have a path, and a user with a password. Empty for none:
	// then a lock file with packages is an error of its author.
	Registry string
	// Token is sent to the registry as a bearer token; empty for none. TokenFile is a file that holds it, which is read
	// again for each lock file; it takes precedence.
	Token, TokenFile string
	// Roots are the certificate authorities that the registry's certificate may be from; nil for those of the system.
	Roots *x509.CertPool
	// Proxy returns the proxy for a URL, nil for none. A nil Proxy uses none.
	Proxy func(*url.URL) (*url.URL, error)
	// Dir is where tarballs are kept. It is made. Several servers may share it.
	Dir string
	// CacheSize is the most bytes that are kept. LockSize is the most bytes that the tarballs of one lock file may have.
	CacheSize, LockSize int64
	// Timeout is the longest time to fetch the packages of one lock file.
	Timeout time.Duration
	// Platform is what packages have to be for; the zero value is the one of this program.
	Platform Platform
}

// Limits of one registry, for all callers together and for one of them.
const (
	maxDownloads       = 16
	maxDownloadsOfLock = 8
)

// Client fetches packages. It is safe for concurrent use.
type Client struct {
	options  Options
	cache    *cache
	registry *registry // nil for none
	fetching keylock.Locks
	slots    chan struct{} // as many values as there are downloads under way
}

// New makes a client. The error is one of the directory, of the token's file or of the URL.
func New(o Options) (*Client, error) {
	if o.Platform == (Platform{}) {
		o.Platform = thisPlatform()
	}
	c := &Client{options: o, slots: make(chan struct{}, maxDownloads)}
	if o.Registry == "" {
		return c, nil
	}
	base, err := url.Parse(o.Registry)
	if err != nil {
		return nil, fmt.Errorf("NPM_REGISTRY: %w", err)
	}
	if _, err := c.token(); err != nil {
		return nil, err
	}
	if c.cache, err = openCache(o.Dir, o.CacheSize); err != nil {
		return nil, fmt.Errorf("packages cannot be kept: %w", err)
	}
	c.registry = &registry{base: base, http: &http.Client{Transport: transport(o), CheckRedirect: sameOrigin(base)}}
	return c, nil
}

// transport never decompresses: tarballs are gzip themselves, and a bomb in Content-Encoding stays small.
func transport(o Options) http.RoundTripper {
	t := &http.Transport{
		DialContext:            dialer.DialContext,
		TLSClientConfig:        &tls.Config{RootCAs: o.Roots, MinVersion: tls.VersionTLS12},
		TLSHandshakeTimeout:    10 * time.Second,
		ResponseHeaderTimeout:  idleTimeout,
		IdleConnTimeout:        time.Minute,
		MaxConnsPerHost:        maxDownloads,
		MaxIdleConnsPerHost:    maxDownloadsOfLock,
		MaxResponseHeaderBytes: 64 << 10,
		DisableCompression:     true,
		ForceAttemptHTTP2:      true,
	}
	if o.Proxy != nil {
		t.Proxy = func(r *http.Request) (*url.URL, error) { return o.Proxy(r.URL) }
	}
	return t
}

// Set is packages whose tarballs stay on disk until Close.
type Set struct {
	Packages []build.Package
	cache    *cache
	pinned   []string
}

// Close lets go of the tarballs. It may be called more than once, and on nil.
func (s *Set) Close() {
	if s == nil {
		return
	}
	for _, sum := range s.pinned {
		s.cache.unpin(sum)
	}
	s.pinned = nil
}

// Packages fetches what the lock file in files names, if there is one: npm-shrinkwrap.json or package-lock.json, at the
// top. The caller closes the set when it has read the tarballs. Errors say what they mean, as outcome.Teller does: 400
// for what the author can mend, 413 for too much, 502 and 503 for the registry.
func (c *Client) Packages(ctx context.Context, files map[string][]byte) (*Set, error) {
	lock, err := readLock(files, c.options.Platform)
	if err != nil || len(lock.packages) == 0 {
		return &Set{}, err
	}
	if c.registry == nil {
		return nil, errOff(lock)
	}
	ctx, cancel := context.WithTimeoutCause(ctx, c.options.Timeout, errTimeout)
	defer cancel()
	return c.fetchAll(ctx, lock)
}

// token is what the registry gets, or nothing.
func (c *Client) token() (string, error) {
	if c.options.TokenFile == "" {
		return c.options.Token, nil
	}
	text, err := smallfile.Read(c.options.TokenFile, maxSmallFile)
	if err != nil {
		return "", fmt.Errorf("NPM_REGISTRY_TOKEN_FILE: %w", err)
	}
	token := strings.TrimSpace(string(text))
	if token == "" || strings.ContainsFunc(token, func(r rune) bool { return r <= ' ' || r > '~' }) {
		return "", fmt.Errorf("NPM_REGISTRY_TOKEN_FILE: %s holds no token of one line", c.options.TokenFile)
	}
	return token, nil
}
