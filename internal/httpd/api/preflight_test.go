package api

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/backstage/functions/internal/function"
	"github.com/backstage/functions/internal/identity"
	"github.com/backstage/functions/internal/invoke"
)

// How long a refusal takes tells nothing of whether there is a function: a missing one is found at once here, one that
// is there after a while.
func TestARefusedPreflightTakesTheSameTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		find := func(ref function.Ref) (invoke.Found, error) {
			if ref.ID == "missing" {
				return invoke.Found{}, function.ErrNotFound
			}
			time.Sleep(preflightTime / 2)
			return invoke.Found{Function: &function.Function{Ref: ref}}, nil
		}
		handler := New(Options{
			Auth: AuthOn, Keyring: keyring{identity.NewKeyring(), true}, Store: newFakeStore(), Invoker: &fakeInvoker{find: find},
		}).API
		for _, path := range []string{"/functions/a/F/run", "/functions/a/F/run/x", "/functions/pipeline?steps[]=a/F"} {
			var answers []string
			for _, id := range []string{"there", "missing"} {
				r := httptest.NewRequestWithContext(t.Context(), "OPTIONS", strings.Replace(path, "F", id, 1), nil)
				r.Header = http.Header{"Origin": {"https://x.example"}, corsAsksMethod: {"PUT"}, "X-Request-Id": {"q"}}
				w := httptest.NewRecorder()
				start := time.Now()
				handler.ServeHTTP(w, r)
				if took := time.Since(start); took != preflightTime {
					t.Errorf("%s: %s after %s", path, id, took)
				}
				answers = append(answers, fmt.Sprint(w.Code, w.Header(), w.Body))
			}
			if answers[0] != answers[1] {
				t.Errorf("%s: %s, of a missing one %s", path, answers[0], answers[1])
			}
		}
	})
}
