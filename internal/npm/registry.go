package npm

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"
)

// idleTimeout is the longest time that a registry may send nothing.
const idleTimeout = 10 * time.Second

const (
	maxRedirects = 5
	maxMetadata  = 1 << 20
	maxSmallFile = 16 << 10
)

var dialer = net.Dialer{Timeout: 10 * time.Second}

// registry is where packages come from. Addresses in lock files are not used: they are the author's.
type registry struct {
	base *url.URL
	http *http.Client
}

// tarball opens the tarball of d. It is at name/-/base-version.tgz in all registries but a few; those tell where.
func (r *registry) tarball(ctx context.Context, d *dependency, token string) (io.ReadCloser, error) {
	base := d.name[strings.LastIndexByte(d.name, '/')+1:]
	version, _, _ := strings.Cut(d.version, "+")
	body, err := r.get(ctx, r.base.JoinPath(d.name, "-", base+"-"+version+".tgz"), token)
	if !errors.Is(err, errMissing) {
		return body, err
	}
	other, err := r.locate(ctx, d, token)
	if err != nil {
		return nil, err
	}
	return r.get(ctx, other, token)
}

// locate asks where the tarball of d is. The answer has to be at the registry itself.
func (r *registry) locate(ctx context.Context, d *dependency, token string) (*url.URL, error) {
	body, err := r.get(ctx, r.base.JoinPath(strings.ReplaceAll(d.name, "/", "%2f"), d.version), token)
	if err != nil {
		return nil, err
	}
	defer body.Close()
	text, err := io.ReadAll(io.LimitReader(body, maxMetadata+1))
	if err != nil {
		return nil, err
	}
	var found struct {
		Dist struct {
			Tarball string `json:"tarball"`
		} `json:"dist"`
	}
	if len(text) > maxMetadata || json.Unmarshal(text, &found) != nil || found.Dist.Tarball == "" {
		return nil, errMissing
	}
	at, err := url.Parse(found.Dist.Tarball)
	if err != nil || !isSameOrigin(r.base, at) {
		return nil, errElsewhere
	}
	return at, nil
}

// get opens what is at u. The caller closes it.
func (r *registry) get(ctx context.Context, u *url.URL, token string) (io.ReadCloser, error) {
	ctx, cancel := context.WithCancelCause(ctx)
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, u.String(), http.NoBody)
	if err != nil {
		cancel(nil)
		return nil, err
	}
	if token != "" {
		request.Header.Set("Authorization", "Bearer "+token)
	} else if user := r.base.User; user != nil {
		password, _ := user.Password()
		request.SetBasicAuth(user.Username(), password)
	}
	response, err := r.http.Do(request)
	if err != nil {
		cause := context.Cause(ctx)
		cancel(nil)
		return nil, errors.Join(err, cause)
	}
	if response.StatusCode != http.StatusOK {
		_ = response.Body.Close() // nothing was read of it
		cancel(nil)
		if response.StatusCode == http.StatusNotFound || response.StatusCode == http.StatusGone {
			return nil, errMissing
		}
		return nil, statusError(response.StatusCode)
	}
	return &idleReader{body: response.Body, size: response.ContentLength, ctx: ctx, cancel: cancel}, nil
}

// sameOrigin follows redirects within the registry. Another host could be one that the author of a lock file must not
// reach, and would get the token.
func sameOrigin(base *url.URL) func(*http.Request, []*http.Request) error {
	return func(next *http.Request, before []*http.Request) error {
		if !isSameOrigin(base, next.URL) {
			return errElsewhere
		}
		if len(before) > maxRedirects {
			return fmt.Errorf("it redirects more than %d times", maxRedirects)
		}
		return nil
	}
}

func isSameOrigin(a, b *url.URL) bool {
	return strings.EqualFold(a.Scheme, b.Scheme) && strings.EqualFold(a.Hostname(), b.Hostname()) && port(a) == port(b)
}

func port(u *url.URL) string {
	switch {
	case u.Port() != "":
		return u.Port()
	case strings.EqualFold(u.Scheme, "https"):
		return "443"
	}
	return "80"
}

// idleReader ends a body that sends nothing for idleTimeout.
type idleReader struct {
	body   io.ReadCloser
	size   int64 // bytes; -1 where the registry does not say
	ctx    context.Context
	cancel context.CancelCauseFunc
}

func (r *idleReader) Read(p []byte) (int, error) {
	timer := time.AfterFunc(idleTimeout, func() { r.cancel(errIdle) })
	defer timer.Stop()
	n, err := r.body.Read(p)
	if err != nil && !errors.Is(err, io.EOF) {
		err = errors.Join(err, context.Cause(r.ctx))
	}
	return n, err
}

func (r *idleReader) Close() error {
	err := r.body.Close()
	r.cancel(nil)
	return err
}
