package npm

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/backstage/functions/internal/outcome"
)

// fetchNow fetches packages and lets go of them at once.
func fetchNow(t *testing.T, c *Client, packages ...published) {
	t.Helper()
	set, err := c.Packages(t.Context(), lockOf(entriesOf(packages...)))
	if err != nil {
		t.Fatal(err)
	}
	set.Close()
	set.Close()
}

func entriesOf(packages ...published) map[string]any {
	entries := map[string]any{}
	for _, p := range packages {
		entries["node_modules/"+p.name()] = locked(p)
	}
	return entries
}

// age makes the file of p look as if it had been used long ago.
func age(t *testing.T, c *Client, p published, by time.Duration) {
	t.Helper()
	then := time.Now().Add(-by)
	if err := os.Chtimes(c.cache.path(p.sum()), then, then); err != nil {
		t.Fatal(err)
	}
}

func isKept(c *Client, p published) bool {
	_, err := os.Stat(c.cache.path(p.sum()))
	return err == nil
}

func TestPackagesAreFetchedOnce(t *testing.T) {
	t.Parallel()
	a, b := made("a", "1.0.0", "a"), made("b", "1.0.0", "b")
	shelf := newShelf(t, a, b)
	c := newClient(t, Options{Registry: shelf.URL})
	twice := entriesOf(a, b)
	twice["node_modules/b/node_modules/a"] = locked(a)
	set, err := c.Packages(t.Context(), lockOf(twice))
	if err != nil || len(set.Packages) != 3 {
		t.Fatalf("%+v, %v", set, err)
	}
	set.Close()
	if asked := shelf.requests(); len(asked) != 2 {
		t.Errorf("asked for %q", asked)
	}
	fetchNow(t, c, a, b)
	fetchNow(t, newClient(t, Options{Registry: shelf.URL, Dir: c.options.Dir}), a, b) // another server, or a later one
	if asked := shelf.requests(); len(asked) > 0 {
		t.Errorf("asked again for %q", asked)
	}
}

func TestCallersAtTheSameTimeShareADownload(t *testing.T) {
	t.Parallel()
	p := made("a", "1.0.0", "a")
	shelf := newShelf(t, p)
	c := newClient(t, Options{Registry: shelf.URL})
	var callers sync.WaitGroup
	for range 20 {
		callers.Go(func() { fetchNow(t, c, p) })
	}
	callers.Wait()
	if asked := shelf.requests(); len(asked) != 1 {
		t.Errorf("asked %d times", len(asked))
	}
}

// TestADamagedFileIsFetchedAgain has what a crash of the machine may leave.
func TestADamagedFileIsFetchedAgain(t *testing.T) {
	t.Parallel()
	p := made("a", "1.0.0", "whole")
	shelf := newShelf(t, p)
	c := newClient(t, Options{Registry: shelf.URL})
	for name, damage := range map[string]func(string) error{
		"cut off": func(path string) error { return os.Truncate(path, 2) },
		"empty":   func(path string) error { return os.Truncate(path, 0) },
		"zeros":   func(path string) error { return os.WriteFile(path, make([]byte, 5), 0o600) },
		"gone":    os.Remove,
	} {
		fetchNow(t, c, p)
		if err := damage(c.cache.path(p.sum())); err != nil {
			t.Fatal(err)
		}
		shelf.requests()
		fetchNow(t, c, p)
		text, err := os.ReadFile(c.cache.path(p.sum()))
		if err != nil || string(text) != "whole" || len(shelf.requests()) != 1 {
			t.Errorf("%s: %q, %v", name, text, err)
		}
	}
}

func TestWhatACrashLeftIsRemoved(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	old, fresh := filepath.Join(dir, temporary+"1"), filepath.Join(dir, temporary+"2")
	write(t, old, "x")
	write(t, fresh, "x") // another server may be writing it
	then := time.Now().Add(-2 * abandoned)
	if err := os.Chtimes(old, then, then); err != nil {
		t.Fatal(err)
	}
	newClient(t, Options{Registry: "http://localhost:1", Dir: dir})
	if _, err := os.Stat(old); err == nil {
		t.Error("the old file is still there")
	}
	if _, err := os.Stat(fresh); err != nil {
		t.Error(err)
	}
}

func TestWhatWasUsedLongestAgoMakesRoom(t *testing.T) {
	t.Parallel()
	var all []published
	for i := range 4 {
		all = append(all, made(fmt.Sprintf("p%d", i), "1.0.0", strings.Repeat(fmt.Sprint(i), 100)))
	}
	shelf := newShelf(t, all...)
	c := newClient(t, Options{Registry: shelf.URL, CacheSize: 300})
	write(t, filepath.Join(c.options.Dir, "not-ours"), strings.Repeat("x", 1000))
	for i, p := range all[:3] {
		fetchNow(t, c, p)
		age(t, c, p, time.Duration(10-i)*time.Hour)
	}
	fetchNow(t, c, all[0]) // used again
	age(t, c, all[0], time.Hour)
	fetchNow(t, c, all[3])
	for i, want := range []bool{true, false, true, true} {
		if isKept(c, all[i]) != want {
			t.Errorf("%s is kept: %v, want %v", all[i].name(), !want, want)
		}
	}
	if _, err := os.Stat(filepath.Join(c.options.Dir, "not-ours")); err != nil {
		t.Error(err)
	}
}

func TestWhatIsInUseStays(t *testing.T) {
	t.Parallel()
	a, b := made("a", "1.0.0", strings.Repeat("a", 100)), made("b", "1.0.0", strings.Repeat("b", 100))
	shelf := newShelf(t, a, b)
	c := newClient(t, Options{Registry: shelf.URL, CacheSize: 150})
	set, err := c.Packages(t.Context(), lockOf(entriesOf(a)))
	if err != nil {
		t.Fatal(err)
	}
	age(t, c, a, time.Hour)
	_, err = c.Packages(t.Context(), lockOf(entriesOf(b)))
	wantOutcome(t, err, http.StatusServiceUnavailable, "is in use (NPM_CACHE_SIZE)")
	if !isKept(c, a) {
		t.Error("a package in use was removed")
	}
	set.Close()
	fetchNow(t, c, b)
	if isKept(c, a) {
		t.Error("more is kept than may be")
	}
}

func TestPackagesTogetherAreLimited(t *testing.T) {
	t.Parallel()
	a, b := made("a", "1.0.0", strings.Repeat("a", 100)), made("b", "1.0.0", strings.Repeat("b", 100))
	shelf := newShelf(t, a, b)
	c := newClient(t, Options{Registry: shelf.URL, LockSize: 199})
	for range 2 { // from the registry, then from the disk
		_, err := c.Packages(t.Context(), lockOf(entriesOf(a, b)))
		wantOutcome(t, err, http.StatusRequestEntityTooLarge, "larger than 199 bytes", "NPM_PACKAGES_LIMIT")
		fetchNow(t, c, a)
		fetchNow(t, c, b)
	}
	small := newClient(t, Options{Registry: shelf.URL, LockSize: 99, Dir: c.options.Dir})
	_, err := small.Packages(t.Context(), lockOf(entriesOf(a)))
	wantOutcome(t, err, http.StatusRequestEntityTooLarge, "larger than 99 bytes")
}

func TestWithoutARegistryThePackagesAreNamed(t *testing.T) {
	t.Parallel()
	c := newClient(t, Options{})
	_, err := c.Packages(t.Context(), lockOf(entriesOf(
		made("a", "1.0.0", "a"), made("b", "1.0.0", "b"), made("c", "1.0.0", "c"), made("d", "1.0.0", "d"),
	)))
	wantOutcome(t, err, http.StatusBadRequest, "package-lock.json names packages (a 1.0.0, b 1.0.0, c 1.0.0, and 1 more)",
		"NPM_REGISTRY is not set", "npx esbuild ENTRY --bundle --platform=node")
	for _, files := range []map[string][]byte{{"index.js": nil}, lockOf(map[string]any{}), nil} {
		set, err := c.Packages(t.Context(), files)
		if err != nil || len(set.Packages) > 0 {
			t.Errorf("got %v, %v", set, err)
		}
		set.Close()
	}
	if entries, _ := os.ReadDir(c.options.Dir); len(entries) > 0 {
		t.Error("a directory was made for nothing")
	}
}

func TestAFullDiskIsTheServersFault(t *testing.T) {
	t.Parallel()
	p := made("a", "1.0.0", "a")
	shelf := newShelf(t, p)
	c := newClient(t, Options{Registry: shelf.URL})
	if err := os.Remove(c.options.Dir); err != nil {
		t.Fatal(err)
	}
	_, err := c.Packages(t.Context(), lockOf(entriesOf(p)))
	wantOutcome(t, err, http.StatusServiceUnavailable, "Packages cannot be kept")
	if o := outcome.Of(err); !o.Hidden || strings.Contains(o.Message, c.options.Dir) {
		t.Errorf("got %+v", o)
	}
}

func TestTheListOfWhatIsKeptEndsWithItsCaller(t *testing.T) {
	t.Parallel()
	p := made("a", "1.0.0", "a")
	c := newClient(t, Options{Registry: newShelf(t, p).URL})
	fetchNow(t, c, p)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, _, err := c.cache.list(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
}
