package sentry

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"time"
)

// maxAnswer is how much of an answer is read so that its connection can be used again, in bytes.
const maxAnswer = 4 << 10

// newTransport uses no proxy: addresses come from functions too, and a proxy would lead them where the server may go
// but functions may not.
func newTransport() *http.Transport {
	t := http.DefaultTransport.(*http.Transport).Clone()
	t.Proxy = nil
	t.MaxIdleConns = 2 * (serverSenders + othersSenders)
	return t
}

// newClient follows no redirects: they would lead elsewhere than the address that was given.
func newClient(transport http.RoundTripper) *http.Client {
	return &http.Client{
		Transport: transport, Timeout: sendTimeout,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

// clientOf returns what may connect to a project.
func (s *sender) clientOf(p project) *http.Client {
	if p.trusted || s.tenants.dial == nil {
		return s.client
	}
	return s.tenants.of(p.namespace)
}

// unreachableError says that a host gave no answer.
type unreachableError struct{ error }

func (e unreachableError) Unwrap() error { return e.error }

// backoffKey is what is to be left alone after err: the host if that gave no answer, and else the project.
func backoffKey(p project, err error) string {
	if _, ok := errors.AsType[unreachableError](err); ok {
		return p.hostKey()
	}
	return p.key()
}

// deliver sends r and says how long its project, or its host if err is an unreachableError, is to be left alone.
func (s *sender) deliver(r *report) (backoff time.Duration, err error) {
	req, err := r.request()
	if err != nil {
		return longBackoff, err
	}
	answer, err := s.clientOf(r.project).Do(req.WithContext(s.ctx))
	if err != nil {
		return shortBackoff, unreachableError{err}
	}
	defer answer.Body.Close()
	_, _ = io.Copy(io.Discard, io.LimitReader(answer.Body, maxAnswer))
	backoff = backoffOf(answer)
	if answer.StatusCode >= 300 {
		err = fmt.Errorf("HTTP status: %d", answer.StatusCode)
	}
	return backoff, err
}
