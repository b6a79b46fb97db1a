package identity_test

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/backstage/functions/internal/identity"
)

func TestIssuersAreReadStrictly(t *testing.T) {
	const good = `{"issuer":"https://login.example/realm","audiences":["functions"],"roles":[
		{"claim":"groups","value":"ops","role":"admin","namespaces":["*"]},{"role":"invoke","namespaces":["open-*"]}]}`
	all, err := identity.ParseIssuers("[" + good + `,{"issuer":"http://127.0.0.1:9/","audiences":["a"],"namespaces":[]}]`)
	if err != nil {
		t.Fatal(err)
	}
	if len(all) != 2 || len(all[0].Roles) != 2 || all[0].Roles[0].Role != identity.Admin || all[0].Namespaces[0] != "*" ||
		len(all[1].Namespaces) != 0 {
		t.Errorf("read %+v", all)
	}
	for text, want := range map[string]string{
		``:                                  "cannot be read",
		`{}`:                                "cannot be read",
		`[]`:                                "has 0 issuers",
		`[` + good + `] []`:                 "text after it",
		`[` + good + `,` + good + `]`:       "issuer 2: https://login.example/realm is there already",
		`[{"audiences":["a"]}]`:             `issuer 1: issuer: "" is not a URL`,
		`[{"issuer":"https://a"}]`:          "issuer 1: audiences: name 1 to 50",
		replaced(good, `"functions"`, `""`): "audiences: one is empty",
		replaced(good, "https://login", "http://login"):            "must begin with https://",
		replaced(good, "https://login", "https://u:p@login"):       "is not a URL",
		replaced(good, "realm", "realm?x"):                         "has a query",
		replaced(good, `"admin"`, `"root"`):                        `issuer 1: role 1: role: "root" is none of`,
		replaced(good, `"claim":"groups",`, ``):                    "set both, or neither",
		replaced(good, `"role":"invoke"`, `"role":"deploy"`):       "role 2: role: deploy for all holders of tokens is too much",
		replaced(good, `["*"]`, `[]`):                              "namespaces: name 1 to 100",
		replaced(good, `["*"]`, `[""]`):                            `namespaces: "" is empty`,
		replaced(good, `["*"]`, `["a*b"]`):                         `namespaces: "a*b" has a * before its end`,
		replaced(good, `"issuer"`, `"client_secret":"x","issuer"`): "client_secret",
	} {
		if _, err := identity.ParseIssuers(text); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", text, err, want)
		}
	}
}

func replaced(good, old, with string) string { return "[" + strings.Replace(good, old, with, 1) + "]" }

func TestClaimsGiveRoles(t *testing.T) {
	in := []identity.Pattern{"a"}
	for _, row := range []struct {
		claim, value, claims string
		want                 bool
	}{
		{"groups", "ops", `{"groups":["dev","ops"]}`, true},
		{"groups", "ops", `{"groups":"ops"}`, true},
		{"groups", "ops", `{"groups":"ops dev"}`, false},
		{"groups", "ops", `{"groups":["ops2",["ops"],{"a":"ops"}]}`, false},
		{"groups", "ops", `{"Groups":["ops"]}`, false},
		{"groups", "ops", `{}`, false},
		{"groups", "null", `{"groups":null}`, false},
		{"n", "1", `{"n":1}`, false},
		{"https://example.org/roles", "ops", `{"https://example.org/roles":["ops"]}`, true},
		{"/realm_access/roles", "ops", `{"realm_access":{"roles":["ops"]}}`, true},
		{"/realm_access/roles", "ops", `{"realm_access":["ops"]}`, false},
		{"/realm_access/roles", "ops", `{"realm_access":{}}`, false},
		{"/a~1b/c~0d", "ops", `{"a/b":{"c~d":"ops"}}`, true},
		{"", "", `{}`, true},
	} {
		i := identity.Issuer{Roles: []identity.Rule{
			{Claim: row.claim, Value: row.value, Grant: identity.Grant{Role: identity.Deploy, Namespaces: in}},
		}}
		var claims map[string]json.RawMessage
		if err := json.Unmarshal([]byte(row.claims), &claims); err != nil {
			t.Fatal(err)
		}
		b := identity.Bearer{Grants: i.GrantsOf(claims)}
		if got := b.May(identity.Deploy, "a"); got != row.want || b.May(identity.Admin, "a") || b.May(identity.Invoke, "b") {
			t.Errorf("%s=%s with %s: %t", row.claim, row.value, row.claims, got)
		}
	}
}

// Several roles add up, each in its own namespaces.
func TestABearerGivesKeysWithinTheirRoles(t *testing.T) {
	b := &identity.Bearer{Grants: []identity.Grant{
		{Role: identity.Admin, Namespaces: []identity.Pattern{"a", "b-*"}},
		{Role: identity.Deploy, Namespaces: []identity.Pattern{"*"}},
	}}
	if !b.MayIn(identity.Deploy, "*") || b.MayIn(identity.Admin, "*") || !b.MayIn(identity.Admin, "b-x*") || !b.Has(identity.Admin) {
		t.Errorf("%+v", b)
	}
	for _, row := range []struct {
		role identity.Role
		in   identity.Pattern
		want bool
	}{{identity.Admin, "a", true}, {identity.Invoke, "b-1", true}, {identity.Invoke, "c", false}, {identity.Invoke, "*", false}, {"root", "a", false}} {
		if got := b.Gives(identity.Key{Role: row.role, Namespaces: []identity.Pattern{row.in}}); got != row.want {
			t.Errorf("%s in %s: %t", row.role, row.in, got)
		}
	}
	if b.Gives(identity.Key{Role: identity.Invoke}) {
		t.Error("a key for nothing")
	}
	k := identity.Key{Created: now}
	if !b.Outlives(&k) || !k.Expires.Equal(now.Add(identity.MadeByToken)) {
		t.Errorf("a key without an end ends %s", k.Expires)
	}
	if k.Expires = k.Expires.Add(time.Second); b.Outlives(&k) {
		t.Error("a key that ends too late")
	}
}
