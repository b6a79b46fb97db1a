package compress

import (
	"bytes"
	"compress/gzip"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// tag is not in canonical form: the API writes it as everyone does.
var tag = "ETag"

var text = strings.Repeat("much of the same, ", 500)

// asked is the answer to a request with that method and Accept-Encoding.
func asked(t *testing.T, serve http.HandlerFunc, method, accept string) *httptest.ResponseRecorder {
	t.Helper()
	rec := httptest.NewRecorder()
	r := httptest.NewRequestWithContext(t.Context(), method, "/", http.NoBody)
	if accept != "" {
		r.Header.Set("Accept-Encoding", accept)
	}
	New(nil)(serve).ServeHTTP(rec, r)
	return rec
}

func unpacked(t *testing.T, packed []byte) string {
	t.Helper()
	r, err := gzip.NewReader(bytes.NewReader(packed))
	if err != nil {
		t.Fatal(err)
	}
	out, err := io.ReadAll(r)
	if err != nil {
		t.Fatal(err)
	}
	return string(out)
}

func TestOnlyWhatMayBeIsCompressed(t *testing.T) {
	for name, row := range map[string]struct {
		method, accept string
		status         int
		body           string
		header         []string // of the answer
		packed, varies bool
	}{
		"JSON":     {"GET", "gzip", 200, text, []string{"Content-Type", "application/json"}, true, true},
		"an error": {"GET", "gzip", 500, text, []string{"Content-Type", "application/json"}, true, true},
		"one of several": {
			"PUT", "br, gzip;q=0.5", 200, text,
			[]string{"Content-Type", "text/html; charset=utf-8"},
			true, true,
		},
		"any": {"GET", "*", 200, text, []string{"Content-Type", "image/svg+xml"}, true, true},
		"problem": {
			"GET", "gzip", 200, text,
			[]string{"Content-Type", "application/problem+json"},
			true, true,
		},
		"not asked for":        {"GET", "", 200, text, []string{"Content-Type", "text/css"}, false, true},
		"another":              {"GET", "br", 200, text, []string{"Content-Type", "text/css"}, false, true},
		"forbidden by callers": {"GET", "*, gzip;q=0", 200, text, []string{"Content-Type", "text/css"}, false, true},
		"weight of no sense":   {"GET", "gzip;q=x", 200, text, []string{"Content-Type", "text/css"}, false, true},
		"short":                {"GET", "gzip", 200, text[:1023], []string{"Content-Type", "text/css"}, false, true},
		"just long enough":     {"GET", "gzip", 200, text[:1024], []string{"Content-Type", "text/css"}, true, true},
		"an image":             {"GET", "gzip", 200, text, []string{"Content-Type", "image/png"}, false, false},
		"no type":              {"GET", "gzip", 200, text, nil, false, false},
		"HEAD": {
			"HEAD", "gzip", 200, "",
			[]string{"Content-Type", "text/css", "Content-Length", "9000"},
			false, true,
		},
		"a part":      {"GET", "gzip", 206, text, []string{"Content-Type", "text/css"}, false, false},
		"nothing":     {"GET", "gzip", 204, "", []string{"Content-Type", "text/css"}, false, false},
		"nothing new": {"GET", "gzip", 304, "", nil, false, true},
		"compressed already": {
			"GET", "gzip", 200, text,
			[]string{"Content-Type", "text/css", "Content-Encoding", "br"},
			false, false,
		},
		"forbidden by function": {
			"GET", "gzip", 200, text,
			[]string{"Content-Type", "text/css", "Cache-Control", "a, no-transform"},
			false, false,
		},
	} {
		t.Run(name, func(t *testing.T) {
			rec := asked(t, func(w http.ResponseWriter, _ *http.Request) {
				for i := 0; i < len(row.header); i += 2 {
					w.Header().Set(row.header[i], row.header[i+1])
				}
				if row.body != "" {
					w.Header().Set("Content-Length", strconv.Itoa(len(row.body)))
				}
				w.WriteHeader(row.status)
				if row.body != "" {
					_, _ = io.WriteString(w, row.body) // a failure shows below
				}
			}, row.method, row.accept)
			got, h := rec.Body.String(), rec.Header()
			if row.packed {
				got = unpacked(t, rec.Body.Bytes())
				if h.Get("Content-Encoding") != "gzip" || rec.Body.Len() >= len(text) ||
					h.Get("Content-Length") != strconv.Itoa(rec.Body.Len()) {
					t.Errorf("headers %v of %d bytes", h, rec.Body.Len())
				}
			} else if h.Get("Content-Encoding") == "gzip" {
				t.Error("it says that it is compressed")
			}
			if rec.Code != row.status || got != row.body || (h.Get("Vary") == "Accept-Encoding") != row.varies {
				t.Errorf("answered %d %v, %d bytes", rec.Code, h, len(got))
			}
		})
	}
}

func TestTagsAndRangesFitWhatIsSent(t *testing.T) {
	serve := func(w http.ResponseWriter, _ *http.Request) {
		h := w.Header()
		h[tag] = []string{`"v1"`}
		h.Set("Content-Type", "text/css")
		h.Set("Accept-Ranges", "bytes")
		h.Set("Vary", "Origin")
		h.Set("Content-Length", strconv.Itoa(len(text)))
		_, _ = io.WriteString(w, text[:10]) // a failure shows below
		_, _ = io.WriteString(w, text[10:]) // as above
	}
	rec := asked(t, serve, "GET", "gzip")
	if got := unpacked(t, rec.Body.Bytes()); got != text {
		t.Errorf("%d bytes", len(got))
	}
	h := rec.Header()
	if h[tag][0] != `W/"v1"` || h.Get("Accept-Ranges") != "" || strings.Join(h["Vary"], ",") != "Origin,Accept-Encoding" {
		t.Errorf("headers %v", h)
	}
	if rec := asked(t, serve, "GET", ""); rec.Body.String() != text || rec.Header()[tag][0] != `"v1"` {
		t.Errorf("as it is: %v", rec.Header())
	}
}

// Each chunk of a stream arrives as soon as it was flushed.
func TestStreamsAreCompressedAsTheyCome(t *testing.T) {
	flushed := make(chan struct{})
	server := httptest.NewServer(New(nil)(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/x-ndjson")
		for _, chunk := range []string{"one\n", "two\n"} {
			_, _ = io.WriteString(w, chunk) // a failure shows below
			if err := http.NewResponseController(w).Flush(); err != nil {
				t.Error(err)
			}
			<-flushed
		}
	})))
	defer server.Close()
	response, err := http.Get(server.URL) // which asks for gzip by itself
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	if !response.Uncompressed {
		t.Error("it is not compressed")
	}
	for _, want := range []string{"one\n", "two\n"} {
		got := make([]byte, len(want))
		if _, err := io.ReadFull(response.Body, got); err != nil || string(got) != want {
			t.Fatalf("%q, %v", got, err)
		}
		flushed <- struct{}{}
	}
	if rest, err := io.ReadAll(response.Body); err != nil || len(rest) > 0 {
		t.Errorf("then %q, %v", rest, err)
	}
}

func TestEventsAndStreamsBeyondTheLimitAreSentAsTheyAre(t *testing.T) {
	serve := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", r.URL.Query().Get("type"))
		_, _ = io.WriteString(w, text) // a failure shows below
	})
	around := New(nil)
	ports := [2]*handler{around(serve).(*handler), around(serve).(*handler)} //nolint:forcetypeassert // see New
	encodingOf := func(kind string) string {
		rec := httptest.NewRecorder()
		r := httptest.NewRequestWithContext(t.Context(), "GET", "/?type="+kind, http.NoBody)
		r.Header.Set("Accept-Encoding", "gzip")
		ports[0].ServeHTTP(rec, r)
		return rec.Header().Get("Content-Encoding")
	}
	if got := encodingOf("text/event-stream"); got != "" {
		t.Errorf("events are in %s", got)
	}
	if got := encodingOf("text/plain"); got != "gzip" {
		t.Errorf("a stream is in %q", got)
	}
	for range maxStreams {
		ports[1].streams <- struct{}{} // they share the limit
	}
	if got := encodingOf("text/plain"); got != "" {
		t.Errorf("one more is in %s", got)
	}
	if len(ports[0].streams) != maxStreams || len(ports[0].whole) != 0 {
		t.Errorf("%d and %d are taken", len(ports[0].streams), len(ports[0].whole))
	}
}

// An answer that its handler cuts off does not look whole.
func TestCutStreamHasNoEnd(t *testing.T) {
	server := httptest.NewServer(New(nil)(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/plain")
		_, _ = io.WriteString(w, text) // a failure shows below
		_ = http.NewResponseController(w).Flush()
		panic(http.ErrAbortHandler)
	})))
	defer server.Close()
	response, err := http.Get(server.URL)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	if got, err := io.ReadAll(response.Body); err == nil || !strings.HasPrefix(text, string(got)) {
		t.Errorf("%d bytes, error %v", len(got), err)
	}
}

// Who waits for the memory of an answer gets it before that is sent in gzip. What is sent as it is tells by itself.
func TestItTellsThatATextIsNotNeeded(t *testing.T) {
	for accept, want := range map[string][]string{"gzip": {"packed", "written"}, "": {"written"}} {
		var told []string
		around := New(func(r *http.Request) { told = append(told, strings.TrimPrefix(r.URL.Path, "/")) })
		serve := around(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "text/plain")
			w.Header().Set("Content-Length", strconv.Itoa(len(text)))
			_, _ = io.WriteString(w, text) // a failure shows below
		}))
		r := httptest.NewRequestWithContext(t.Context(), "GET", "/packed", http.NoBody)
		r.Header.Set("Accept-Encoding", accept)
		serve.ServeHTTP(&tellingWriter{httptest.NewRecorder(), &told}, r)
		if !slices.Equal(told, want) {
			t.Errorf("%q: %q, want %q", accept, told, want)
		}
	}
}

// tellingWriter tells that something was written.
type tellingWriter struct {
	*httptest.ResponseRecorder
	told *[]string
}

func (w *tellingWriter) Write(p []byte) (int, error) {
	*w.told = append(*w.told, "written")
	return w.ResponseRecorder.Write(p)
}
