package npm

import (
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// TestWhatAHostileRegistryDoesIsAnError has a registry that does not deliver one of two packages.
func TestWhatAHostileRegistryDoesIsAnError(t *testing.T) {
	t.Parallel()
	other := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		t.Errorf("another host was asked for %s, with %q", r.URL, r.Header.Get("Authorization"))
	}))
	defer other.Close()
	zeros := func(w io.Writer) {
		for {
			if _, err := w.Write(make([]byte, 64<<10)); err != nil {
				return
			}
		}
	}
	status := func(code int) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(code) }
	}
	metadata := func(answer func(w io.Writer)) http.HandlerFunc {
		return func(w http.ResponseWriter, r *http.Request) {
			if strings.HasSuffix(r.URL.Path, ".tgz") {
				http.NotFound(w, r)
				return
			}
			answer(w)
		}
	}
	for name, row := range map[string]struct {
		answer http.HandlerFunc
		status int
		want   string
	}{
		"has it not":      {http.NotFound, 400, "does not have bad 1.0.0"},
		"has it no more":  {status(http.StatusGone), 400, "does not have bad 1.0.0"},
		"wants a token":   {status(http.StatusUnauthorized), 502, "needs another NPM_REGISTRY_TOKEN"},
		"refuses":         {status(http.StatusForbidden), 502, "refuses bad 1.0.0 with status 403"},
		"is no registry":  {status(http.StatusTeapot), 502, "answers for bad 1.0.0 with status 418"},
		"answers nothing": {status(http.StatusNoContent), 502, "with status 204"},
		"is broken":       {status(http.StatusInternalServerError), 503, "did not deliver bad 1.0.0: it answered 500"},
		"is busy":         {status(http.StatusTooManyRequests), 503, "it answered 429"},
		"other bytes": {func(w http.ResponseWriter, _ *http.Request) {
			_, _ = io.WriteString(w, "others")
		}, 400, "bad 1.0.0 of the registry of this server (NPM_REGISTRY) is not the one of the lock file, whose integrity is sha512-"},
		"too few bytes": {func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Length", "100")
			_, _ = io.WriteString(w, "ba")
		}, 503, "did not deliver bad 1.0.0: the connection failed"},
		"hangs up": {func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }, 503, "the connection failed"},
		"no end": {func(w http.ResponseWriter, _ *http.Request) { zeros(w) }, 413, "larger than 1048576 bytes together " +
			"(NPM_PACKAGES_LIMIT), bad 1.0.0 among them"},
		"headers without end": {func(w http.ResponseWriter, _ *http.Request) {
			for range 1000 {
				w.Header().Add("X-Long", strings.Repeat("x", 1000))
			}
		}, 503, "the connection failed"},
		"a bomb of gzip": {func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Encoding", "gzip")
			var small bytes.Buffer
			z := gzip.NewWriter(&small)
			_, _ = z.Write(make([]byte, 8<<20))
			_ = z.Close()
			_, _ = w.Write(small.Bytes())
		}, 400, "is not the one of the lock file"},
		"elsewhere": {func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, other.URL+"/bad.tgz", http.StatusFound)
		}, 502, "sends the server to another host for bad 1.0.0"},
		"in circles": {func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, r.URL.String(), http.StatusFound)
		}, 503, "the connection failed"},
		"metadata of elsewhere": {metadata(func(w io.Writer) {
			_, _ = io.WriteString(w, `{"dist":{"tarball":"`+other.URL+`/bad.tgz"}}`)
		}), 502, "sends the server to another host for bad 1.0.0"},
		"metadata without end": {metadata(zeros), 400, "does not have bad 1.0.0"},
		"metadata of nothing": {metadata(func(w io.Writer) {
			_, _ = io.WriteString(w, `{"dist":{"tarball":"://"}}`)
		}), 502, "another host"},
		"no metadata": {metadata(func(w io.Writer) { _, _ = io.WriteString(w, `[]`) }), 400, "does not have bad 1.0.0"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			good, bad := made("good", "1.0.0", "good"), made("bad", "1.0.0", "bad")
			shelf := newShelf(t, good)
			shelf.before = func(w http.ResponseWriter, r *http.Request) bool {
				if strings.HasPrefix(r.URL.Path, "/bad/") {
					row.answer(w, r)
					return true
				}
				return false
			}
			c := newClient(t, Options{Registry: shelf.URL, Token: "secret-token"})
			set, err := c.Packages(t.Context(), lockOf(map[string]any{
				"node_modules/good": locked(good), "node_modules/bad": locked(bad),
			}))
			wantOutcome(t, err, row.status, row.want)
			if set != nil || len(c.cache.pins) > 0 {
				t.Errorf("got %v, and %d files in use", set, len(c.cache.pins))
			}
			if strings.Contains(err.Error(), "secret-token") {
				t.Errorf("the error shows the token: %v", err)
			}
			left, _ := filepath.Glob(filepath.Join(c.options.Dir, temporary+"*"))
			if len(left) > 0 {
				t.Errorf("files are left: %q", left)
			}
		})
	}
}

func TestARegistryThatIsAwayIsAnError(t *testing.T) {
	t.Parallel()
	shelf := newShelf(t)
	address := strings.Replace(shelf.URL, "://", "://user:hunter2@", 1)
	shelf.Close()
	p := made("a", "1.0.0", "a")
	_, err := newClient(t, Options{Registry: address}).
		Packages(t.Context(), lockOf(map[string]any{"node_modules/a": locked(p)}))
	wantOutcome(t, err, http.StatusServiceUnavailable, "did not deliver a 1.0.0: the connection failed")
	if strings.Contains(err.Error(), "hunter2") {
		t.Errorf("the error shows the password: %v", err)
	}
}

// TestASlowRegistryIsGivenUp has one that answers when the test is over.
func TestASlowRegistryIsGivenUp(t *testing.T) {
	t.Parallel()
	for name, begin := range map[string]string{"before the headers": "", "within the body": "a"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := made("a", "1.0.0", "ab")
			shelf, over := newShelf(t, p), make(chan struct{})
			t.Cleanup(func() { close(over) })
			shelf.before = func(w http.ResponseWriter, _ *http.Request) bool {
				if begin != "" {
					_, _ = io.WriteString(w, begin)
					_ = http.NewResponseController(w).Flush()
				}
				<-over
				return true
			}
			files := lockOf(map[string]any{"node_modules/a": locked(p)})
			_, err := newClient(t, Options{Registry: shelf.URL, Timeout: 50 * time.Millisecond}).Packages(t.Context(), files)
			wantOutcome(t, err, http.StatusServiceUnavailable, "did not deliver a 1.0.0: it took too long")
		})
	}
}

// TestACallerThatHangsUpEndsTheFetch ends the context while the registry has been asked.
func TestACallerThatHangsUpEndsTheFetch(t *testing.T) {
	t.Parallel()
	p := made("a", "1.0.0", "ab")
	shelf, over := newShelf(t, p), make(chan struct{})
	t.Cleanup(func() { close(over) })
	ctx, cancel := context.WithCancel(t.Context())
	shelf.before = func(http.ResponseWriter, *http.Request) bool {
		cancel()
		<-over
		return true
	}
	c := newClient(t, Options{Registry: shelf.URL})
	_, err := c.Packages(ctx, lockOf(map[string]any{"node_modules/a": locked(p)}))
	if !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
	if len(c.slots) > 0 || !c.fetching.Idle() {
		t.Error("a place is still taken")
	}
}

// TestASilentBodyIsGivenUp is under a clock of its own.
func TestASilentBodyIsGivenUp(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancelCause(t.Context())
		out, in := io.Pipe()
		context.AfterFunc(ctx, func() { _ = in.CloseWithError(context.Cause(ctx)) })
		body := &idleReader{body: out, ctx: ctx, cancel: cancel}
		go func() {
			for range 3 { // slow, but never silent for too long
				time.Sleep(idleTimeout - time.Second)
				_, _ = in.Write([]byte("x"))
			}
		}()
		text, err := io.ReadAll(body)
		if string(text) != "xxx" || !errors.Is(err, errIdle) {
			t.Errorf("got %q, %v", text, err)
		}
	})
}

func TestAFailureOfAMomentIsTriedAgain(t *testing.T) {
	t.Parallel()
	p := made("a", "1.0.0", strings.Repeat("a", 700<<10)) // twice as much is more than is allowed
	shelf := newShelf(t, p)
	failures := make(chan func(http.ResponseWriter), 1)
	failures <- func(w http.ResponseWriter) {
		_, _ = w.Write(p.tarball[:600<<10])
		_ = http.NewResponseController(w).Flush()
		panic(http.ErrAbortHandler)
	}
	shelf.before = func(w http.ResponseWriter, _ *http.Request) bool {
		select {
		case fail := <-failures:
			fail(w)
			return true
		default:
			return false
		}
	}
	set, err := newClient(t, Options{Registry: shelf.URL}).
		Packages(t.Context(), lockOf(map[string]any{"node_modules/a": locked(p)}))
	if err != nil {
		t.Fatal(err)
	}
	set.Close()
	if n := len(shelf.requests()); n != 2 {
		t.Errorf("%d requests", n)
	}
}

func TestTheRegistryGetsTheTokenOrTheUser(t *testing.T) {
	t.Parallel()
	p := made("@s/a", "1.0.0", "a")
	file := filepath.Join(t.TempDir(), "token")
	write(t, file, "of-the-file\n")
	for name, row := range map[string]struct {
		user    string
		options Options
		want    string
	}{
		"token": {"", Options{Token: "plain"}, "Bearer plain"},
		"file":  {"", Options{TokenFile: file}, "Bearer of-the-file"},
		"user":  {"u:p@", Options{}, "Basic dTpw"},
		"both":  {"u:p@", Options{Token: "plain"}, "Bearer plain"},
		"none":  {"", Options{}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			shelf := newShelf(t, p)
			var got []string
			shelf.before = func(w http.ResponseWriter, r *http.Request) bool {
				if got = append(got, r.Header.Get("Authorization")); !strings.HasPrefix(r.URL.Path, "/moved/") {
					http.Redirect(w, r, "/moved/x", http.StatusFound) // within the registry
					return true
				}
				_, _ = w.Write(p.tarball)
				return true
			}
			row.options.Registry = strings.Replace(shelf.URL, "://", "://"+row.user, 1) + "/npm/"
			set, err := newClient(t, row.options).Packages(t.Context(), lockOf(map[string]any{"node_modules/@s/a": locked(p)}))
			if err != nil {
				t.Fatal(err)
			}
			set.Close()
			if !slices.Equal(got, []string{row.want, row.want}) {
				t.Errorf("got %q, want twice %q", got, row.want)
			}
			if asked := shelf.requests(); asked[0] != "/npm/@s/a/-/a-1.0.0.tgz" {
				t.Errorf("asked for %q", asked)
			}
		})
	}
}

// TestARegistryWithOtherAddressesIsAsked has tarballs elsewhere in the registry, as some of companies have.
func TestARegistryWithOtherAddressesIsAsked(t *testing.T) {
	t.Parallel()
	p := made("@s/a", "1.0.0+build.1", "a")
	shelf := newShelf(t)
	shelf.before = func(w http.ResponseWriter, r *http.Request) bool {
		switch r.URL.EscapedPath() {
		case "/@s%2fa/1.0.0+build.1":
			_, _ = io.WriteString(w, `{"name":"@s/a","dist":{"tarball":"`+shelf.URL+`/download/@s/a/1"}}`)
		case "/download/@s/a/1":
			_, _ = w.Write(p.tarball)
		default:
			return false
		}
		return true
	}
	set, err := newClient(t, Options{Registry: shelf.URL}).
		Packages(t.Context(), lockOf(map[string]any{"node_modules/@s/a": locked(p)}))
	if err != nil {
		t.Fatal(err)
	}
	set.Close()
}

func TestBadOptionsAreErrors(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	write(t, filepath.Join(dir, "empty"), "\n")
	write(t, filepath.Join(dir, "two"), "a b\n")
	write(t, filepath.Join(dir, "long"), strings.Repeat("x", maxSmallFile+1))
	for name, o := range map[string]Options{
		"no file":     {TokenFile: filepath.Join(dir, "none")},
		"a folder":    {TokenFile: dir},
		"empty":       {TokenFile: filepath.Join(dir, "empty")},
		"two words":   {TokenFile: filepath.Join(dir, "two")},
		"too long":    {TokenFile: filepath.Join(dir, "long")},
		"a file here": {Dir: filepath.Join(dir, "two")},
	} {
		o.Registry = "http://localhost:1"
		if o.Dir == "" {
			o.Dir = filepath.Join(dir, "cache")
		}
		if _, err := New(o); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
	if _, err := os.Stat(filepath.Join(dir, "cache")); err == nil {
		t.Error("the cache was made for options with an error")
	}
}
