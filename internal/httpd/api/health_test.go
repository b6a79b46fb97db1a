package api

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"testing"

	"github.com/backstage/functions/internal/function"
)

func TestHealthcheckFailsWithTheStore(t *testing.T) {
	store := newFakeStore()
	url := serve(t, Options{Store: store})
	for _, test := range []struct {
		err    error
		status int
		want   string
	}{
		{fmt.Errorf("%s: %w", secret, function.ErrUnavailable), 500, "Error: Storage is unavailable"},
		{errors.New(secret), 500, "Error: internal error"},
		{nil, 200, "WORKING"},
	} {
		store.mu.Lock()
		store.err = test.err
		store.mu.Unlock()
		res, body := do(t, newRequest(t, "GET", url+"/healthcheck", ""))
		expect(t, res, body, test.status, test.want)
		if got := res.Header.Get("Content-Type"); got != "text/html; charset=utf-8" {
			t.Errorf("the type is %q", got)
		}
	}
}

func TestStatusTellsWhichServiceFails(t *testing.T) {
	store := newFakeStore()
	store.err = fmt.Errorf("%s: %w", secret, function.ErrUnavailable)
	url := serve(t, Options{Store: store, Services: []Service{
		{"fine", func(context.Context) (string, error) { return `"OK"`, nil }},
		{"broken", func(context.Context) (string, error) { return "", errors.New(secret) }},
		{"refused", func(context.Context) (string, error) { return "HTTP status: 502", errors.New(secret) }},
	}})
	res, body := do(t, newRequest(t, "GET", url+"/status", ""))
	body = regexp.MustCompile(`"time":\d+`).ReplaceAllString(body, `"time":0`)
	expect(t, res, body, 500, `{"services":[{"name":"fake","status":"FAILED","message":"Error: Storage is unavailable","time":0},`+
		`{"name":"fine","status":"WORKING","message":"\"OK\"","time":0},{"name":"broken","status":"FAILED","message":"Error: internal error","time":0},`+
		`{"name":"refused","status":"FAILED","message":"Error: HTTP status: 502","time":0}]}`)
}

func TestStatusWithoutServicesNamesSentry(t *testing.T) {
	res, body := do(t, newRequest(t, "GET", serve(t, Options{})+"/status", ""))
	body = regexp.MustCompile(`"time":\d+`).ReplaceAllString(body, `"time":0`)
	expect(t, res, body, 200, `{"services":[{"name":"fake","status":"WORKING","message":"PONG","time":0},`+
		`{"name":"Sentry","status":"WORKING","message":"SENTRY_DSN is not setted yet","time":0}]}`)
}
