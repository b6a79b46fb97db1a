package stacktrace

import (
	"context"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/evanw/esbuild/pkg/api"

	"github.com/backstage/functions/internal/function"
	"github.com/backstage/functions/sandbox"
)

// sources is a store with one function.
type sources struct {
	source *function.Source
	err    error
	delay  time.Duration
	reads  int
}

func (s *sources) Source(ctx context.Context, _ function.Ref) (*function.Source, error) {
	s.reads++
	select {
	case <-time.After(s.delay):
		return s.source, s.err
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
}

// deployed is a function of files, and what the store has of it.
func deployed(tb testing.TB) (*function.Function, *sources) {
	tb.Helper()
	code, text := built(tb, nil)
	f := &function.Function{
		Ref: function.Ref{Namespace: "ns", ID: "id"}, Hash: "of the files",
		Artefact: (&function.Artefact{Code: string(code)}).Seal(),
	}
	return f, &sources{source: &function.Source{Map: text, Artefact: f.Artefact.Hash}}
}

func TestErrorsAreTranslated(t *testing.T) {
	f, store := deployed(t)
	place := at(t, []byte(f.Artefact.Code), "list[0]")
	thrown := &sandbox.FunctionError{
		Status: 500, Message: "no at " + place, Text: "Error: no at " + place,
		Stack:  "Error: no\n    at first (" + place + ")\n    at main (ns/id.js:1:1)",
		Frames: "at first (ns/id.js:2)\nat main (ns/id.js:1)",
		Stats:  sandbox.Stats{Run: time.Second},
	}
	before := *thrown
	places := New(Options{Sources: store}).Of(f)
	want := before
	want.Message, want.Text = "no at node_modules/items/index.js:2:10", "Error: no at node_modules/items/index.js:2:10"
	want.Stack = "Error: no\n    at first (node_modules/items/index.js:2:10)"
	want.Frames = "at first (node_modules/items/index.js:2:10)"
	got, ok := errors.AsType[*sandbox.FunctionError](places.Error(thrown))
	if !ok || got.Message != want.Message || got.Text != want.Text || got.Stack != want.Stack ||
		got.Frames != want.Frames || got.Status != want.Status || got.Run != want.Run {
		t.Errorf("got %+v, want %+v", got, want)
	}
	stream := &sandbox.StreamError{Err: thrown, Stats: sandbox.Stats{Sent: 7}}
	ended, ok := errors.AsType[*sandbox.StreamError](places.Error(stream))
	if !ok || ended.Sent != 7 {
		t.Fatalf("got %+v", ended)
	}
	if cause, ok := errors.AsType[*sandbox.FunctionError](ended.Err); !ok || cause.Text != want.Text {
		t.Errorf("got %+v", ended)
	}
	if thrown.Text != before.Text || thrown.Stack != before.Stack || !same(stream.Err, thrown) {
		t.Error("what was given has changed")
	}
	death := &sandbox.DeathError{Reason: sandbox.ReasonMemory}
	if !same(places.Error(death), death) || places.Error(nil) != nil {
		t.Error("another error has changed")
	}
	if text, ok := places.Source("index.ts"); !ok || text != files["index.ts"] {
		t.Errorf("the text is %q", text)
	}
	if store.reads != 1 {
		t.Errorf("%d reads", store.reads)
	}
}

// same says whether got is want itself, not something that wraps it.
func same(got, want error) bool { return errors.Is(want, got) }

func TestFunctionsOfCodeAreLeftAsTheyAre(t *testing.T) {
	store := &sources{}
	thrown := error(&sandbox.FunctionError{Stack: "at ns/id.js:1:1"})
	f := &function.Function{Ref: function.Ref{Namespace: "ns", ID: "id"}, Code: "1"}
	for _, stacks := range []*Stacks{nil, New(Options{Sources: store})} {
		places := stacks.Of(f)
		if !same(places.Error(thrown), thrown) || places.Text("at ns/id.js:1:1") != "at ns/id.js:1:1" {
			t.Error("something has changed")
		}
		if _, ok := places.Source("ns/id.js"); ok {
			t.Error("a source is known")
		}
	}
	if store.reads != 0 {
		t.Errorf("%d reads", store.reads)
	}
}

// Code that is an ES module may have been lowered at its deploy. Its places name the function, as they always did.
func TestPlacesOfLoweredCodeNameTheFunction(t *testing.T) {
	f, store := deployed(t)
	f.Code = files["index.ts"]
	places := New(Options{Sources: store}).Of(f)
	place := at(t, []byte(f.Artefact.Code), "console.log(")
	if got := places.Text("at " + place); got != "at ns/id.js:7:3" {
		t.Errorf("got %q", got)
	}
}

func TestATrialRunNeedsNoStore(t *testing.T) {
	f, store := deployed(t)
	f.Source = store.source
	places := New(Options{Sources: &sources{err: function.ErrUnavailable}}).Of(f)
	if got := places.Text("at " + at(t, []byte(f.Artefact.Code), "console.log(")); got != "at index.ts:7:3" {
		t.Errorf("got %q", got)
	}
}

// Maps of builds have no texts: the files are stored beside them.
func TestTextsComeFromTheFiles(t *testing.T) {
	f, store := deployed(t)
	code, text := built(t, func(o *api.BuildOptions) { o.SourcesContent = api.SourcesContentExclude })
	f.Artefact = (&function.Artefact{Code: string(code)}).Seal()
	store.source = &function.Source{Map: text, Artefact: f.Artefact.Hash, Files: map[string][]byte{
		"index.ts": []byte(files["index.ts"]), "unused.ts": []byte("2"),
	}}
	places := New(Options{Sources: store}).Of(f)
	for name, want := range map[string]string{"index.ts": files["index.ts"], "lib/order.ts": "", "unused.ts": ""} {
		if got, ok := places.Source(name); got != want || ok != (want != "") {
			t.Errorf("%s: %v %q", name, ok, got)
		}
	}
}

// What this server has built anew is not what the store has, and comes with a map of its own.
func TestWhatWasBuiltAnewBringsItsMap(t *testing.T) {
	f, store := deployed(t)
	f.Source, store.source = &function.Source{Map: store.source.Map}, &function.Source{Artefact: "other"}
	stacks := New(Options{Sources: store})
	for range 2 {
		if got := stacks.Of(f).Text("at " + at(t, []byte(f.Artefact.Code), "console.log(")); got != "at index.ts:7:3" {
			t.Errorf("got %q", got)
		}
	}
	if store.reads != 0 || stacks.cache.order.Len() != 1 {
		t.Errorf("%d reads, %d maps are kept", store.reads, stacks.cache.order.Len())
	}
}

func TestLinesStayAsTheyAreWithoutAMap(t *testing.T) {
	for name, change := range map[string]func(*sources){
		"a store that is away":     func(s *sources) { s.err = function.ErrUnavailable },
		"a store that is slow":     func(s *sources) { s.delay = time.Hour },
		"no source":                func(s *sources) { s.source = nil },
		"no map":                   func(s *sources) { s.source.Map = nil },
		"the map of a new deploy":  func(s *sources) { s.source.Artefact = "other" },
		"a map that was tampered":  func(s *sources) { s.source.Map = []byte(`{"version":3`) },
		"a map that is too large":  func(s *sources) { s.source.Map = []byte(strings.Repeat(" ", MaxMap+1)) },
		"a map that leads nowhere": func(s *sources) { s.source.Map = []byte(`{"version":3,"mappings":"AAAA"}`) },
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				f, store := deployed(t)
				change(store)
				line := "    at main (" + at(t, []byte(f.Artefact.Code), "console.log(") + ")"
				stacks := New(Options{Sources: store})
				began := time.Now()
				for range 100 {
					if got := stacks.Of(f).Line(sandbox.LogLine{Level: "error", Text: line}); got.Text != line || got.Level != "error" {
						t.Fatalf("%+v", got)
					}
				}
				if store.reads != 1 || time.Since(began) > patience {
					t.Errorf("%d reads in %v", store.reads, time.Since(began))
				}
				time.Sleep(again)
				stacks.Of(f).Text(line)
				if want := 2; store.reads != want && name != "a map that leads nowhere" {
					t.Errorf("%d reads, want %d", store.reads, want)
				}
			})
		})
	}
}

func TestCacheIsBounded(t *testing.T) {
	now := time.Now()
	c := newCache(100)
	for _, key := range []string{"a", "b", "c"} {
		c.put(key, &Map{bytes: 40}, now)
	}
	if m, known := c.get("a", now); m != nil || !known {
		t.Error("the oldest is still there, or would be read at once")
	}
	if _, known := c.get("a", now.Add(again)); known {
		t.Error("the oldest is never read again")
	}
	if m, _ := c.get("b", now); m == nil {
		t.Error("there is no room for two")
	}
	c.put("a", &Map{bytes: 40}, now)
	if m, _ := c.get("c", now); m != nil {
		t.Error("one that was used longer ago was kept")
	}
	c.put("large", &Map{bytes: 101}, now)
	if m, known := c.get("large", now); m != nil || !known || c.used > 100 {
		t.Error("one above the limit was kept")
	}
	for i := range 3 * maxTried {
		c.put(strings.Repeat("x", i), nil, now)
	}
	if len(c.tried) > maxTried {
		t.Errorf("%d are remembered", len(c.tried))
	}
}

func TestOneReadServesAll(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f, store := deployed(t)
		store.delay = patience / 2
		stacks := New(Options{Sources: store})
		text := "at " + at(t, []byte(f.Artefact.Code), "console.log(")
		for range 10 {
			go func() {
				if got := stacks.Of(f).Text(text); got != "at index.ts:7:3" {
					t.Errorf("got %q", got)
				}
			}()
		}
		synctest.Wait()
		time.Sleep(patience)
		if store.reads != 1 {
			t.Errorf("%d reads", store.reads)
		}
	})
}
