package deploy_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/backstage/functions/internal/build"
	"github.com/backstage/functions/internal/deploy"
	"github.com/backstage/functions/internal/function"
	"github.com/backstage/functions/internal/outcome"
	"github.com/backstage/functions/internal/store/mem"
	"github.com/backstage/functions/sandbox"
)

// module is a module of the namespace ns of files: names and texts by turns.
func module(name string, files ...string) *function.Module {
	source := &function.Source{Files: map[string][]byte{}}
	for i := 0; i < len(files); i += 2 {
		source.Files[files[i]] = []byte(files[i+1])
	}
	source.Entry = files[0]
	return function.NewModule(function.ModuleRef{Namespace: ref.Namespace, Name: name}, source, false)
}

// storeOf has modules.
func storeOf(t *testing.T, modules ...*function.Module) *mem.Store {
	t.Helper()
	store := mem.New()
	for _, m := range modules {
		if err := store.PutModule(t.Context(), m); err != nil {
			t.Fatal(err)
		}
	}
	return store
}

// building is a deployer with the modules of store.
func building(b build.Builder, store *mem.Store, limit int64, runtimes ...sandbox.Runtime) *deploy.Deployer {
	d := deployer(b, nil, runtimes...)
	d.Modules, d.Limit = store, limit
	return d
}

func namesOf(modules []build.Module) (names []string) {
	for _, m := range modules {
		names = append(names, m.Name)
	}
	return names
}

func TestWhatFilesImportIsBuiltIntoThem(t *testing.T) {
	long := strings.Repeat("l", 128)
	store := storeOf(
		t,
		module("a", "index.ts", `import '@ns/b/lib/x'`), module("b", "b.js", `require("@ns/a")`),
		module("c", "c.js", ""), module("d", "d.js", ""), module(long, "l.js", ""),
	)
	other := module("x", "x.js", "")
	other.Namespace = "other"
	if err := store.PutModule(t.Context(), other); err != nil {
		t.Fatal(err)
	}
	for _, row := range []struct{ name, text, want string }{
		{"none", "", ""},
		{"import", `import { x } from '@ns/a'`, "@ns/a @ns/b"},
		{"require", "require(\"@ns/c\") + require(`@ns/d`)", "@ns/c @ns/d"},
		{"a file of it", `import "@ns/c/lib/y.js"`, "@ns/c"},
		{"one that is not there", `import "@ns/none"`, ""},
		{"of another namespace", `import "@other/x"`, ""},
		{"words", `// @ns/c is a module`, ""},
		{"a longer name", `import "@ns/cc"`, ""},
		{"the longest name", `import "@ns/` + long + `"`, "@ns/" + long},
		{"too long a name", `import "@ns/` + long + `x"; import "@ns/c"`, "@ns/c"},
		{"without an end", `import "@ns/c`, ""},
		{"without a beginning", `@ns/c"`, ""},
		{"one after many others", strings.Repeat(`"@ns/" "@ns/x" "@ns/@ns/x" `, 1000) + `"@ns/c"`, "@ns/c"},
	} {
		t.Run(row.name, func(t *testing.T) {
			b := &fakeBuilder{}
			f := given("node24")
			f.Source.Files["lib/more.ts"] = []byte(row.text)
			files, hash := maps.Clone(f.Source.Files), f.Source.Hash()
			if _, err := building(b, store, 1<<20, node24).Build(t.Context(), f); err != nil {
				t.Fatal(err)
			}
			if got := strings.Join(namesOf(b.inputs[0].Modules), " "); got != row.want {
				t.Errorf("built with %s", got)
			}
			if !maps.EqualFunc(b.inputs[0].Files, files, bytes.Equal) || len(f.Artefact.Files) != len(files) {
				t.Errorf("the author's files are %v", b.inputs[0].Files)
			}
			var pinned []string
			for _, m := range f.Artefact.Modules {
				pinned = append(pinned, m.Name)
				stored, err := store.Module(t.Context(), function.ModuleRef{Namespace: "ns", Name: strings.TrimPrefix(m.Name, "@ns/")})
				if err != nil || stored.Hash != m.Hash || stored.Source.Entry != m.Entry {
					t.Errorf("%+v is pinned of %+v", m, stored)
				}
			}
			if strings.Join(pinned, " ") != row.want {
				t.Errorf("pinned %v", pinned)
			}
			if row.want == "" && f.Source.Hash() != hash {
				t.Error("the hash has changed")
			}
		})
	}
}

// A text that cannot import names none, such as a document.
func TestFilesThatImportAreSearched(t *testing.T) {
	store := storeOf(t, module("c", "c.js", ""))
	for file, want := range map[string]bool{
		"x.js": true, "x.mjs": true, "x.cjs": true, "x.jsx": true, "x.ts": true, "x.mts": true, "x.cts": true, "x.tsx": true,
		"package.json": true, "lib/tsconfig.base.json": true, "data.json": false, "x.md": false, "x": false,
	} {
		b := &fakeBuilder{}
		f := given("node24")
		f.Source.Files[file] = []byte(`{"imports":{"#c":"@ns/c"}}`)
		if _, err := building(b, store, 1<<20, node24).Build(t.Context(), f); err != nil {
			t.Fatal(err)
		}
		if got := len(b.inputs[0].Modules) == 1; got != want {
			t.Errorf("%s: %v", file, got)
		}
	}
}

// A few kilobytes of a compressed upload can name modules a million times.
func TestSearchForModulesTakesNoMemoryPerName(t *testing.T) {
	store := storeOf(t, module("c", "c.js", ""))
	same, distinct := strings.Repeat(`"@ns/a"`, 100_000), &strings.Builder{}
	for i := range 100_000 {
		fmt.Fprintf(distinct, `"@ns/a%d"`, i)
	}
	for name, text := range map[string]string{"the same": same, "distinct ones": distinct.String()} {
		d := building(&fakeBuilder{}, store, 16<<20, node24)
		f, m := given("node24"), module("m", "m.js", text)
		f.Source.Files["b.js"] = []byte(text)
		for what, act := range map[string]func() error{
			"function": func() error { _, err := d.Build(t.Context(), f); return err },
			"module":   func() error { _, err := d.CheckModule(t.Context(), m); return err },
		} {
			count := testing.AllocsPerRun(1, func() {
				if err := act(); err != nil {
					t.Fatal(err)
				}
			})
			if count > 10_000 {
				t.Errorf("%s, %s: %v allocations", name, what, count)
			}
		}
	}
}

func TestFilesBringTheirOwnModule(t *testing.T) {
	b := &fakeBuilder{}
	f := given("node24")
	f.Source.Files["a.ts"], f.Source.Files["node_modules/@ns/c/index.js"] = []byte(`import "@ns/c"`), []byte("own")
	if _, err := building(b, storeOf(t, module("c", "c.js", "")), 1<<20, node24).Build(t.Context(), f); err != nil {
		t.Fatal(err)
	}
	if len(b.inputs[0].Modules) != 0 || len(f.Artefact.Modules) != 0 {
		t.Errorf("built with %v", b.inputs[0].Modules)
	}
}

func TestCodeThatImportsAModuleIsBuilt(t *testing.T) {
	const code = `const c = require('@ns/c'); function main() {}`
	fault := &build.Error{Messages: []build.Message{{File: "index.js", Line: 1, Column: 2, Text: "no"}}}
	store := storeOf(t, module("c", "c.js", "1"))
	b := &fakeBuilder{}
	f := &function.Function{Ref: ref, Code: code}
	built, err := building(b, store, 1<<20, node8).Build(t.Context(), f)
	if err != nil || built.Took <= 0 || string(b.inputs[0].Files[b.inputs[0].Entry]) != code || f.Code != code {
		t.Fatalf("%+v, %v, built from %+v", built, err, b.inputs)
	}
	if f.OfFiles() || f.Artefact.Entry != "" || f.Artefact.Files != nil || len(f.Artefact.Modules) != 1 ||
		len(f.Source.Files) != 1 || string(f.Source.Files["node_modules/@ns/c/c.js"]) != "1" {
		t.Errorf("artefact %+v, source %+v", f.Artefact, f.Source)
	}
	b.err = fault
	_, err = building(b, store, 1<<20, node8).Build(t.Context(), &function.Function{Ref: ref, Code: code})
	if err == nil || outcome.Of(err).Message != "ns/id.js:1:2: no" {
		t.Errorf("%v", err)
	}
}

func TestFilesAndModulesHaveOneLimit(t *testing.T) {
	store := storeOf(t, module("c", "c.js", strings.Repeat("x", 100)))
	for limit, want := range map[int64]int{114: 0, 113: 413} {
		f := given("node24")
		f.Source.Files["a.ts"] = []byte(`import "@ns/c"`)
		_, err := building(&fakeBuilder{}, store, limit, node24).Build(t.Context(), f)
		if (err == nil) != (want == 0) || err != nil && outcome.Of(err).Status != want {
			t.Errorf("%d: %v", limit, err)
		}
	}
}

// Many large modules are not read into memory to be refused.
func TestNoMoreModulesAreReadThanMayBeTogether(t *testing.T) {
	var all []*function.Module
	imports := ""
	for i := range 50 {
		name := fmt.Sprintf("m%d", i)
		all = append(all, module(name, "m.js", strings.Repeat("x", 100)))
		imports += `require("@ns/` + name + `");`
	}
	store := &counting{Store: storeOf(t, all...)}
	d := building(&fakeBuilder{}, store.Store, 1000, node24)
	d.Modules = store
	f := given("node24")
	f.Source.Files = map[string][]byte{"a.ts": []byte(imports[:400])}
	if _, err := d.Build(t.Context(), f); err == nil || outcome.Of(err).Status != 413 || store.reads > 7 {
		t.Errorf("%v after %d reads", err, store.reads)
	}
}

// counting counts the modules that are read.
type counting struct {
	*mem.Store
	reads int
}

func (s *counting) Module(ctx context.Context, ref function.ModuleRef) (*function.Module, error) {
	s.reads++
	return s.Store.Module(ctx, ref)
}

func TestBuildsFailWithTheirStore(t *testing.T) {
	store := storeOf(t)
	if err := store.Close(); err != nil {
		t.Fatal(err)
	}
	f := given("node24")
	f.Source.Files["a.ts"] = []byte(`import "@ns/c"`)
	_, err := building(&fakeBuilder{}, store, 1<<20, node24).Build(t.Context(), f)
	if !errors.Is(err, function.ErrUnavailable) {
		t.Errorf("%v", err)
	}
}

// What a function was deployed with is what it is built with on an older runtime, whatever has become of its modules.
func TestBuildingAnewTakesTheVersionsOfTheDeploy(t *testing.T) {
	for _, code := range []string{"", `require('@ns/c'); function main() {}`} {
		store := storeOf(t, module("c", "c.js", "old"))
		f := given("")
		f.Source.Files["a.ts"] = []byte(`import "@ns/c"`)
		if code != "" {
			f.Code, f.Source = code, nil
		}
		if _, err := building(&fakeBuilder{}, store, 1<<20, node24).Build(t.Context(), f); err != nil {
			t.Fatal(err)
		}
		if _, err := store.Put(t.Context(), f); err != nil {
			t.Fatal(err)
		}
		if err := store.PutModule(t.Context(), module("c", "c.js", "new")); err != nil {
			t.Fatal(err)
		}
		b := &fakeBuilder{}
		again := &deploy.Source{Store: store, Deployer: building(b, store, 1<<20, node8)}
		got, err := again.Get(t.Context(), ref)
		if err != nil || len(b.inputs) != 1 {
			t.Fatalf("%v after %d builds", err, len(b.inputs))
		}
		in := b.inputs[0]
		if len(in.Modules) != 1 || string(in.Modules[0].Files["c.js"]) != "old" || in.Modules[0].Entry != "c.js" || len(in.Files) != 1 {
			t.Errorf("built from %+v", in)
		}
		if !slices.Equal(got.Artefact.Modules, f.Artefact.Modules) || got.Source == nil || got.Source.Map == nil {
			t.Errorf("built %+v", got.Artefact)
		}
	}
}

func TestAModuleIsBuiltWithThoseItImports(t *testing.T) {
	store := storeOf(t, module("a", "a.js", "before"), module("b", "b.js", `require("@ns/a")`))
	given := module("a", "a.js", `require("@ns/b")`)
	b := &fakeBuilder{}
	built, err := building(b, store, 1<<20, node8, node24).CheckModule(t.Context(), given)
	if err != nil || built.Took <= 0 || string(built.Warnings) != `[{"text":"<w>"}]` {
		t.Fatalf("%+v, %v", built, err)
	}
	in := b.inputs[0]
	if names := namesOf(in.Modules); !slices.Equal(names, []string{"@ns/b", "@ns/a"}) ||
		string(in.Modules[1].Files["a.js"]) != `require("@ns/b")` || in.Target.Runtime != "node24" ||
		!strings.Contains(string(in.Files[in.Entry]), `require("@ns/a")`) {
		t.Errorf("built from %+v", in)
	}
	b.err = &build.Error{Messages: []build.Message{
		{File: "node_modules/@ns/a/lib/x.ts", Line: 3, Column: 4, Text: "no"}, {File: "node_modules/@ns/b/b.js", Text: "no"},
	}}
	_, err = building(b, store, 1<<20, node24).CheckModule(t.Context(), given)
	if o := outcome.Of(err); o.Status != 400 || o.Message != "lib/x.ts:3:4: no" {
		t.Errorf("%v", err)
	}
}
