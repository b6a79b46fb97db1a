package storetest

import (
	"bytes"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"

	"github.com/backstage/functions/internal/function"
)

// moduleTests are of shared modules.
var moduleTests = table{
	"Modules":                    testModules,
	"AModuleIsReplacedAsAWhole":  testAModuleIsReplaced,
	"ModulesOfNamespacesAreOwn":  testModulesOfNamespaces,
	"ModulesOfAnyFiles":          testModulesOfAnyFiles,
	"ModulesHaveALimit":          testModulesHaveALimit,
	"IncompleteModulesAreNone":   testIncompleteModules,
	"OneOfManyPutsOfAModuleWins": testConcurrentModules,
}

// module is a module of TypeScript with two files.
func module(namespace, name, text string) *function.Module {
	return function.NewModule(function.ModuleRef{Namespace: namespace, Name: name}, &function.Source{
		Entry: "index.ts", Files: map[string][]byte{"index.ts": []byte(text), "lib/é.json": []byte(`{"a":1}`)},
	}, false)
}

func putModules(t *testing.T, s Store, all ...*function.Module) {
	t.Helper()
	for _, m := range all {
		if err := s.PutModule(t.Context(), m); err != nil {
			t.Fatalf("put module %s: %v", m, err)
		}
	}
}

// wantModules checks that a namespace has these modules, in this order.
func wantModules(t *testing.T, s Store, namespace string, want ...*function.Module) {
	t.Helper()
	listed, err := s.Modules(t.Context(), namespace)
	wantNoError(t, err)
	var all []function.Module
	for _, m := range want {
		all = append(all, m.Listed())
		got, err := s.Module(t.Context(), m.ModuleRef)
		wantNoError(t, err)
		if got == nil {
			continue
		}
		if got.Listed() != m.Listed() || got.Source.Entry != m.Source.Entry ||
			!maps.EqualFunc(got.Source.Files, m.Source.Files, bytes.Equal) {
			t.Errorf("%s came back as %+v with %.500v", m, got, got.Source)
		}
	}
	if !slices.Equal(listed, all) {
		t.Errorf("the modules of %s are %+v, want %+v", namespace, listed, all)
	}
}

func wantNoModule(t *testing.T, s Store, ref function.ModuleRef) {
	t.Helper()
	_, err := s.Module(t.Context(), ref)
	wantError(t, err, function.ErrModuleNotFound)
}

func testModules(t *testing.T, s Store) {
	wantModules(t, s, "ns")
	b, a := module("ns", "b", "2"), module("ns", "a", "1")
	wantNoModule(t, s, a.ModuleRef)
	code := &function.Source{Files: map[string][]byte{function.ModuleFile: []byte("exports.a = 1")}}
	c := function.NewModule(function.ModuleRef{Namespace: "ns", Name: "c.d~e-f_g"}, code, true)
	putModules(t, s, b, a, c)
	wantModules(t, s, "ns", a, b, c)
	for range 2 { // the second time it is missing
		wantNoError(t, s.DeleteModule(t.Context(), a.ModuleRef))
		wantNoModule(t, s, a.ModuleRef)
		wantModules(t, s, "ns", b, c)
	}
	wantNoError(t, s.DeleteModule(t.Context(), b.ModuleRef))
	wantNoError(t, s.DeleteModule(t.Context(), c.ModuleRef))
	wantModules(t, s, "ns")
}

func testAModuleIsReplaced(t *testing.T, s Store) {
	putModules(t, s, module("ns", "a", "1"))
	given := &function.Source{Files: map[string][]byte{"other.js": []byte("2")}}
	next := function.NewModule(function.ModuleRef{Namespace: "ns", Name: "a"}, given, false)
	putModules(t, s, next)
	given.Files["other.js"], given.Entry = []byte("changed by its owner"), "x"
	kept := next.Clone()
	kept.Source = &function.Source{Files: map[string][]byte{"other.js": []byte("2")}}
	wantModules(t, s, "ns", kept)
}

func testModulesOfNamespaces(t *testing.T, s Store) {
	one, other, function1 := module("a", "b", "1"), module("ab", "b", "2"), function.Ref{Namespace: "a", ID: "b"}
	putModules(t, s, one, other)
	put(t, s, function1, "1", nil)
	wantNoError(t, s.DeleteNamespace(t.Context(), "a"))
	wantNoError(t, s.Delete(t.Context(), function1))
	wantModules(t, s, "a", one)
	wantModules(t, s, "ab", other)
	wantNoError(t, s.DeleteModule(t.Context(), one.ModuleRef))
	wantModules(t, s, "ab", other)
	if page := list(t, s, function.Query{Page: 1, PerPage: 1}); page.Total != 0 {
		t.Errorf("%d functions are listed", page.Total)
	}
}

func testModulesOfAnyFiles(t *testing.T, s Store) {
	noise := make([]byte, 1<<20)
	random := rand.New(rand.NewPCG(1, 2))
	for i := range noise {
		noise[i] = byte(random.Uint32())
	}
	many := map[string][]byte{}
	for i := range function.MaxFiles {
		many[fmt.Sprintf("dir/%d.js", i)] = []byte{byte(i)}
	}
	ref := function.ModuleRef{Namespace: "ns", Name: "m"}
	for _, files := range []map[string][]byte{
		{"index.js": {}}, {"a": []byte("\x00\xff\xfe")}, {"d/é😀 .js": noise}, many,
	} {
		m := function.NewModule(ref, &function.Source{Files: files}, false)
		putModules(t, s, m)
		wantModules(t, s, "ns", m)
	}
}

func testModulesHaveALimit(t *testing.T, s Store) {
	var all []*function.Module
	for i := range MaxModules {
		all = append(all, module("ns", fmt.Sprint(i), "1"))
	}
	putModules(t, s, all...)
	wantError(t, s.PutModule(t.Context(), module("ns", "x", "1")), function.ErrTooManyModules)
	putModules(t, s, module("other", "x", "1"))
	all[0] = module("ns", "0", "2")
	putModules(t, s, all[0]) // it is not one more
	wantModules(t, s, "ns", all...)
	wantNoError(t, s.DeleteModule(t.Context(), all[1].ModuleRef))
	putModules(t, s, module("ns", "x", "1"))
}

func testIncompleteModules(t *testing.T, s Store) {
	for _, change := range []func(*function.Module){
		func(m *function.Module) { m.Namespace = "" },
		func(m *function.Module) { m.Namespace = "n/s" },
		func(m *function.Module) { m.Name = "" },
		func(m *function.Module) { m.Name = ".." },
		func(m *function.Module) { m.Name = "a/b" },
		func(m *function.Module) { m.Source = nil },
		func(m *function.Module) { m.Source.Files = nil },
	} {
		m := module("ns", "m", "1")
		change(m)
		wantError(t, s.PutModule(t.Context(), m), function.ErrIncomplete)
	}
	wantModules(t, s, "ns")
}

func testConcurrentModules(t *testing.T, s Store) {
	errs := make([]error, 2*MaxModules)
	var writers sync.WaitGroup
	for i := range errs {
		writers.Go(func() { errs[i] = s.PutModule(t.Context(), module("ns", fmt.Sprint(i), "1")) })
	}
	writers.Wait()
	stored := 0
	for _, err := range errs {
		if err == nil {
			stored++
		} else if !errors.Is(err, function.ErrTooManyModules) {
			t.Error(err)
		}
	}
	if all, err := s.Modules(t.Context(), "ns"); err != nil || len(all) != MaxModules || stored != MaxModules {
		t.Errorf("%d modules, %d stored, %v", len(all), stored, err)
	}
}
