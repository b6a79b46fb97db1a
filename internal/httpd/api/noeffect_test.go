package api

import (
	"strings"
	"testing"

	"github.com/backstage/functions/internal/function"
)

// A deploy whose options have no effect is answered as any other; the function's output says so, in one line.
func TestOptionsWithoutEffectAreInTheOutput(t *testing.T) {
	for body, want := range map[string]string{
		`{"code":"x","reuse":"rollback","warmup":{}}`: "",
		`{"code":"x","warmup":{},"state":"worker","init":"each"}`: "n/f: Deployed, but the option init has no effect: " +
			`"state":"worker" has the top-level code run once in each process; the option warmup has no effect: ` +
			`"state":"worker" has workers keep what calls leave, and they are not put back`,
	} {
		var log []string
		url := serve(t, Options{
			Store: newFakeStore(), Invoker: &fakeInvoker{},
			DeployLog: func(ref function.Ref, requestID, line string) {
				if requestID == "" {
					t.Error("the line has no ID of a request")
				}
				log = append(log, ref.String()+": "+line)
			},
		})
		res, answer := do(t, newRequest(t, "PUT", url+"/functions/n/f", body, "Content-Type", "application/json"))
		if res.StatusCode != 200 || strings.Contains(answer, "effect") {
			t.Errorf("%s: %d %s", body, res.StatusCode, answer)
		}
		if got := strings.Join(log, "\n"); got != want {
			t.Errorf("%s: logged %q, want %q", body, got, want)
		}
	}
}
