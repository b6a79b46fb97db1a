package api

import (
	"net/http"
	"strings"
	"testing"

	"github.com/backstage/functions/internal/identity"
)

func TestGuessesAreLimitedPerClient(t *testing.T) {
	recorder := new(auditor)
	refused := map[string]int{}
	g := guard(t, Options{
		Auth: AuthOn, Audit: recorder, Refused: func(reason string) { refused[reason]++ },
		Client: func(r *http.Request) string { return r.Header.Get("X-From") },
	})
	valid := g.key(identity.Admin, "*")
	_, wrong := identity.New(identity.Key{})
	ask := func(from, token string) *http.Response {
		response, _ := g.ask(t, "GET", "/functions", token, "X-From", from)
		return response
	}
	for range failureBurst {
		if status := ask("guesser", wrong).StatusCode; status != 401 {
			t.Fatalf("answered %d", status)
		}
	}
	response := ask("guesser", wrong)
	if response.StatusCode != 429 || response.Header.Get("Retry-After") == "" || response.Header.Get("Www-Authenticate") != "" {
		t.Errorf("answered %d %v", response.StatusCode, response.Header)
	}
	for token, want := range map[string]int{valid: 200, "": 401, strings.ToLower(wrong): 429} {
		if status := ask("guesser", token).StatusCode; status != want {
			t.Errorf("with %.6q from the same address: %d, want %d", token, status, want)
		}
	}
	if status := ask("another", wrong).StatusCode; status != 401 {
		t.Errorf("from another address: %d", status)
	}
	records := recorder.take()
	if last := records[failureBurst]; last.Reason != reasonFailures || last.Status != 429 || last.Claimed == "" {
		t.Errorf("%+v", last)
	}
	if refused[reasonFailures] != 2 || refused["unauthorized"] != failureBurst+2 {
		t.Errorf("%v are counted", refused)
	}
}

// A caller without a key, or with one for another namespace, guesses nothing.
func TestOnlyGuessesAreLimited(t *testing.T) {
	g := guard(t, Options{Auth: AuthOn})
	other := g.key(identity.Invoke, "b")
	for range 2 * failureBurst {
		for token, want := range map[string]int{"": 401, other: 403} {
			if response, _ := g.ask(t, "PUT", "/functions/a/f/run", token); response.StatusCode != want {
				t.Fatalf("answered %d, want %d", response.StatusCode, want)
			}
		}
	}
}

// With AUTH=log nobody is refused, so nobody is limited, but where keys are kept.
func TestALogOfWhatWouldBeRefusedLimitsNobody(t *testing.T) {
	g := guard(t, Options{Auth: AuthLog})
	for range 2 * failureBurst {
		if response, _ := g.ask(t, "GET", "/functions", "fn_forged"); response.StatusCode != 200 {
			t.Fatalf("answered %d", response.StatusCode)
		}
	}
}
