package bolt_test

import (
	"errors"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/backstage/functions/internal/function"
	"github.com/backstage/functions/internal/store/bolt"
	"github.com/backstage/functions/internal/store/storetest"
)

func TestStoreKeepsTheContract(t *testing.T) {
	storetest.Run(t, func(t *testing.T) storetest.Store {
		s := open(t, t.TempDir())
		s.OwnerSeparator = storetest.OwnerSeparator
		s.Limits.Routes, s.Limits.Keys = storetest.MaxRoutes, storetest.MaxKeys
		s.Limits.Modules, s.Limits.Secrets = storetest.MaxModules, storetest.MaxSecrets
		s.Limits.Public, s.Limits.Namespaces = storetest.MaxPublic, storetest.MaxNamespaces
		return s
	})
}

func open(t *testing.T, dir string) *bolt.Store {
	t.Helper()
	s, err := bolt.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

func put(t *testing.T, s *bolt.Store, ref function.Ref, code string, env *function.Env) *function.Function {
	t.Helper()
	f, err := s.Put(t.Context(), &function.Function{Ref: ref, Code: code, Env: env})
	if err != nil {
		t.Fatal(err)
	}
	return f
}

func TestOpenCreatesTheFolder(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "a", "b")
	put(t, open(t, dir), function.Ref{Namespace: "ns", ID: "id"}, "1", nil)
	if info, err := os.Stat(filepath.Join(dir, "functions.db")); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("the file is %v, %v", info, err)
	}
}

func TestEverythingIsThereAfterAReopen(t *testing.T) {
	dir := t.TempDir()
	ref := function.Ref{Namespace: "a/b:c", ID: "d"}
	dsn := "dsn"
	s := open(t, dir)
	if err := s.PutNamespace(t.Context(), &function.Namespace{Name: ref.Namespace, SentryDSN: &dsn}); err != nil {
		t.Fatal(err)
	}
	want := put(
		t, s, ref, "code", function.NewEnv(function.Var{Name: "Z", Value: "<1>"}, function.Var{Name: "A", Value: ""}),
	)
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	got, err := open(t, dir).Get(t.Context(), ref)
	if err != nil {
		t.Fatal(err)
	}
	if got.Code != want.Code || got.Hash != want.Hash || got.VersionID != want.VersionID || got.Created != want.Created ||
		got.Updated != want.Updated {
		t.Errorf("got %+v, want %+v", got, want)
	}
	if env, _ := got.Env.MarshalJSON(); string(env) != `{"Z":"<1>","A":""}` {
		t.Errorf("environment is %s", env)
	}
	if got.Settings == nil || *got.Settings.SentryDSN != dsn {
		t.Errorf("settings are %+v", got.Settings)
	}
}

func TestALockedFileIsNamed(t *testing.T) {
	dir := t.TempDir()
	open(t, dir)
	_, err := bolt.Open(dir)
	wantText(t, err, filepath.Join(dir, "functions.db"), "in use by another process")
}

func TestAFolderThatCannotBeUsedIsNamed(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	_, err := bolt.Open(file)
	wantText(t, err, file, "not a directory")

	taken := filepath.Join(dir, "taken")
	if err := os.MkdirAll(filepath.Join(taken, "functions.db"), 0o700); err != nil {
		t.Fatal(err)
	}
	_, err = bolt.Open(taken)
	wantText(t, err, filepath.Join(taken, "functions.db"), "not a regular file")
}

func wantText(t *testing.T, err error, parts ...string) {
	t.Helper()
	if err == nil {
		t.Fatal("no error")
	}
	for _, part := range parts {
		if !strings.Contains(err.Error(), part) {
			t.Errorf("error %q does not say %q", err, part)
		}
	}
}

func TestNamesBeyondTheLimitAreRefused(t *testing.T) {
	s := open(t, t.TempDir())
	long := strings.Repeat("n", 1<<15)
	for _, ref := range []function.Ref{{Namespace: long, ID: "id"}, {Namespace: "ns", ID: long + "n"}} {
		if _, err := s.Put(t.Context(), &function.Function{Ref: ref, Code: "1"}); err == nil {
			t.Errorf("names of %d and %d bytes were taken", len(ref.Namespace), len(ref.ID))
		}
	}
	if page, err := s.List(t.Context(), function.Query{Page: 1, PerPage: 1}); err != nil || page.Total != 0 {
		t.Errorf("a refused put left %d functions, %v", page.Total, err)
	}
}

func TestManyFunctionsSurvivePageSplits(t *testing.T) {
	dir := t.TempDir()
	s := open(t, dir)
	for i := range 60 {
		put(t, s, function.Ref{Namespace: "ns" + strconv.Itoa(i%7), ID: strconv.Itoa(i)}, strings.Repeat("x", i*700+1), nil)
	}
	for i := 0; i < 60; i += 2 {
		if err := s.Delete(t.Context(), function.Ref{Namespace: "ns" + strconv.Itoa(i%7), ID: strconv.Itoa(i)}); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	s = open(t, dir)
	page, err := s.List(t.Context(), function.Query{Page: 1, PerPage: 100})
	if err != nil || page.Total != 30 {
		t.Fatalf("%+v, %v", page, err)
	}
	for _, ref := range page.Items {
		i, _ := strconv.Atoi(ref.ID)
		if f, err := s.Get(t.Context(), ref); err != nil || len(f.Code) != i*700+1 {
			t.Errorf("%s: %v", ref, err)
		}
	}
	if _, err := s.Get(t.Context(), function.Ref{Namespace: "ns0", ID: "0"}); !errors.Is(err, function.ErrNotFound) {
		t.Errorf("a deleted function: %v", err)
	}
}

func TestRecordsThatAreTooLargeAreNotRead(t *testing.T) {
	dir := t.TempDir()
	ref := function.Ref{Namespace: "ns", ID: "id"}
	s := open(t, dir)
	s.Limits.RecordBytes = 1 << 30
	put(t, s, ref, strings.Repeat("x", 9<<20), nil)
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	s = open(t, dir) // the file is sound
	_, getErr := s.Get(t.Context(), ref)
	_, putErr := s.Put(t.Context(), &function.Function{Ref: ref, Code: "2"})
	for _, err := range []error{getErr, putErr, s.SetEnv(t.Context(), ref, "A", "1")} {
		if !errors.Is(err, function.ErrRecordTooLarge) {
			t.Errorf("got error %v", err)
		}
	}
	put(t, s, ref, "2", function.NewEnv())
}

// numbered is a function of some size that says which write it was.
func numbered(id string, number int) *function.Function {
	return &function.Function{
		Ref:  function.Ref{Namespace: "ns", ID: id},
		Code: strconv.Itoa(number) + strings.Repeat(" ", 20_000),
	}
}
