package storetest

import (
	"reflect"
	"strings"
	"testing"

	"github.com/google/uuid"

	"github.com/backstage/functions/internal/function"
)

// functionTests are of functions.
var functionTests = table{
	"PutThenGet":               testPutThenGet,
	"PutKeepsAndReplacesEnv":   testPutKeepsAndReplacesEnv,
	"PutKeepsCreated":          testPutKeepsCreated,
	"PutKeepsOptions":          testPutKeepsOptions,
	"PutKeepsEveryOption":      testPutKeepsEveryOption,
	"PutRefusesIncomplete":     testPutRefusesIncomplete,
	"EveryWriteIsANewRevision": testEveryWriteIsANewRevision,
	"MissingFunctions":         testMissingFunctions,
	"Delete":                   testDelete,
	"DeleteThenPutStartsAnew":  testDeleteThenPutStartsAnew,
	"NamesOfAnyKind":           testNamesOfAnyKind,
	"CodeOfAnyKind":            testCodeOfAnyKind,
	"CopiesAreNotShared":       testCopiesAreNotShared,
}

func testPutThenGet(t *testing.T, s Store) {
	stored := put(t, s, ref, "function main(req, res) {}", function.NewEnv(function.Var{Name: "A", Value: "1"}))
	read := get(t, s, ref)
	for what, f := range map[string]*function.Function{"put": stored, "get": read} {
		if f.Ref != ref || f.Code != "function main(req, res) {}" || f.Hash != function.HashOf(f.Code) || f.Settings != nil {
			t.Errorf("%s returned %+v", what, f)
		}
		if f.VersionID != stored.VersionID || f.Updated != stored.Updated || f.Created != f.Updated || f.Updated == "" {
			t.Errorf("%s returned the stamp %q, %q, %q", what, f.VersionID, f.Created, f.Updated)
		}
		wantEnv(t, f.Env, function.Var{Name: "A", Value: "1"})
	}
	if id, err := uuid.Parse(read.VersionID); err != nil || id.Version() != 4 {
		t.Errorf("version ID %q is not a version 4 UUID", read.VersionID)
	}
}

func testPutKeepsAndReplacesEnv(t *testing.T, s Store) {
	if f := put(t, s, ref, "1", nil); f.Env != nil || get(t, s, ref).Env != nil {
		t.Error("a function put without an environment has one")
	}
	a, b := function.Var{Name: "A", Value: "1"}, function.Var{Name: "B", Value: ""}
	for _, step := range []struct {
		env  *function.Env
		want []function.Var
	}{
		{function.NewEnv(a, b), []function.Var{a, b}},
		{nil, []function.Var{a, b}},
		{function.NewEnv(b), []function.Var{b}},
		{function.NewEnv(), nil},
		{nil, nil},
	} {
		wantEnv(t, put(t, s, ref, "1", step.env).Env, step.want...)
		wantEnv(t, get(t, s, ref).Env, step.want...)
	}
}

func testPutKeepsCreated(t *testing.T, s Store) {
	first := put(t, s, ref, "1", nil)
	second := put(t, s, ref, "2", nil)
	if second.Created != first.Created || get(t, s, ref).Created != first.Created {
		t.Errorf("created changed from %q to %q", first.Created, second.Created)
	}
	if second.Updated < first.Updated {
		t.Errorf("updated went from %q back to %q", first.Updated, second.Updated)
	}
	if second.Hash != function.HashOf("2") {
		t.Errorf("hash is %q", second.Hash)
	}
}

func testPutKeepsOptions(t *testing.T, s Store) {
	none, node24, fresh, off := (*string)(nil), "node24", 1, 0
	for _, step := range []struct{ given, want function.Options }{
		{function.Options{}, function.Options{}},
		{function.Options{Runtime: &node24}, function.Options{Runtime: &node24}},
		{function.Options{MaxInvocations: &fresh}, function.Options{Runtime: &node24, MaxInvocations: &fresh}},
		{function.Options{}, function.Options{Runtime: &node24, MaxInvocations: &fresh}},
		{function.Options{Runtime: none, MaxInvocations: &off}, function.Options{Runtime: &node24, MaxInvocations: &off}},
		{
			function.Options{MaxConcurrency: &fresh},
			function.Options{Runtime: &node24, MaxInvocations: &off, MaxConcurrency: &fresh},
		},
		{
			function.Options{MaxConcurrency: &off},
			function.Options{Runtime: &node24, MaxInvocations: &off, MaxConcurrency: &off},
		},
	} {
		stored, err := s.Put(t.Context(), &function.Function{Ref: ref, Code: "1", Options: step.given})
		if err != nil {
			t.Fatal(err)
		}
		for what, got := range map[string]function.Options{"put": stored.Options, "get": get(t, s, ref).Options} {
			if !reflect.DeepEqual(got, step.want) {
				t.Errorf("%s after %+v returned %+v, want %+v", what, step.given, got, step.want)
			}
		}
	}
	if err := s.SetEnv(t.Context(), ref, "A", "1"); err != nil ||
		!reflect.DeepEqual(
			get(t, s, ref).Options, function.Options{Runtime: &node24, MaxInvocations: &off, MaxConcurrency: &off},
		) {
		t.Errorf("a change of the environment changed the options: %v", err)
	}
}

func testPutKeepsEveryOption(t *testing.T, s Store) {
	var all function.Options
	for i := range function.AllOptions {
		option := &function.AllOptions[i]
		var given function.Options
		option.Set(&given, option.Sample())
		option.Set(&all, option.Sample())
		stored, err := s.Put(t.Context(), &function.Function{Ref: ref, Code: "1", Options: given})
		if err != nil {
			t.Fatal(err)
		}
		for what, got := range map[string]function.Options{"put": stored.Options, "get": get(t, s, ref).Options} {
			if !reflect.DeepEqual(got, all) {
				t.Errorf("%s after a put of %s returned %+v", what, option.Name, got)
			}
		}
	}
}

func testPutRefusesIncomplete(t *testing.T, s Store) {
	for _, f := range []function.Function{
		{Ref: ref},
		{Ref: function.Ref{Namespace: "ns"}, Code: "1"},
		{Ref: function.Ref{ID: "id"}, Code: "1"},
	} {
		_, err := s.Put(t.Context(), &f)
		wantError(t, err, function.ErrIncomplete)
	}
	if page := list(t, s, function.Query{Page: 1, PerPage: 10}); page.Total != 0 {
		t.Errorf("a refused put left %v", page.Items)
	}
}

func testEveryWriteIsANewRevision(t *testing.T, s Store) {
	seen := map[string]string{}
	for _, step := range []struct {
		name  string
		write func() error
	}{
		{"put", func() error { put(t, s, ref, "1", nil); return nil }},
		{"the same put again", func() error { put(t, s, ref, "1", nil); return nil }},
		{"set", func() error { return s.SetEnv(t.Context(), ref, "A", "1") }},
		{"the same set again", func() error { return s.SetEnv(t.Context(), ref, "A", "1") }},
		{"unset", func() error { return s.UnsetEnv(t.Context(), ref, "A") }},
	} {
		wantNoError(t, step.write())
		f := get(t, s, ref)
		revision, err := s.Revision(t.Context(), ref)
		wantNoError(t, err)
		if revision != f.Revision() || revision != f.VersionID {
			t.Errorf("after %s the revision is %q, the function's %q", step.name, revision, f.VersionID)
		}
		if before, ok := seen[revision]; ok {
			t.Errorf("%s and %s have the same revision", before, step.name)
		}
		seen[revision] = step.name
	}
}

func testDeleteThenPutStartsAnew(t *testing.T, s Store) {
	put(t, s, ref, "1", function.NewEnv(function.Var{Name: "A", Value: "1"}))
	wantNoError(t, s.Delete(t.Context(), ref))
	if f := put(t, s, ref, "2", nil); f.Env != nil || f.Created != f.Updated {
		t.Errorf("a function put after its deletion has env %v, created %q, updated %q", f.Env.Vars(), f.Created, f.Updated)
	}
}

func testCodeOfAnyKind(t *testing.T, s Store) {
	for _, code := range []string{" ", "\x00", "a\r\nb\n", "'\u2028</script>😀é'", strings.Repeat("// long\n", 128<<10)} {
		stored := put(t, s, ref, code, nil)
		if read := get(t, s, ref); read.Code != code || stored.Code != code || read.Hash != function.HashOf(code) {
			t.Errorf("code %.20q came back as %.20q", code, read.Code)
		}
	}
}
