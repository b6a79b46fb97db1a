package invoke

import (
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/backstage/functions/internal/function"
)

func (f *fixture) find(t *testing.T, name string) Found {
	t.Helper()
	found, err := f.Find(t.Context(), ref(name))
	if err != nil {
		t.Fatal(err)
	}
	return found
}

// runFound returns what the function answered that was found before.
func (f *fixture) runFound(t *testing.T, found Found) string {
	t.Helper()
	result, err := f.Run(t.Context(), Call{ID: "call", Ref: found.Function.Ref, Found: found})
	if err != nil {
		t.Fatal(err)
	}
	return string(result.Body)
}

func TestWhatWasFoundRunsWithoutAnotherSearch(t *testing.T) {
	for name, limit := range map[string]int64{"kept": DefaultCacheBytes, "without room": 1} {
		synctest.Test(t, func(t *testing.T) {
			f := newFixture(stored("a/b", "one"))
			f.cache.kept.limit = limit
			if got := f.runFound(t, f.find(t, "a/b")); got != `"one"` {
				t.Errorf("%s: ran %s", name, got)
			}
			f.expectAsked(t, 1, 0)
			if s := f.CacheStats(); s.Hits != 0 || s.Misses != 1 || s.Stale != 0 {
				t.Errorf("%s: counted %+v", name, s)
			}
		})
	}
}

// A request may take long to arrive; it must not run code that was replaced meanwhile.
func TestWhatWasFoundIsNotRunWhenItWasReplaced(t *testing.T) {
	for name, limit := range map[string]int64{"kept": DefaultCacheBytes, "without room": 1} {
		synctest.Test(t, func(t *testing.T) {
			f := newFixture(stored("a/b", "one"))
			f.cache.kept.limit = limit
			found := f.find(t, "a/b")
			f.source.put("a/b", "two", "v2")
			f.Changed(function.Change{Ref: ref("a/b")})
			if got := f.runFound(t, found); got != `"two"` {
				t.Errorf("%s: after a notice ran %s", name, got)
			}
			found = f.find(t, "a/b")
			f.source.put("a/b", "three", "v3")
			time.Sleep(DefaultMaxStale)
			if got := f.runFound(t, found); got != `"three"` {
				t.Errorf("%s: after a while ran %s", name, got)
			}
		})
	}
}

func TestFindTellsOptions(t *testing.T) {
	raw, web := function.BodyRaw, function.GlobalsWeb
	fn := stored("a/b", "one")
	fn.Options = function.Options{Body: &raw, Globals: &web}
	webOnly := stored("a/w", "one")
	webOnly.Options = function.Options{Globals: &web}
	f := newFixture(fn, webOnly, stored("a/c", "one"))
	if found := f.find(t, "a/b"); found.Body() != raw || !found.LearnsPath() {
		t.Errorf("body %q, learns the path %v", found.Body(), found.LearnsPath())
	}
	if found := f.find(t, "a/w"); found.Body() != function.BodyJSON || !found.LearnsPath() {
		t.Errorf("body %q, learns the path %v", found.Body(), found.LearnsPath())
	}
	for _, found := range []Found{f.find(t, "a/c"), {}} {
		if found.Body() != function.BodyJSON || found.LearnsPath() {
			t.Errorf("body %q, learns the path %v", found.Body(), found.LearnsPath())
		}
	}
	if _, err := f.Find(t.Context(), ref("a/d")); !errors.Is(err, function.ErrNotFound) {
		t.Errorf("error %v", err)
	}
}

func TestTheFirstStepOfAPipelineMayBeFoundBefore(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(stored("a/b", strings.Repeat("x", 10)), stored("a/c", "y"))
		call := Call{Found: f.find(t, "a/b")}
		if _, err := f.Pipeline(t.Context(), []function.Ref{ref("a/b"), ref("a/c")}, call); err != nil {
			t.Fatal(err)
		}
		if s := f.CacheStats(); s.Misses != 2 || s.Hits != 0 {
			t.Errorf("counted %+v", s)
		}
	})
}
