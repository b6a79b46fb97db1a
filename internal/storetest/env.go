package storetest

import (
	"fmt"
	"sync"
	"testing"

	"github.com/backstage/functions/internal/function"
)

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
	version, err := s.Version(t.Context(), ref)
	wantNoError(t, err)
	wantError(t, s.UnsetEnv(t.Context(), ref, "A"), function.ErrEnvNotFound)
	if again, err := s.Version(t.Context(), ref); again != version || err != nil {
		t.Errorf("an unset that changed nothing made version %q, %v", again, err)
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
			t.Error("code and version come from different writes")
		}
	}
}
