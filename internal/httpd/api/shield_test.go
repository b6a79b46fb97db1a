package api

import (
	"slices"
	"strings"
	"testing"

	"github.com/backstage/functions/internal/function"
	"github.com/backstage/functions/internal/identity"
	"github.com/backstage/functions/sandbox"
)

// shielded are handlers of a server whose functions answer with the header, or fail with err.
func shielded(t *testing.T, auth Auth, err error, header ...string) Handlers {
	t.Helper()
	result := &sandbox.Result{Status: 200, Body: []byte(`"<script>"`)}
	for i := 0; i < len(header); i += 2 {
		result.Header = append(result.Header, sandbox.HeaderField{Name: header[i], Value: header[i+1]})
	}
	return New(Options{
		Auth: auth, Keyring: keyring{identity.NewKeyring(), true}, Store: newFakeStore(), Routes: tableOf(t, "/r"),
		Invoker: answering(result, err),
	})
}

func TestAnswersOfFunctionsHaveNoPowerOverTheOriginOfTheAPI(t *testing.T) {
	wide := []string{"Set-Cookie", "a=b"}
	for _, name := range originWide {
		wide = append(wide, strings.ToLower(name), "x")
	}
	fetch := []string{"Sec-Fetch-Site", "cross-site", "Sec-Fetch-Mode", "no-cors"}
	page := []string{"Upgrade-Insecure-Requests", "1"}
	for _, row := range []struct {
		name     string
		auth     Auth
		run      bool
		header   []string
		shielded bool
	}{
		{"no browser, no keys: as in the original", AuthOff, false, nil, false},
		{"a browser", AuthOff, false, fetch, true},
		{"a browser over http that opens a page", AuthOff, false, page, true},
		{"the port for runs", AuthOff, true, fetch, false},
		{"with keys, whoever asks", AuthLog, false, nil, true},
		{"with keys on the port for runs", AuthLog, true, fetch, false},
	} {
		handlers := shielded(t, row.auth, nil, wide...)
		on := handlers.API
		if row.run {
			on = handlers.Run
		}
		for _, target := range []string{
			"/functions/n/f/run", "/FUNCTIONS/n/f/run/", "/r", "/functions/pipeline?steps[0]=n/f",
		} {
			w := answerFrom(on, "127.0.0.1:5", "h", "PUT", target, row.header...)
			h := w.Header()
			there := slices.ContainsFunc(originWide, func(name string) bool { return h.Get(name) != "" })
			sandboxed := h.Get(headerPolicy) == sandboxPolicy && h.Get(headerNoSniff) == "nosniff"
			if w.Code != 200 || there == row.shielded || sandboxed != row.shielded || h.Get("Set-Cookie") == "" {
				t.Errorf("%s: %s: %d %v", row.name, target, w.Code, h)
			}
		}
	}
	if strings.Contains(sandboxPolicy, "allow-same-origin") {
		t.Error("a page has the origin of the API")
	}
}

func TestAFunctionsOwnPolicyStands(t *testing.T) {
	const own = "default-src 'self'"
	handlers := shielded(t, AuthOff, nil, "content-security-policy", own, "x-content-type-options", "none")
	h := answerFrom(handlers.API, "127.0.0.1:5", "h", "PUT", "/functions/n/f/run", "Sec-Fetch-Site", "none").Header()
	if !slices.Equal(h[headerPolicy], []string{own}) || h.Get(headerNoSniff) != "none" {
		t.Errorf("%v", h)
	}
}

func TestErrorsOfRunsAreShieldedToo(t *testing.T) {
	handlers := shielded(t, AuthOff, function.ErrUnavailable)
	w := answerFrom(handlers.API, "127.0.0.1:5", "h", "PUT", "/functions/n/f/run", "Sec-Fetch-Site", "none")
	if w.Code != 503 || w.Header().Get(headerNoSniff) == "" || w.Header().Get(headerPolicy) == "" {
		t.Errorf("%d %v", w.Code, w.Header())
	}
}
