package main

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
)

func TestHealthTellsWhatTheServerAnswers(t *testing.T) {
	for _, test := range []struct {
		status     int
		text, want string // of want, what the error says
	}{
		{http.StatusOK, "WORKING", ""},
		{http.StatusInternalServerError, "Error: Storage is unavailable", "500 Internal Server Error: Error: Storage is unavailable"},
	} {
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Path != "/healthcheck" {
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
		t.Setenv("PORT", address.Port())
		var out strings.Builder
		err = run(t.Context(), []string{"health"}, &out)
		switch {
		case test.want == "" && (err != nil || out.String() != test.text+"\n"):
			t.Errorf("%q, %v", out.String(), err)
		case test.want != "" && (err == nil || !strings.Contains(err.Error(), test.want)):
			t.Errorf("%v, want %q", err, test.want)
		}
	}
	t.Setenv("PORT", "1")
	if err := run(t.Context(), []string{"health"}, new(strings.Builder)); err == nil {
		t.Error("a server that is not there is healthy")
	}
}
