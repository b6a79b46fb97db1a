package storetest

import (
	"errors"
	"slices"
	"testing"

	"github.com/backstage/functions/internal/function"
)

// ref is the function that most tests use.
var ref = function.Ref{Namespace: "ns", ID: "id"}

func put(t *testing.T, s Store, r function.Ref, code string, env *function.Env) *function.Function {
	t.Helper()
	f, err := s.Put(t.Context(), &function.Function{Ref: r, Code: code, Env: env})
	if err != nil {
		t.Fatalf("put %s: %v", r, err)
	}
	return f
}

func get(t *testing.T, s Store, r function.Ref) *function.Function {
	t.Helper()
	f, err := s.Get(t.Context(), r)
	if err != nil {
		t.Fatalf("get %s: %v", r, err)
	}
	return f
}

func list(t *testing.T, s Store, q function.Query) *function.Page {
	t.Helper()
	page, err := s.List(t.Context(), q)
	if err != nil {
		t.Fatalf("list %+v: %v", q, err)
	}
	return page
}

func wantNoError(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func wantError(t *testing.T, err, want error) {
	t.Helper()
	if !errors.Is(err, want) {
		t.Errorf("got error %v, want %v", err, want)
	}
}

func wantEnv(t *testing.T, env *function.Env, want ...function.Var) {
	t.Helper()
	if env == nil {
		t.Errorf("no environment, want %v", want)
	} else if got := env.Vars(); !slices.Equal(got, want) {
		t.Errorf("environment is %v, want %v", got, want)
	}
}

func wantRefs(t *testing.T, got, want []function.Ref) {
	t.Helper()
	if !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}
