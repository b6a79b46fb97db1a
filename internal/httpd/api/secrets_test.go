package api

import (
	"errors"
	"net/http"
	"path/filepath"
	"strings"
	"testing"

	"github.com/backstage/functions/internal/function"
	"github.com/backstage/functions/internal/secrets"
	"github.com/backstage/functions/internal/store/mem"
)

// serveSecrets starts a server that keeps secrets in memory.
func serveSecrets(t *testing.T, change func(*secrets.Options)) (url string, keeper *secrets.Keeper) {
	t.Helper()
	o := secrets.Options{Store: mem.New(), KeysetFile: filepath.Join(t.TempDir(), "keyset")}
	if _, err := secrets.CreateKeyset(o.KeysetFile); err != nil {
		t.Fatal(err)
	}
	if change != nil {
		change(&o)
	}
	keeper, err := secrets.New(o)
	if err != nil {
		t.Fatal(err)
	}
	return serve(t, Options{Secrets: keeper}), keeper
}

func putSecret(t *testing.T, url, value string) {
	t.Helper()
	if res, body := do(t, newRequest(t, "PUT", url, value, headerType, "text/plain")); res.StatusCode != 204 {
		t.Fatalf("PUT %s: %d %s", url, res.StatusCode, body)
	}
}

// valueOf is what the function f of the namespace n gets as A.
func valueOf(t *testing.T, keeper *secrets.Keeper) string {
	t.Helper()
	set, err := keeper.For(t.Context(), function.Ref{Namespace: "n", ID: "f"}, []string{"A"})
	if err != nil {
		t.Fatal(err)
	}
	return string(set.Values)
}

func TestSecretsAreTakenAsTextAndAsJSON(t *testing.T) {
	url, keeper := serveSecrets(t, nil)
	for _, row := range []struct{ contentType, body, want string }{
		{"text/plain", "the value\n", `the value\n`},
		{"text/plain; charset=utf-8", " é😀 ", " é😀 "},
		{"", "untyped", "untyped"},
		{"application/octet-stream", `{"value":"x"}`, `{\"value\":\"x\"}`},
		{"application/json", `"in a string"`, "in a string"},
		{"application/json", `{"value":"in an object"}`, "in an object"},
		{
			"application/json", `{"value":"` + strings.Repeat(`A`, function.MaxSecretBytes) + `"}`,
			strings.Repeat("A", function.MaxSecretBytes),
		},
	} {
		for _, path := range []string{"/namespaces/n/secrets/A", "/functions/n/f/secrets/A"} {
			res, body := do(t, newRequest(t, "PUT", url+path, row.body, headerType, row.contentType))
			expect(t, res, body, http.StatusNoContent, "")
			if got, want := valueOf(t, keeper), `{"A":"`+row.want+`"}`; got != want {
				t.Errorf("%s %.50s is %.60s, want %.60s", row.contentType, row.body, got, want)
			}
			res, body = do(t, newRequest(t, "DELETE", url+"/functions/n/f/secrets/A", ""))
			expect(t, res, body, http.StatusNoContent, "")
		}
	}
}

func TestWhatIsNoSecretIsRefused(t *testing.T) {
	url, _ := serveSecrets(t, nil)
	long := strings.Repeat("x", function.MaxSecretBytes+1)
	for _, row := range []struct {
		path, contentType, body string
		status                  int
		want                    string
	}{
		{"/namespaces/n/secrets/A", "text/plain", "", 400, "The value is empty"},
		{"/namespaces/n/secrets/A", "text/plain", "a\x00b", 400, "The value has a byte 0"},
		{"/namespaces/n/secrets/A", "text/plain", "\xff\xfe", 400, "The value is not UTF-8: encode bytes, such as with base64"},
		{"/namespaces/n/secrets/A", "text/plain", long, 413, "The value has more than 16384 bytes"},
		{"/namespaces/n/secrets/A", "text/plain", strings.Repeat(long, 8), 413, "request entity too large"},
		{"/namespaces/n/secrets/A", "application/json", `{"value":1}`, 400, "The body is not the value of a secret"},
		{"/namespaces/n/secrets/A", "application/json", `{"value":"x","ttl":1}`, 400, "The body is not the value"},
		{"/namespaces/n/secrets/A", "application/json", `["canary"]`, 400, "The body is not the value of a secret"},
		{"/namespaces/n/secrets/A", "application/x-www-form-urlencoded", `canary`, 415, "Send the value of a secret with"},
		{"/namespaces/n/secrets/a-b", "text/plain", "x", 400, "is no name of a secret"},
		{"/namespaces/n/secrets/1A", "text/plain", "x", 400, "is no name of a secret"},
		{"/functions/n/f/secrets/" + strings.Repeat("A", 129), "text/plain", "x", 400, "is no name of a secret"},
		{"/functions/n/f/secrets/%2E%2E", "text/plain", "x", 400, "is no name of a secret"},
	} {
		res, body := do(t, newRequest(t, "PUT", url+row.path, row.body, headerType, row.contentType))
		if res.StatusCode != row.status || !strings.Contains(body, row.want) || strings.Contains(body, "canary") {
			t.Errorf("%s %.30q: %d %s, want %d %s", row.path, row.body, res.StatusCode, body, row.status, row.want)
		}
	}
	res, body := do(t, newRequest(t, "GET", url+"/namespaces/n/secrets", ""))
	expect(t, res, body, 200, `{"items":[]}`)
}

func TestListsOfSecretsHaveNoValues(t *testing.T) {
	url, _ := serveSecrets(t, nil)
	for range 2 {
		for _, path := range []string{"/namespaces/n/secrets/B", "/namespaces/n/secrets/A", "/functions/n/f/secrets/C"} {
			putSecret(t, url+path, "canary")
		}
	}
	for path, names := range map[string][]string{"/namespaces/n/secrets": {"A", "B"}, "/functions/n/f/secrets": {"C"}} {
		res, body := do(t, newRequest(t, "GET", url+path, ""))
		if res.StatusCode != 200 || strings.Contains(body, "canary") || strings.Count(body, `"version":2,"created":"2`) != len(names) {
			t.Errorf("%s: %d %s", path, res.StatusCode, body)
		}
		if at := strings.Index(body, `"`+names[0]+`"`); at < 0 || strings.LastIndex(body, `"`+names[len(names)-1]+`"`) < at {
			t.Errorf("%s: %s", path, body)
		}
		if head, _ := do(t, newRequest(t, "HEAD", url+path, "")); head.StatusCode != 200 {
			t.Errorf("HEAD %s: %d", path, head.StatusCode)
		}
		tag := res.Header.Get("ETag")
		if tag == "" {
			continue
		}
		if again, _ := do(t, newRequest(t, "GET", url+path, "", "If-None-Match", tag)); again.StatusCode != 304 {
			t.Errorf("%s with its tag: %d", path, again.StatusCode)
		}
	}
}

func TestSecretsHaveALimit(t *testing.T) {
	store := mem.New()
	store.Limits.Secrets = 2
	url, _ := serveSecrets(t, func(o *secrets.Options) { o.Store = store })
	for _, name := range []string{"A", "B", "C"} {
		res, body := do(t, newRequest(t, "PUT", url+"/namespaces/n/secrets/"+name, "x", headerType, "text/plain"))
		if name == "C" {
			expect(t, res, body, 400,
				`{"error":"There are as many secrets as a function or a namespace may have: delete some first"}`)
		} else if res.StatusCode != 204 {
			t.Errorf("%s: %d %s", name, res.StatusCode, body)
		}
	}
}

func TestWithoutKeysThePutOfASecretSaysWhatToDo(t *testing.T) {
	url := serve(t, Options{})
	res, body := do(t, newRequest(t, "PUT", url+"/namespaces/n/secrets/A", "canary", headerType, "text/plain"))
	expect(t, res, body, 501, `{"error":"This server has no keys to encrypt secrets with: make them with functions secrets `+
		`keygen FILE, and start it with SECRETS_KEYSET_FILE=FILE","reason":"no_keyset"}`)
	res, body = do(t, newRequest(t, "GET", url+"/namespaces/n/secrets", ""))
	expect(t, res, body, 200, `{"items":[]}`)
}

func TestSecretsGoWithTheirFunction(t *testing.T) {
	url, keeper := serveSecrets(t, nil)
	putSecret(t, url+"/namespaces/n/secrets/A", "of the namespace")
	putSecret(t, url+"/functions/n/f/secrets/A", "of the function")
	if got := valueOf(t, keeper); got != `{"A":"of the function"}` {
		t.Errorf("got %s", got)
	}
	res, body := do(t, newRequest(t, "DELETE", url+"/functions/n/f", ""))
	expect(t, res, body, 204, "")
	if got := valueOf(t, keeper); got != `{"A":"of the namespace"}` {
		t.Errorf("got %s", got)
	}
	res, body = do(t, newRequest(t, "DELETE", url+"/namespaces/n/secrets/A", ""))
	expect(t, res, body, 204, "")
	if _, err := keeper.For(t.Context(), function.Ref{Namespace: "n", ID: "f"}, []string{"A"}); err == nil {
		t.Error("it is there still")
	} else if refused, ok := errors.AsType[*secrets.Error](err); !ok || refused.Reason != secrets.ReasonMissing {
		t.Error(err)
	}
}

func TestNamesOfSecretsAreChecked(t *testing.T) {
	url := serve(t, Options{})
	many := strings.Repeat(`"A",`, function.MaxSecretNames)
	for option, want := range map[string]string{
		`"STRIPE"`:          `instance.secrets is not an array of names of secrets, such as [\"STRIPE\"]`,
		`null`:              `instance.secrets is not an array of names of secrets`,
		`["a-b"]`:           `instance.secrets[0] \"a-b\" is no name of a secret`,
		`["A","A"]`:         `instance.secrets[1] is A, which is there already`,
		`[` + many + `"B"]`: `instance.secrets has 33 names, 32 are the most`,
	} {
		res, body := do(t, newRequest(t, "PUT", url+"/functions/n/f",
			`{"code":"function main() {}","secrets":`+option+`}`, headerType, "application/json"))
		if res.StatusCode != 400 || !strings.Contains(body, want) {
			t.Errorf("%.40s: %d %s", option, res.StatusCode, body)
		}
	}
	res, body := do(t, newRequest(t, "PUT", url+"/functions/n/f",
		`{"code":"function main() {}","secret":["A"]}`, headerType, "application/json"))
	if res.StatusCode != 400 || !strings.Contains(body, "secrets") {
		t.Errorf("a name that is almost it: %d %s", res.StatusCode, body)
	}
}
