package api

import (
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/backstage/functions/internal/identity"
)

// shownKey is what an answer shows of a key.
type shownKey struct {
	ID, Key, Name, Role, Created, Expires string
	Namespaces                            []string
}

// makeKey makes a key by the API.
func (g *guarded) makeKey(t *testing.T, by, body string) (key shownKey, status int, text string) {
	t.Helper()
	request := newRequest(t, "POST", g.url+"/keys", body, "Content-Type", jsonType, "Authorization", "Bearer "+by)
	response, text := do(t, request)
	if response.StatusCode == http.StatusCreated {
		if err := json.Unmarshal([]byte(text), &key); err != nil {
			t.Fatal(err)
		}
		if got := response.Header.Get("Cache-Control"); got != "no-store" {
			t.Errorf("the answer with a key has Cache-Control %q", got)
		}
	}
	return key, response.StatusCode, text
}

// follow has the server know the keys of its store.
func (g *guarded) follow(t *testing.T, store Keys) {
	t.Helper()
	all, err := store.Keys(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	g.ring.Set(slices.Concat(g.keys, all))
}

func TestKeysAreMadeShownAndDeleted(t *testing.T) {
	store := newFakeStore()
	g := guard(t, Options{Auth: AuthOn, Store: store})
	admin := g.key(identity.Admin, "*")
	made, status, text := g.makeKey(t, admin, `{"name":"ci","role":"deploy","namespaces":["a","b-*"],"expires":"2999-01-01T00:00:00+01:00"}`)
	if status != 201 || made.Name != "ci" || made.Role != "deploy" || made.Expires != "2998-12-31T23:00:00Z" ||
		!slices.Equal(made.Namespaces, []string{"a", "b-*"}) || !identity.IsToken(made.Key) || !strings.Contains(made.Key, made.ID) {
		t.Fatalf("answered %d %s", status, text)
	}
	shown := strings.Replace(text, `"key":"`+made.Key+`",`, "", 1)
	if strings.Contains(shown, made.Key) {
		t.Errorf("%s has the key twice", text)
	}
	response, body := g.ask(t, "GET", "/keys/"+made.ID, admin)
	expect(t, response, body, 200, shown)
	response, body = g.ask(t, "GET", "/keys", admin)
	expect(t, response, body, 200, `{"items":[`+shown+`],"page":1,"perPage":10}`)

	response, _ = g.ask(t, "GET", "/functions/a/f", made.Key)
	if response.StatusCode != 401 {
		t.Errorf("a key that the server does not know yet: %d", response.StatusCode)
	}
	g.follow(t, store)
	response, body = g.ask(t, "GET", "/functions/a/f", made.Key)
	expect(t, response, body, 404, `{"error":"Code not found"}`)

	response, body = g.ask(t, "DELETE", "/keys/"+made.ID, admin)
	expect(t, response, body, 204, "")
	g.follow(t, store)
	if response, _ = g.ask(t, "GET", "/functions/a/f", made.Key); response.StatusCode != 401 {
		t.Errorf("a key that was deleted: %d", response.StatusCode)
	}
	for _, method := range []string{"GET", "DELETE"} {
		response, body = g.ask(t, method, "/keys/"+made.ID, admin)
		expect(t, response, body, 404, `{"error":"Key not found"}`)
	}
}

func TestAnAdminOfNamespacesKeepsTheirKeysAlone(t *testing.T) {
	store := newFakeStore()
	g := guard(t, Options{Auth: AuthOn, Store: store})
	admin, team := g.key(identity.Admin, "*"), g.key(identity.Admin, "a", "b-*")
	for body, want := range map[string]int{
		`{"role":"admin","namespaces":["a"]}`:            201,
		`{"role":"invoke","namespaces":["b-x","b-y*"]}`:  201,
		`{"role":"invoke","namespaces":["*"]}`:           403,
		`{"role":"invoke","namespaces":["b*"]}`:          403,
		`{"role":"invoke","namespaces":["a","another"]}`: 403,
		`{"role":"deploy","namespaces":["a*"]}`:          403,
	} {
		if _, status, text := g.makeKey(t, team, body); status != want {
			t.Errorf("%s: %d %s, want %d", body, status, text, want)
		}
	}
	above, _, _ := g.makeKey(t, admin, `{"role":"invoke","namespaces":["a","c"]}`)
	for _, method := range []string{"GET", "DELETE"} {
		response, body := g.ask(t, method, "/keys/"+above.ID, team)
		expect(t, response, body, 404, `{"error":"Key not found"}`)
	}
	response, body := g.ask(t, "GET", "/keys", team)
	if n := strings.Count(body, `"id"`); response.StatusCode != 200 || n != 2 {
		t.Errorf("%d %s, want the two keys of the team", response.StatusCode, body)
	}
}

func TestKeysThatGrantNothingClearAreRefused(t *testing.T) {
	store := newFakeStore()
	store.Limits.Keys = 1
	g := guard(t, Options{Auth: AuthOn, Store: store})
	admin := g.key(identity.Admin, "*")
	for body, want := range map[string]string{
		`[]`:                                                   `instance is not of a type(s) object`,
		`{}`:                                                   `instance.role is not one of enum values: invoke,deploy,admin","instance requires property \"namespaces\"`,
		`{"role":"root","namespaces":["a"]}`:                   `instance.role is not one of enum values`,
		`{"role":1,"namespaces":["a"]}`:                        `instance.role is not of a type(s) string`,
		`{"role":"admin","namespaces":[]}`:                     `instance.namespaces is not a list of 1 to 100 names`,
		`{"role":"admin","namespaces":"a"}`:                    `instance.namespaces is not a list`,
		`{"role":"admin","namespaces":[""]}`:                   `instance.namespaces[0] is empty`,
		`{"role":"admin","namespaces":["a","b*c"]}`:            `instance.namespaces[1] has a * before its end`,
		`{"role":"admin","namespaces":["**"]}`:                 `instance.namespaces[0] has a * before its end`,
		`{"role":"admin","namespaces":[1]}`:                    `instance.namespaces is not a list`,
		`{"role":"admin","namespaces":["a"],"namespace":"b"}`:  `additionalProperty \"namespace\"`,
		`{"role":"admin","namespaces":["a"],"expires":"soon"}`: `instance.expires is not a time to come`,
		`{"role":"admin","namespaces":["a"],"expires":1}`:      `instance.expires is not of a type(s) string`,
		`{"role":"admin","namespaces":["a"],"name":"a\nb"}`:    `instance.name has control characters`,
		`{"role":"admin","namespaces":["a"],"expires":"` + time.Now().Add(-time.Second).Format(time.RFC3339) + `"}`: `time to come`,
		`{"role":"admin","namespaces":["a"],"name":"` + strings.Repeat("x", maxKeyName+1) + `"}`:                    `128 bytes`,
		`{"role":"admin","namespaces":["` + strings.Repeat("x", identity.MaxPatternBytes+1) + `"]}`:                 `instance.namespaces[0] has more than 1024 bytes`,
		`{"role":"admin","namespaces":["a"` + strings.Repeat(`,"a"`, identity.MaxPatterns) + `]}`:                   `is not a list`,
	} {
		if _, status, text := g.makeKey(t, admin, body); status != 400 || !strings.Contains(text, want) {
			t.Errorf("%.80s: %d %s, want %s", body, status, text, want)
		}
	}
	if _, status, text := g.makeKey(t, admin, `{"role":"invoke","namespaces":["a"]}`); status != 201 {
		t.Errorf("%d %s", status, text)
	}
	_, status, text := g.makeKey(t, admin, `{"role":"invoke","namespaces":["a"]}`)
	if status != 400 || text != `{"error":"There are as many keys as a server takes: delete some first"}` {
		t.Errorf("one too many: %d %s", status, text)
	}
}

// A key that ends does not make one that does not.
func TestAKeyEndsWithTheOneThatMadeIt(t *testing.T) {
	store := newFakeStore()
	g := guard(t, Options{Auth: AuthOn, Store: store})
	until := time.Now().Add(time.Hour).UTC().Truncate(time.Second)
	maker, token := identity.New(identity.Key{Role: identity.Admin, Namespaces: []identity.Pattern{"a"}, Expires: until})
	g.keys = append(g.keys, maker)
	g.ring.Set(g.keys)
	for expires, want := range map[string]string{
		"": until.Format(time.RFC3339),
		until.Add(-time.Minute).Format(time.RFC3339): until.Add(-time.Minute).Format(time.RFC3339),
		until.Format(time.RFC3339):                   until.Format(time.RFC3339),
		until.Add(time.Second).Format(time.RFC3339):  "",
	} {
		body := `{"role":"admin","namespaces":["a"]}`
		if expires != "" {
			body = `{"role":"admin","namespaces":["a"],"expires":"` + expires + `"}`
		}
		made, status, text := g.makeKey(t, token, body)
		if made.Expires != want || (status == 201) != (want != "") {
			t.Errorf("%q: %d %s, want it to end at %q", expires, status, text, want)
		}
	}
}
