package main

import (
	"bufio"
	"encoding/json"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// startIssuer starts an OpenID Connect issuer and returns its address.
func startIssuer(t *testing.T) string {
	t.Helper()
	node, err := filepath.Abs("testdata/runtimes/node_modules/node24/bin/node")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat("testdata/issuer/node_modules/oidc-provider"); err != nil {
		t.Fatalf("%v: run make test-needs", err)
	}
	cmd := exec.CommandContext(t.Context(), node, "issuer.js")
	cmd.Dir = "testdata/issuer"
	printed, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	})
	lines := bufio.NewScanner(printed)
	for lines.Scan() {
		if strings.HasPrefix(lines.Text(), "http://") {
			return lines.Text()
		}
	}
	t.Fatal("the issuer does not start")
	return ""
}

// signIn returns a token that the issuer gives a program.
func signIn(t *testing.T, issuer string) string {
	t.Helper()
	form := url.Values{"grant_type": {"client_credentials"}}
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, issuer+"/token", strings.NewReader(form.Encode()))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.SetBasicAuth("ci", "secret")
	response, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	var answer struct {
		Token string `json:"access_token"`
	}
	if err := json.NewDecoder(response.Body).Decode(&answer); err != nil || strings.Count(answer.Token, ".") != 2 {
		t.Fatalf("%s: %+v, %v", response.Status, answer, err)
	}
	return answer.Token
}

// Tokens of a real issuer open a server, on every runtime, and stop doing so when the issuer takes their key back.
func TestTokensOfAnIssuer(t *testing.T) {
	issuer := startIssuer(t)
	runtimes := []string{"node8", "node20", "node22", "node24"}
	s := startServer(t, runtimesVariable(t, runtimes...), "AUTH=on", "ADMIN_KEY_FILE="+filepath.Join(t.TempDir(), "admin.key"),
		`OIDC_ISSUERS=[{"issuer":"`+issuer+`","audiences":["functions"],"roles":[{"claim":"groups","value":"shop-team","role":"deploy","namespaces":["shop"]}]}]`)
	token := signIn(t, issuer)
	const seen = `{"type":"jwt","issuer":"` + "ISSUER" + `","subject":"ci","groups":["shop-team"],"header":false}`
	want := strings.Replace(seen, "ISSUER", issuer, 1)
	const shown = `({ type: auth.type, issuer: auth.issuer, subject: auth.subject, groups: auth.claims.groups, header: "authorization" in headers })`
	codes := map[string]string{
		"main": `function main(req, res) { const auth = req.auth, headers = req.headers; res.send(` + shown + `) }`,
		"web":  `export default { fetch(req, env, ctx) { const auth = ctx.auth, headers = Object.fromEntries(req.headers); return Response.json(` + shown + `) } }`,
	}
	for _, runtime := range runtimes {
		for kind, code := range codes {
			if kind == "web" && runtime == "node8" {
				continue
			}
			globals := map[string]string{"main": "classic", "web": "web"}[kind]
			body, err := json.Marshal(map[string]string{"code": code, "access": "jwt", "runtime": runtime, "globals": globals})
			if err != nil {
				t.Fatal(err)
			}
			path := s.url + "/functions/shop/" + kind + "-" + runtime
			if status, answer := as(t, token, "PUT", path, string(body)); status != http.StatusOK {
				t.Fatalf("%s on %s: %d %s", kind, runtime, status, answer)
			}
			if status, answer := as(t, token, "POST", path+"/run", "{}"); status != http.StatusOK || answer != want {
				t.Errorf("%s on %s: %d %s, want %s", kind, runtime, status, answer, want)
			}
			if status, answer := as(t, "", "POST", path+"/run", "{}"); status != http.StatusUnauthorized {
				t.Errorf("%s on %s without a token: %d %s", kind, runtime, status, answer)
			}
		}
	}
	steps := s.url + "/functions/pipeline?steps[0]=shop/main-node8&steps[1]=shop/main-node24"
	if status, answer := as(t, token, "PUT", steps, "{}"); status != http.StatusOK || answer != want {
		t.Errorf("a pipeline: %d %s", status, answer)
	}
	if status, answer := as(t, token, "GET", s.url+"/functions?namespace=bank", ""); status != http.StatusForbidden {
		t.Errorf("another namespace: %d %s", status, answer)
	}
	mustPost(t, issuer+"/rotate")
	newer := signIn(t, issuer)
	for name, shown := range map[string]string{"of the key before": token, "of the new key": newer} {
		if status, answer := as(t, shown, "GET", s.url+"/functions?namespace=shop", ""); status != http.StatusOK {
			t.Errorf("a token %s: %d %s", name, status, answer)
		}
	}
	mustPost(t, issuer+"/rotate")
	mustPost(t, issuer+"/retire")
	last := signIn(t, issuer)
	eventually(t, "the token of the last key is taken", func() bool {
		status, _ := as(t, last, "GET", s.url+"/functions?namespace=shop", "")
		return status == http.StatusOK
	})
	for name, shown := range map[string]string{"first": token, "second": newer} {
		if status, answer := as(t, shown, "GET", s.url+"/functions?namespace=shop", ""); status == http.StatusOK {
			t.Errorf("the token of the %s key: %d %s", name, status, answer)
		}
	}
	s.stop(t)
	s.logs.rest()
	for _, shown := range []string{token, newer, last} {
		for part := range strings.SplitSeq(shown, ".") {
			if strings.Contains(s.logs.text(), part) {
				t.Error("a part of a token is in the log")
			}
		}
	}
}

func mustPost(t *testing.T, address string) {
	t.Helper()
	if status, answer := as(t, "", http.MethodPost, address, ""); status != http.StatusOK {
		t.Fatalf("%s: %d %s", address, status, answer)
	}
}
