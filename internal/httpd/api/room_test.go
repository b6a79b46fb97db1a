package api

import (
	"net/http"
	"strconv"
	"strings"
	"testing"

	"github.com/backstage/functions/internal/function"
	"github.com/backstage/functions/internal/identity"
)

func TestATenthIsForAnyone(t *testing.T) {
	for _, row := range []struct {
		has, taken int
		want       bool
	}{{0, 0, true}, {4999, 4999, true}, {999, 9999, true}, {1000, 5000, false}, {5000, 5000, false}, {1000, 4999, true}} {
		if got := hasRoom(row.has, row.taken, 10_000); got != row.want {
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
