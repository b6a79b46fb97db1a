package health

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

var discard = slog.New(slog.DiscardHandler)

// passing is a check whose outcome is err, which may be nil.
func passing(name, detail string, err error) Check {
	return Check{name, func(context.Context) (string, error) { return detail, err }}
}

// ask sends a probe.
func ask(h http.HandlerFunc, method, url string) (int, string) {
	w := httptest.NewRecorder()
	h(w, httptest.NewRequest(method, url, nil))
	body, err := io.ReadAll(w.Result().Body)
	if err != nil {
		panic(err)
	}
	return w.Code, string(body)
}

func TestReadyzTellsWhatFails(t *testing.T) {
	secret := errors.New("dial tcp 10.0.0.1: refused")
	for _, row := range []struct {
		name   string
		checks []Check
		ending bool
		query  string
		status int
		want   string
	}{
		{"all pass", []Check{passing("a", "", nil), passing("b", "", nil)}, false, "", 200, `{"status":"ok"}`},
		{
			"verbose",
			[]Check{passing("a", "3 idle", nil)},
			false, "?verbose", 200,
			`{"status":"ok","checks":[{"check":"a","status":"ok","detail":"3 idle"},{"check":"shutdown","status":"ok"}]}`,
		},
		{
			"one fails",
			[]Check{passing("a", "", nil), passing("b", "", &Problem{Text: "away", Cause: secret})},
			false, "", 503,
			`{"status":"not ready","reasons":[{"check":"b","reason":"away"}]}`,
		},
		{
			"why is not for callers",
			[]Check{passing("b", "", secret)},
			false, "?verbose=1", 503,
			`{"status":"not ready","reasons":[{"check":"b","reason":"failed"}],"checks":[{"check":"b","status":"not ready","reason":"failed"},{"check":"shutdown","status":"ok"}]}`,
		},
		{"ending", nil, true, "", 503, `{"status":"not ready","reasons":[{"check":"shutdown","reason":"the server is ending"}]}`},
	} {
		t.Run(row.name, func(t *testing.T) {
			h := New(discard, row.checks...)
			if row.ending {
				h.NotReady()
			}
			if status, body := ask(h.Readyz, "GET", "/readyz"+row.query); status != row.status || body != row.want {
				t.Errorf("got %d %s, want %d %s", status, body, row.status, row.want)
			}
		})
	}
}

func TestLivezPassesWhateverFails(t *testing.T) {
	h := New(discard, passing("a", "", errors.New("away")))
	h.NotReady()
	if status, body := ask(h.Livez, "GET", "/livez"); status != 200 || body != `{"status":"ok"}` {
		t.Errorf("got %d %s", status, body)
	}
	if status, body := ask(h.Livez, "HEAD", "/livez"); status != 200 || body != "" {
		t.Errorf("HEAD: %d %q", status, body)
	}
}

func TestProbesAskAtMostOnceASecond(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var runs atomic.Int32
		h := New(discard, Check{"slow", func(ctx context.Context) (string, error) {
			runs.Add(1)
			time.Sleep(100 * time.Millisecond)
			return "", nil
		}})
		probe := func() {
			var group sync.WaitGroup
			for range 100 {
				group.Go(func() { ask(h.Readyz, "GET", "/readyz") })
			}
			group.Wait()
		}
		probe()
		probe()
		if got := runs.Load(); got != 1 {
			t.Errorf("200 probes at once ran the check %d times", got)
		}
		time.Sleep(freshness)
		probe()
		if got := runs.Load(); got != 2 {
			t.Errorf("a second later it ran %d times in all", got)
		}
	})
}

func TestNotReadyTakesEffectAtOnce(t *testing.T) {
	h := New(discard, passing("a", "", nil))
	if status, _ := ask(h.Readyz, "GET", "/readyz"); status != 200 {
		t.Fatalf("status %d", status)
	}
	h.NotReady()
	if status, _ := ask(h.Readyz, "GET", "/readyz"); status != 503 {
		t.Errorf("status %d, although the last check is a moment old", status)
	}
}

func TestCheckThatHangsFails(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := New(discard, Check{"hangs", func(ctx context.Context) (string, error) {
			<-ctx.Done()
			return "", ctx.Err()
		}})
		began := time.Now()
		if status, _ := ask(h.Readyz, "GET", "/readyz"); status != 503 || time.Since(began) != checkTimeout {
			t.Errorf("status %d after %v", status, time.Since(began))
		}
	})
}

func TestStartIsNoWarning(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var log strings.Builder
		var err error
		h := New(slog.New(slog.NewTextHandler(&log, nil)), Check{"a", func(context.Context) (string, error) { return "", err }})
		for _, next := range []error{errors.New("warming"), errors.New("warming"), nil, errors.New("away"), nil} {
			err = next
			ask(h.Readyz, "GET", "/readyz")
			time.Sleep(freshness)
		}
		var got []string
		for line := range strings.Lines(log.String()) {
			_, rest, _ := strings.Cut(line, " level=")
			got = append(got, strings.TrimSpace(rest))
		}
		want := `INFO msg="Not ready yet" check=a error=warming, INFO msg=Ready check=a, WARN msg="Not ready" check=a error=away, INFO msg="Ready again" check=a`
		if text := strings.Join(got, ", "); text != want {
			t.Errorf("log %s\nwant %s", text, want)
		}
	})
}

func TestChangesAreLoggedOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var log strings.Builder
		var err error
		h := New(slog.New(slog.NewTextHandler(&log, nil)), Check{"a", func(context.Context) (string, error) { return "", err }})
		for _, next := range []error{nil, errors.New("away"), errors.New("away"), nil, nil} {
			err = next
			ask(h.Readyz, "GET", "/readyz")
			time.Sleep(freshness)
		}
		if got := log.String(); strings.Count(got, "Not ready") != 1 || strings.Count(got, "Ready again") != 1 || !strings.Contains(got, "error=away") {
			t.Errorf("log %s", got)
		}
	})
}
