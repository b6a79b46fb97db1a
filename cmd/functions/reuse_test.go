package main

import (
	"fmt"
	"net/http"
	"regexp"
	"testing"
)

// usedCode answers how many calls of its worker it knows of, through a global that each call changes.
const usedCode = `const G = Function('return this')()
function main(req, res) { G.calls = (G.calls || 0) + 1; res.send({ calls: G.calls }) }`

var rollbacks = regexp.MustCompile(`(?m)^functions_rollbacks_total (\d+)$`)

// A function that asks for it, or all of a server that does, finds its worker as new with each call, on every runtime.
func TestReuseByRollback(t *testing.T) {
	for name, row := range map[string]struct {
		server, option string
	}{
		"asked for by the function": {"", `,"reuse":"rollback"`},
		"asked for by the server":   {"REUSE=rollback", ""},
	} {
		t.Run(name, func(t *testing.T) {
			vars := []string{runtimesVariable(t), "ROLLBACK_AUDIT=2"}
			if row.server != "" {
				vars = append(vars, row.server)
			}
			s := startServer(t, vars...)
			for _, runtime := range runtimes {
				url := s.url + "/functions/reuse/" + runtime
				put(t, url, usedCode, fmt.Sprintf(`"runtime":%q%s`, runtime, row.option))
				for i := range 10 {
					status, answer := request(t, http.MethodPut, url+"/run", `{}`)
					if status != http.StatusOK || answer != `{"calls":1}` {
						t.Errorf("%s: call %d is answered %d %s", runtime, i, status, answer)
					}
				}
			}
			_, metrics := request(t, http.MethodGet, s.metrics+"/metrics", "")
			_, report := request(t, http.MethodGet, s.url+"/status/isolation", "")
			found := rollbacks.FindStringSubmatch(metrics)
			available := regexp.MustCompile(`"rollback":\{"available":true\}`).MatchString(report)
			if found == nil || available == (found[1] == "0") {
				t.Errorf("%v rollbacks, and the report says %v", found, available)
			}
		})
	}
}
