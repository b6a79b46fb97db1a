package storetest

import (
	"bytes"
	"fmt"
	"maps"
	"math/rand/v2"
	"reflect"
	"strings"
	"testing"

	"github.com/backstage/functions/internal/function"
)

// sourceTests are of functions of files, and of artefacts of code.
var sourceTests = table{
	"FilesAndTheirArtefactAreKept":         testFilesAreKept,
	"ArtefactOfCodeIsKept":                 testArtefactOfCode,
	"EachDeployReplacesAllOfTheLast":       testDeploysReplaceAll,
	"EnvironmentAndOptionsKeepTheArtefact": testChangesKeepArtefact,
	"SourceIsDeletedWithItsFunction":       testSourceIsDeleted,
	"SourcesOfAnyKind":                     testSourcesOfAnyKind,
	"FilesOfNamesOfAnyKind":                testFilesOfNames,
}

// ofFiles is a function of files, with a source map.
func ofFiles(r function.Ref, text string) *function.Function {
	source := &function.Source{
		Entry: "index.ts", Files: map[string][]byte{"index.ts": []byte(text), "lib/é.json": []byte(`{"a":1}`)},
		Map: []byte(`{"version":3,"sources":["index.ts"]}`),
	}
	artefact := &function.Artefact{
		Code: "module.exports = " + text, Runtime: "node24", Node: "24.1.0", Entry: source.Entry, Files: source.List(),
		Modules: []function.ModuleVersion{{Name: "@ns/m", Hash: "1"}},
	}
	return &function.Function{Ref: r, Artefact: artefact.Seal(), Source: source}
}

func putFunction(t *testing.T, s Store, f *function.Function) *function.Function {
	t.Helper()
	stored, err := s.Put(t.Context(), f)
	if err != nil {
		t.Fatalf("put %s: %v", f.Ref, err)
	}
	return stored
}

// wantBuilt checks that the function of given is stored as it was given.
func wantBuilt(t *testing.T, s Store, given *function.Function) {
	t.Helper()
	hash := function.HashOf(given.Code)
	if given.Code == "" {
		hash = given.Source.Hash()
	}
	read := get(t, s, given.Ref)
	if read.Code != given.Code || read.Hash != hash || read.Source != nil ||
		!reflect.DeepEqual(read.Artefact, given.Artefact) {
		t.Errorf("%s came back as %.200v with the artefact %.200v", given.Ref, read, read.Artefact)
	}
	source, err := s.Source(t.Context(), given.Ref)
	if given.Artefact == nil {
		wantError(t, err, function.ErrNotFound)
		return
	}
	wantNoError(t, err)
	want := given.Source
	if want == nil {
		want = &function.Source{}
	}
	if source.Entry != want.Entry || source.Artefact != given.Artefact.Hash || !bytes.Equal(source.Map, want.Map) ||
		!maps.EqualFunc(source.Files, want.Files, bytes.Equal) {
		t.Errorf("the source of %s came back as %.500v", given.Ref, source)
	}
}

func testFilesAreKept(t *testing.T, s Store) {
	given := ofFiles(ref, "1")
	stored := putFunction(t, s, given)
	if stored.Source != nil || stored.Code != "" || stored.Hash != given.Source.Hash() ||
		!reflect.DeepEqual(stored.Artefact, given.Artefact) {
		t.Errorf("put returned %+v", stored)
	}
	wantBuilt(t, s, given)
	if revision, err := s.Revision(t.Context(), ref); err != nil || revision != stored.VersionID {
		t.Errorf("the revision is %q, %v", revision, err)
	}
	if page := list(t, s, function.Query{Page: 1, PerPage: 1}); page.Total != 1 {
		t.Errorf("%d functions are listed", page.Total)
	}
}

// testArtefactOfCode is of code that was built, of files without a map, and of code whose artefact has no source.
func testArtefactOfCode(t *testing.T, s Store) {
	artefact := (&function.Artefact{Code: "lowered", Runtime: "node24", Node: "24.1.0"}).Seal()
	for _, source := range []*function.Source{
		nil, {Map: []byte("{}")}, {Files: map[string][]byte{"node_modules/@ns/m/index.js": []byte("1")}},
	} {
		given := &function.Function{Ref: ref, Code: "export function main() {}", Artefact: artefact, Source: source}
		putFunction(t, s, given)
		wantBuilt(t, s, given)
	}
}

func testDeploysReplaceAll(t *testing.T, s Store) {
	lowered := (&function.Artefact{Code: "lowered", Runtime: "node24", Node: "24.1.0"}).Seal()
	small := ofFiles(ref, "3")
	small.Source.Map, small.Source.Files = nil, map[string][]byte{"a.js": []byte("3")}
	small.Artefact.Files, small.Artefact.Modules = small.Source.List(), nil
	for _, given := range []*function.Function{
		ofFiles(ref, "1"), ofFiles(ref, "2"), small,
		{Ref: ref, Code: "3"},
		ofFiles(ref, "4"),
		{Ref: ref, Code: "5", Artefact: lowered},
		{Ref: ref, Code: "5"},
		{Ref: ref, Code: "6", Artefact: lowered},
		small,
	} {
		putFunction(t, s, given)
		wantBuilt(t, s, given)
	}
}

func testChangesKeepArtefact(t *testing.T, s Store) {
	given := ofFiles(ref, "1")
	putFunction(t, s, given)
	wantNoError(t, s.SetEnv(t.Context(), ref, "A", "1"))
	wantBuilt(t, s, given)
	wantNoError(t, s.UnsetEnv(t.Context(), ref, "A"))
	wantBuilt(t, s, given)
	next := ofFiles(ref, "2")
	next.Options.Timeout = nil
	wantNoError(t, s.SetEnv(t.Context(), ref, "B", "2"))
	putFunction(t, s, next)
	wantBuilt(t, s, next)
	wantEnv(t, get(t, s, ref).Env, function.Var{Name: "B", Value: "2"})
}

func testSourceIsDeleted(t *testing.T, s Store) {
	_, err := s.Source(t.Context(), ref)
	wantError(t, err, function.ErrNotFound)
	kept := ofFiles(function.Ref{Namespace: ref.Namespace, ID: "kept"}, "1")
	putFunction(t, s, kept)
	putFunction(t, s, ofFiles(ref, "1"))
	wantNoError(t, s.Delete(t.Context(), ref))
	_, err = s.Source(t.Context(), ref)
	wantError(t, err, function.ErrNotFound)
	put(t, s, ref, "1", nil)
	_, err = s.Source(t.Context(), ref)
	wantError(t, err, function.ErrNotFound)
	wantBuilt(t, s, kept)
	f := ofFiles(ref, "1")
	f.Source = nil
	_, err = s.Put(t.Context(), f)
	wantError(t, err, function.ErrIncomplete)
}

func testSourcesOfAnyKind(t *testing.T, s Store) {
	noise := make([]byte, 1<<20)
	random := rand.New(rand.NewPCG(1, 2))
	for i := range noise {
		noise[i] = byte(random.Uint32())
	}
	many := map[string][]byte{}
	for i := range function.MaxFiles {
		many[fmt.Sprintf("dir/%d/%s.js", i, strings.Repeat("n", 150))] = []byte{byte(i)}
	}
	for _, files := range []map[string][]byte{
		{"index.js": nil}, {"a": []byte("\x00\xff\xfe")}, {strings.Repeat("d/", 100) + "é😀 .js": noise}, many,
	} {
		f := ofFiles(ref, "1")
		f.Source.Files = files
		f.Artefact.Files = f.Source.List()
		f.Source.Map = noise
		putFunction(t, s, f)
		wantBuilt(t, s, f)
	}
}

func testFilesOfNames(t *testing.T, s Store) {
	refs := []function.Ref{
		{Namespace: "a", ID: "b/c"}, {Namespace: "a/b", ID: "c"}, {Namespace: "a:b", ID: "c"}, {Namespace: "a%2Fb", ID: "c"},
	}
	for i, r := range refs {
		putFunction(t, s, ofFiles(r, fmt.Sprint(i)))
	}
	for i, r := range refs {
		wantBuilt(t, s, ofFiles(r, fmt.Sprint(i)))
	}
	for i, r := range refs {
		wantNoError(t, s.Delete(t.Context(), r))
		for j, other := range refs[i+1:] {
			wantBuilt(t, s, ofFiles(other, fmt.Sprint(i+1+j)))
		}
	}
}
