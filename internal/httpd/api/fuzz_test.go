package api

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/backstage/functions/internal/httpd/qs"

	"github.com/backstage/functions/internal/outcome"
)

func FuzzPathsAreAnswered(f *testing.F) {
	for _, seed := range [][2]string{
		{"GET", "/functions/a/b"},
		{"PUT", "/functions/a%2Fb/%E2%82%AC/env/X"},
		{"GET", "/functions?page=0&perPage=x&namespace=a&id=%00"},
		{"DELETE", "/functions/%ff/b"},
		{"OPTIONS", "/functions/a/b/run/"},
		{"PUT", "/functions/pipeline?steps[0]=a/b&steps[x]=c"},
		{"GET", "/_schemas/functions/item"},
		{"GET", "/namespaces/..%2f.."},
		{"PROPFIND", "/%"},
	} {
		f.Add(seed[0], seed[1])
	}
	handler := New(Options{Store: newFakeStore(), Invoker: &fakeInvoker{}, BodyLimit: 1 << 20}).API
	f.Fuzz(func(t *testing.T, method, target string) {
		r := requestTo(method, target)
		if r == nil {
			return
		}
		w := httptest.NewRecorder()
		handler.ServeHTTP(w, r)
		if w.Code >= http.StatusInternalServerError {
			t.Errorf("%s %q: %d %s", method, target, w.Code, w.Body)
		}
		isJSON := strings.HasPrefix(w.Header().Get("Content-Type"), "application/json")
		if isJSON && w.Body.Len() > 0 && !json.Valid(w.Body.Bytes()) {
			t.Errorf("%s %q: %d, not JSON: %s", method, target, w.Code, w.Body)
		}
	})
}

// requestTo is the request that the server would read from a line with method and target; nil when it would read none.
func requestTo(method, target string) *http.Request {
	u, err := url.ParseRequestURI(target)
	if err != nil || !strings.HasPrefix(target, "/") {
		return nil
	}
	r, err := http.NewRequest(method, "http://localhost/", strings.NewReader("{}"))
	if err != nil {
		return nil
	}
	r.URL, r.RequestURI = u, target
	r.Header.Set("Content-Type", "application/json")
	return r
}

func FuzzStepsAreReadOrExplained(f *testing.F) {
	for _, seed := range []string{"", "steps[0]=a/b", "steps[]=a/b&steps[]=c", "steps=a/b", "steps[x]=a/b", "steps[0][0]=a/b", "steps[]=/", "steps[]=%00/%ff"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, query string) {
		steps, _, err := stepsOf(qs.Parse(query), DefaultMaxSteps)
		if (err == nil) != (len(steps) > 0) {
			t.Errorf("%q: %d steps, error %v", query, len(steps), err)
		}
		if err != nil && outcome.Of(err).Status != http.StatusBadRequest {
			t.Errorf("%q: %v", query, err)
		}
	})
}

func FuzzTagsMatchThemselves(f *testing.F) {
	f.Add(`"a"`, `W/"b", "c"`)
	f.Add(`W/"3-x"`, `*`)
	f.Add("", ",")
	f.Fuzz(func(t *testing.T, tag, list string) {
		if strings.ContainsAny(tag, ", ") || strings.TrimPrefix(tag, "W/") == "" {
			return
		}
		if !matchesTag(list+", "+tag, tag) {
			t.Errorf("%q is not found at the end of %q", tag, list)
		}
		if tag != "*" && matchesTag("", tag) {
			t.Errorf("%q is found in nothing", tag)
		}
	})
}
