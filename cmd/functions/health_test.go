package main

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"strconv"
	"strings"
	"testing"
)

func TestHealthTellsWhatTheServerAnswers(t *testing.T) {
	for _, test := range []struct {
		args       []string
		path       string
		port       string
		status     int
		text, want string // of want, what the error says
	}{
		{nil, "/livez", "METRICS_PORT", http.StatusOK, `{"status":"ok"}`, ""},
		{[]string{"--ready"}, "/readyz", "METRICS_PORT", http.StatusOK, `{"status":"ok"}`, ""},
		{[]string{"--ready"}, "/readyz", "METRICS_PORT", http.StatusServiceUnavailable, "not ready", "503 Service Unavailable: not ready"},
		{nil, "/livez", "PORT", http.StatusOK, "x", ""},
	} {
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Path != test.path {
				t.Errorf("asked for %s", r.URL)
			}
			w.WriteHeader(test.status)
			_, _ = w.Write([]byte(test.text)) // a failure shows below
		}))
		defer server.Close()
		address, err := url.Parse(server.URL)
		if err != nil {
			t.Fatal(err)
		}
		t.Setenv("HOST", address.Hostname())
		t.Setenv("USE_NODE_CLUSTER", strconv.FormatBool(test.port == "METRICS_PORT"))
		t.Setenv(test.port, address.Port())
		var out strings.Builder
		err = run(t.Context(), append([]string{"health"}, test.args...), &out)
		switch {
		case test.want == "" && (err != nil || out.String() != test.text+"\n"):
			t.Errorf("%q, %v", out.String(), err)
		case test.want != "" && (err == nil || !strings.Contains(err.Error(), test.want)):
			t.Errorf("%v, want %q", err, test.want)
		}
	}
	t.Setenv("PORT", "1")
	if err := run(t.Context(), []string{"health", "now"}, new(strings.Builder)); err == nil || !strings.Contains(err.Error(), "--ready") {
		t.Errorf("an unknown argument: %v", err)
	}
	if err := run(t.Context(), []string{"health"}, new(strings.Builder)); err == nil {
		t.Error("a server that is not there is healthy")
	}
}
