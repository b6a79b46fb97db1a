package api

import (
	"context"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/backstage/functions/internal/function"
	"github.com/backstage/functions/internal/identity"
)

func TestATenthIsForAnyone(t *testing.T) {
	for _, row := range []struct {
		has, taken int
		want       bool
	}{{0, 0, true}, {49, 49, true}, {9, 99, true}, {10, 50, false}, {50, 50, false}, {10, 49, true}} {
		if got := hasRoom(row.has, row.taken, 100); got != row.want {
			t.Errorf("with %d of %d: %t", row.has, row.taken, got)
		}
	}
}

// crowded is a list of public functions that are nearly all of one owner.
type crowded struct{ listed }

func (crowded) Count(match func(namespace string) bool) (matching, all int) {
	if match("loud") {
		matching = 6000
	}
	return matching, 6000
}

func TestAnOwnerDoesNotFillTheListOfPublicFunctions(t *testing.T) {
	store := newFakeStore()
	url := serve(t, Options{Store: store, Public: crowded{listed{}}})
	for namespace, want := range map[string]int{"loud": 400, "quiet": 200} {
		response, body := do(t, newRequest(t, "PUT", url+"/functions/"+namespace+"/f", `{"code":"1","access":"public"}`, "Content-Type", jsonType))
		if response.StatusCode != want || (want == 400) != strings.Contains(body, "as many public functions as they may") {
			t.Errorf("%s: %d %s", namespace, response.StatusCode, body)
		}
	}
	if all, err := store.Public(t.Context()); err != nil || len(all) != 1 || all[0].Ref != (function.Ref{Namespace: "quiet", ID: "f"}) {
		t.Errorf("public are %v, %v", all, err)
	}
}

// The keys that a tenant makes count together, by any of their keys.
func TestAnAdministratorDoesNotFillThePlacesOfKeys(t *testing.T) {
	store := newFakeStore()
	g := guard(t, Options{Auth: AuthOn, Store: store})
	operator, loud, quiet := g.key(identity.Admin, "*"), g.key(identity.Admin, "a*"), g.key(identity.Admin, "b")
	root := g.keys[1].ID
	for i := range function.MaxKeys / 2 {
		k, _ := identity.New(identity.Key{Name: strconv.Itoa(i), Role: identity.Invoke, Namespaces: []identity.Pattern{"a1"}, Root: root})
		if err := store.PutKey(t.Context(), k); err != nil {
			t.Fatal(err)
		}
	}
	child, token := identity.New(identity.Key{Role: identity.Admin, Namespaces: []identity.Pattern{"a*"}, Root: root})
	g.ring.Set(append(g.keys, child))
	for by, row := range map[string]struct {
		namespace string
		status    int
	}{
		operator: {"a2", http.StatusCreated}, quiet: {"b", http.StatusCreated}, loud: {"a2", http.StatusBadRequest}, token: {"a3", http.StatusBadRequest},
	} {
		response, body := do(t, newRequest(t, "POST", g.url+"/keys", `{"role":"invoke","namespaces":["`+row.namespace+`"]}`,
			"Authorization", "Bearer "+by, "Content-Type", jsonType))
		if response.StatusCode != row.status {
			t.Errorf("%s: %d %s, want %d", row.namespace, response.StatusCode, body, row.status)
		}
	}
	all, err := store.Keys(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	roots := map[string]int{}
	for _, k := range all {
		roots[k.Root]++
	}
	if roots[""] != 1 || roots[g.keys[2].ID] != 1 || roots[root] != function.MaxKeys/2 {
		t.Errorf("the roots of keys are %v", roots)
	}
}

// meeting is a store whose first readers of all keys wait for each other, as those of several servers may.
type meeting struct {
	*fakeStore
	all   sync.WaitGroup
	calls atomic.Int32
	first int32
}

func (m *meeting) Keys(ctx context.Context) ([]identity.Key, error) {
	all, err := m.fakeStore.Keys(ctx)
	if m.calls.Add(1) <= m.first {
		m.all.Done()
		m.all.Wait()
	}
	return all, err
}

// Requests that all find the last place free do not all take it.
func TestKeysMadeAtOnceDoNotExceedAShare(t *testing.T) {
	const atOnce = 8
	store := &meeting{fakeStore: newFakeStore(), first: atOnce}
	store.all.Add(atOnce)
	servers := []*guarded{guard(t, Options{Auth: AuthOn, Store: store}), guard(t, Options{Auth: AuthOn, Store: store})}
	maker, token := identity.New(identity.Key{Role: identity.Admin, Namespaces: []identity.Pattern{"a"}})
	for _, g := range servers {
		g.ring.Set([]identity.Key{maker})
	}
	for range function.MaxKeys/2 - 1 {
		k, _ := identity.New(identity.Key{Role: identity.Invoke, Namespaces: []identity.Pattern{"a"}, Root: maker.ID})
		if err := store.PutKey(t.Context(), k); err != nil {
			t.Fatal(err)
		}
	}
	post := func(g *guarded) int {
		response, _ := do(t, newRequest(t, "POST", g.url+"/keys", `{"role":"invoke","namespaces":["a"]}`,
			"Authorization", "Bearer "+token, "Content-Type", jsonType))
		return response.StatusCode
	}
	var made atomic.Int32
	var all sync.WaitGroup
	for i := range atOnce {
		all.Go(func() {
			if post(servers[i%2]) == http.StatusCreated {
				made.Add(1)
			}
		})
	}
	all.Wait()
	if n := made.Load(); n > 1 {
		t.Errorf("%d keys took the last place", n)
	}
	for made.Load() == 0 && post(servers[0]) == http.StatusCreated {
		made.Add(1)
	}
	keys, err := store.Keys(t.Context())
	if err != nil || len(keys) != function.MaxKeys/2 || made.Load() != 1 {
		t.Errorf("there are %d keys, %v, and %d were made", len(keys), err, made.Load())
	}
}
