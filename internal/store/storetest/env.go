package storetest

import (
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/backstage/functions/internal/function"
)

// envTests are of the variables of functions.
var envTests = table{
	"SetEnv":             testSetEnv,
	"UnsetEnv":           testUnsetEnv,
	"EnvIsBounded":       testEnvIsBounded,
	"EnvIsBoundedAtOnce": testEnvIsBoundedAtOnce,
	"EnvKeepsOrder":      testEnvKeepsOrder,
	"ConcurrentSetEnv":   testConcurrentSetEnv,
	"ConcurrentPut":      testConcurrentPut,
}

func testSetEnv(t *testing.T, s Store) {
	put(t, s, ref, "1", nil)
	wantNoError(t, s.SetEnv(t.Context(), ref, "A", "1"))
	wantNoError(t, s.SetEnv(t.Context(), ref, "B", ""))
	wantNoError(t, s.SetEnv(t.Context(), ref, "A", "2"))
	f := get(t, s, ref)
	wantEnv(t, f.Env, function.Var{Name: "A", Value: "2"}, function.Var{Name: "B", Value: ""})
	if f.Code != "1" || f.Hash != function.HashOf("1") {
		t.Errorf("the code became %q, %q", f.Code, f.Hash)
	}
	if f.Updated < f.Created {
		t.Errorf("updated %q lies before created %q", f.Updated, f.Created)
	}
}

func testUnsetEnv(t *testing.T, s Store) {
	put(t, s, ref, "1", nil)
	wantError(t, s.UnsetEnv(t.Context(), ref, "A"), function.ErrEnvNotFound)
	put(t, s, ref, "1", function.NewEnv(function.Var{Name: "A", Value: "1"}, function.Var{Name: "EMPTY", Value: ""}))
	wantError(t, s.UnsetEnv(t.Context(), ref, "toString"), function.ErrEnvNotFound)
	wantNoError(t, s.UnsetEnv(t.Context(), ref, "EMPTY"))
	wantEnv(t, get(t, s, ref).Env, function.Var{Name: "A", Value: "1"})
	wantNoError(t, s.UnsetEnv(t.Context(), ref, "A"))
	wantEnv(t, get(t, s, ref).Env)
	revision, err := s.Revision(t.Context(), ref)
	wantNoError(t, err)
	wantError(t, s.UnsetEnv(t.Context(), ref, "A"), function.ErrEnvNotFound)
	if again, err := s.Revision(t.Context(), ref); again != revision || err != nil {
		t.Errorf("an unset that changed nothing made revision %q, %v", again, err)
	}
}

func testEnvKeepsOrder(t *testing.T, s Store) {
	env := function.NewEnv()
	for _, name := range []string{"z", "a", "10", "2", "__proto__", "toString", "é\n\"\\", "<&>\u2028", "", "01"} {
		env.Set(name, "value of "+name)
	}
	put(t, s, ref, "1", env)
	wantEnv(t, get(t, s, ref).Env, env.Vars()...)
	for _, name := range []string{"m", "3", "a"} {
		env.Set(name, "new")
		wantNoError(t, s.SetEnv(t.Context(), ref, name, "new"))
	}
	wantEnv(t, get(t, s, ref).Env, env.Vars()...)
}

func testConcurrentSetEnv(t *testing.T, s Store) {
	put(t, s, ref, "1", nil)
	const writers, each = 20, 5
	var wg sync.WaitGroup
	for w := range writers {
		wg.Go(func() {
			for i := range each {
				if err := s.SetEnv(t.Context(), ref, fmt.Sprintf("V%d_%d", w, i), "set"); err != nil {
					t.Errorf("writer %d: %v", w, err)
				}
			}
		})
	}
	wg.Wait()
	if n := get(t, s, ref).Env.Len(); n != writers*each {
		t.Errorf("%d variables are set, want %d", n, writers*each)
	}
}

func testConcurrentPut(t *testing.T, s Store) {
	const writers = 20
	written := make([]*function.Function, writers)
	var wg sync.WaitGroup
	for w := range writers {
		wg.Go(func() {
			f, err := s.Put(t.Context(), &function.Function{Ref: ref, Code: fmt.Sprintf("// %d", w)})
			if err != nil {
				t.Errorf("writer %d: %v", w, err)
				return
			}
			written[w] = f
		})
	}
	wg.Wait()
	last := get(t, s, ref)
	if last.Hash != function.HashOf(last.Code) {
		t.Error("code and hash come from different writes")
	}
	for _, f := range written {
		if f != nil && f.Created != last.Created {
			t.Errorf("one write saw created %q, another %q", f.Created, last.Created)
		}
		if f != nil && f.VersionID == last.VersionID && f.Code != last.Code {
			t.Error("code and revision come from different writes")
		}
	}
}

func wantEnvLimit(t *testing.T, err error, bytes int64) {
	t.Helper()
	if limit, ok := errors.AsType[*function.EnvLimitError](err); !ok || limit.Bytes != bytes {
		t.Errorf("got error %v, want that of a limit of %d bytes", err, bytes)
	}
}

func testEnvIsBounded(t *testing.T, s Store) {
	const limit = 1 << 20 // the default
	long := strings.Repeat("\x01", 100_000)
	put(t, s, ref, "1", nil)
	wantNoError(t, s.SetEnv(t.Context(), ref, "A", long)) // 600 kB as JSON
	wantEnvLimit(t, s.SetEnv(t.Context(), ref, "B", long), limit)
	wantEnvLimit(t, s.SetEnv(t.Context(), ref, "A", long+long), limit)
	wantEnv(t, get(t, s, ref).Env, function.Var{Name: "A", Value: long})
	_, err := s.Put(
		t.Context(),
		&function.Function{Ref: ref, Code: "2", Env: function.NewEnv(function.Var{Name: "A", Value: long + long})},
	)
	wantEnvLimit(t, err, limit)

	many := function.NewEnv()
	for i := range function.MaxVariables {
		many.Set(fmt.Sprintf("V%d", i), "")
	}
	put(t, s, ref, "3", many)
	wantEnvLimit(t, s.SetEnv(t.Context(), ref, "one more", ""), 0)
	wantNoError(t, s.SetEnv(t.Context(), ref, "V7", "new"))
	wantNoError(t, s.UnsetEnv(t.Context(), ref, "V7"))
	wantNoError(t, s.SetEnv(t.Context(), ref, "one more", ""))
	many.Set("one more", "")
	many.Set("and another", "")
	_, err = s.Put(t.Context(), &function.Function{Ref: ref, Code: "4", Env: many})
	wantEnvLimit(t, err, 0)
	if f := get(t, s, ref); f.Code != "3" || f.Env.Len() != function.MaxVariables {
		t.Errorf("code %q has %d variables", f.Code, f.Env.Len())
	}
}

func testEnvIsBoundedAtOnce(t *testing.T, s Store) {
	put(t, s, ref, "1", nil)
	value := strings.Repeat("v", 300_000) // three of them fit
	var wg sync.WaitGroup
	var done atomic.Int32
	for w := range 5 {
		wg.Go(func() {
			switch err := s.SetEnv(t.Context(), ref, fmt.Sprintf("V%d", w), value); {
			case err == nil:
				done.Add(1)
			default:
				wantEnvLimit(t, err, 1<<20)
			}
		})
	}
	wg.Wait()
	if n := get(t, s, ref).Env.Len(); n != 3 || done.Load() != 3 {
		t.Errorf("%d variables are set, and %d writers were told so", n, done.Load())
	}
}
