package sentry

import (
	"context"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

func TestCheckAsksTheServersSentry(t *testing.T) {
	status := http.StatusOK
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/api/0/" || r.Header.Get("X-Sentry-Auth") != "" {
			t.Errorf("asked %s %v", r.URL, r.Header)
		}
		w.WriteHeader(status)
	}))
	defer server.Close()
	r := newReporter(t, Options{DSN: strings.Replace(server.URL, "://", "://key@", 1) + "/prefix/1"})
	if message, err := r.Check(t.Context()); message != "OK" || err != nil {
		t.Errorf("got %q, %v", message, err)
	}
	status = http.StatusBadGateway
	if message, err := r.Check(t.Context()); message != "HTTP status: 502 requesting sentry" || err == nil {
		t.Errorf("got %q, %v", message, err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if message, err := r.Check(ctx); message != "Sentry cannot be reached" || err == nil {
		t.Errorf("got %q, %v", message, err)
	}
}

func TestCheckSaysThatNoneIsSet(t *testing.T) {
	if message, err := newReporter(t, Options{}).Check(t.Context()); message != "SENTRY_DSN is not setted yet" || err != nil {
		t.Errorf("got %q, %v", message, err)
	}
}
