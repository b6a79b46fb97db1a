package api

import (
	"fmt"
	"log/slog"
	"net/http"
	"strings"
	"testing"

	"github.com/backstage/functions/internal/invoke"
	"github.com/backstage/functions/sandbox"
)

func TestAPanicIsAnsweredAndTheServerLives(t *testing.T) {
	var log strings.Builder
	url := serve(t, Options{
		Logger: slog.New(slog.NewTextHandler(&log, nil)),
		Invoker: &fakeInvoker{run: func(invoke.Call) (*sandbox.Result, error) {
			panic("broken: " + secret)
		}},
	})
	for range 2 {
		res, body := do(t, newRequest(t, "GET", url+"/functions/n/f/run", ""))
		expect(t, res, body, 500, `{"error":"internal error"}`)
	}
	if !strings.Contains(log.String(), secret) || !strings.Contains(log.String(), "middleware_test.go") {
		t.Errorf("logged %s", log.String())
	}
}

func TestAPanicAfterTheAnswerHasBegunCutsItOff(t *testing.T) {
	s := &server{Options: Options{}.withDefaults()}
	h := s.logAccess(s.recoverPanics(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		_, _ = w.Write([]byte("half"))
		panic("broken")
	})))
	defer func() {
		if got := recover(); got != any(http.ErrAbortHandler) {
			t.Errorf("ended with %v", got)
		}
	}()
	h.ServeHTTP(discardWriter{}, newRequest(t, "GET", "/", ""))
}

func TestAnAbortIsPassedOn(t *testing.T) {
	s := &server{Options: Options{}.withDefaults()}
	defer func() {
		if got := recover(); got != any(http.ErrAbortHandler) {
			t.Errorf("ended with %v", got)
		}
	}()
	h := s.recoverPanics(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }))
	h.ServeHTTP(discardWriter{}, newRequest(t, "GET", "/", ""))
}

func TestAccessLogIsToldOfEveryRequest(t *testing.T) {
	lines := make(chan string, 1)
	url := serve(t, Options{
		Invoker: answering(&sandbox.Result{Status: 201, Body: []byte("[1]")}, nil),
		AccessLog: func(r *http.Request, a Answer) {
			if a.Took < 0 || a.Header.Get("X-Request-Id") != RequestID(r.Context()) {
				t.Errorf("got %+v", a)
			}
			lines <- fmt.Sprint(r.Method, " ", r.RequestURI, " ", a.Status, " ", a.Length)
		},
	})
	for _, test := range [][3]string{
		{"GET", "/healthcheck", "200 7"},
		{"HEAD", "/healthcheck", "200 7"},
		{"HEAD", "/", "200 -1"},
		{"GET", "/", "200 30"},
		{"POST", "/functions/n/f/run?a=1", "201 3"},
		{"DELETE", "/functions/n/f", "204 -1"},
		{"GET", "/nope", "404 28"},
	} {
		do(t, newRequest(t, test[0], url+test[1], ""))
		if got, want := <-lines, test[0]+" "+test[1]+" "+test[2]; got != want {
			t.Errorf("logged %q, want %q", got, want)
		}
	}
}

func TestEncodeRestKeepsWhatIsEncoded(t *testing.T) {
	for path, want := range map[string]string{
		"/a%2Fb":               "/a%2Fb",
		"/a%2f{b}":             "/a%2f%7Bb%7D",
		"/é|\"^`\\":            "/%C3%A9%7C%22%5E%60%5C",
		"/a b<>":               "/a%20b%3C%3E",
		"/-_.~!$&'()*+,;=:@[]": "/-_.~!$&'()*+,;=:@[]",
	} {
		if got := encodeRest(path); got != want {
			t.Errorf("encodeRest(%q) = %q, want %q", path, got, want)
		}
	}
}
