package api

import (
	"net/http"
	"strings"
	"testing"

	"github.com/backstage/functions/internal/identity"
)

func TestAKeyInAURLIsRefusedAndHidden(t *testing.T) {
	var seen []string
	g := guard(t, Options{Auth: AuthOn, AccessLog: func(r *http.Request, _ Answer) {
		seen = append(seen, r.RequestURI+" "+r.URL.String()+" "+r.Header.Get("X-Request-Id"))
	}})
	token := g.key(identity.Admin, "*")
	for _, url := range []string{
		"/functions?key=" + token, "/functions/a/" + token, "/functions/a/f/run/" + token + "/x?y", "/" + token,
		"/functions?key=" + strings.Replace(token, "_", "%5f", 1), "/functions/%66%6e" + token[2:],
		"/functions?x=fn_a&key=fn_" + token,
	} {
		response, body := g.ask(t, "GET", url, token)
		if response.StatusCode != 400 || !strings.Contains(body, `"reason":"key_in_url"`) || strings.Contains(body, token) {
			t.Errorf("%s: %d %s", url, response.StatusCode, body)
		}
	}
	for _, url := range []string{"/functions?namespace=fn_a", "/functions?x=fn_" + strings.ToLower(token[3:]), "/functions?fn"} {
		if response, body := g.ask(t, "GET", url, token); response.StatusCode != 200 {
			t.Errorf("%s: %d %s", url, response.StatusCode, body)
		}
	}
	if all := strings.Join(seen, "\n"); strings.Contains(all, token) || strings.Contains(all, token[10:]) {
		t.Errorf("the log sees %s", all)
	}
	response, _ := g.ask(t, "GET", "/", "", "X-Request-Id", token)
	if response.Header.Get("X-Request-Id") == token {
		t.Error("a key became the ID of a request")
	}
}
