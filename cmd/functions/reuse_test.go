package main

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"sync/atomic"
	"testing"
)

// usedCode answers how many calls of its worker it knows of, through a global that each call changes.
const usedCode = `const G = Function('return this')()
function main(req, res) { G.calls = (G.calls || 0) + 1; res.send({ calls: G.calls }) }`

var rollbacks = regexp.MustCompile(`(?m)^functions_rollbacks_total (\d+)$`)

// untilPutBack calls the function at path until the worker of a call was put back: a call that comes before its runtime
// has such workers gets a process of its own. Where the host cannot put workers back it does nothing.
func (s *server) untilPutBack(tb testing.TB, path, body string) {
	tb.Helper()
	report := func() string {
		_, text := request(tb, http.MethodGet, s.url+"/status/isolation", "")
		return text
	}
	if !strings.Contains(report(), `"rollback":{"available":true`) {
		return
	}
	count := func() string {
		_, metrics := request(tb, http.MethodGet, s.metrics+"/metrics", "")
		return rollbacks.FindString(metrics)
	}
	for before := count(); count() == before; {
		request(tb, http.MethodPut, s.url+path+"/run", body)
		if told := report(); strings.Contains(told, `"`+strings.TrimPrefix(path, "/functions/")) {
			tb.Fatalf("its workers are not put back: %s", told)
		}
	}
}

// findsNothing calls usedCode, the function at url, so many times: no call may find anything of another.
func findsNothing(t *testing.T, url string, calls int) {
	t.Helper()
	for i := range calls {
		status, answer := request(t, http.MethodPut, url+"/run", `{}`)
		if status != http.StatusOK || answer != `{"calls":1}` {
			t.Errorf("%s: call %d is answered %d %s", url, i, status, answer)
		}
	}
}

// A function that asks for it, or all of a server that does, finds its worker as new with each call, on every runtime.
func TestReuseByRollback(t *testing.T) {
	for name, row := range map[string]struct {
		server, option string
		runtimes       []string
	}{
		"asked for by the function": {"", `,"reuse":"rollback"`, runtimes},
		"asked for by the server":   {"REUSE=rollback", "", someRuntimes()},
		"without a jail":            {"ISOLATION=process", `,"reuse":"rollback"`, runtimes},
	} {
		t.Run(name, func(t *testing.T) {
			vars := []string{runtimesVariable(t, row.runtimes...), "ROLLBACK_AUDIT=2"}
			if row.server != "" {
				vars = append(vars, row.server)
			}
			s := startServer(t, vars...)
			for _, runtime := range row.runtimes {
				url := s.url + "/functions/reuse/" + runtime
				put(t, url, usedCode, fmt.Sprintf(`"runtime":%q%s`, runtime, row.option))
				s.untilPutBack(t, "/functions/reuse/"+runtime, `{}`)
				findsNothing(t, url, 10)
			}
			_, metrics := request(t, http.MethodGet, s.metrics+"/metrics", "")
			_, report := request(t, http.MethodGet, s.url+"/status/isolation", "")
			found := rollbacks.FindStringSubmatch(metrics)
			available := regexp.MustCompile(`"rollback":\{"available":true,"mechanism":"rollback"\}`).MatchString(report)
			if found == nil || available == (found[1] == "0") {
				t.Errorf("%v rollbacks, and the report says %v", found, available)
			}
		})
	}
}

// stateCode answers how many calls its top-level code knows of.
const stateCode = `let calls = 0
function main(req, res) { res.send({ calls: ++calls }) }`

// On a server whose workers are put back, a function keeps state by choice alone, on every runtime.
func TestStateIsKeptByChoice(t *testing.T) {
	s := startServer(t, runtimesVariable(t), "REUSE=rollback", "ROLLBACK_AUDIT=1")
	for _, runtime := range runtimes {
		for name, row := range map[string]struct{ options, third string }{
			"once":  {`"init":"once"`, `{"calls":1}`},
			"each":  {`"init":"each"`, `{"calls":1}`},
			"state": {`"state":"worker"`, `{"calls":3}`},
			"both":  {`"state":"worker","reuse":"rollback"`, `{"calls":3}`},
		} {
			url := s.url + "/functions/" + name + "/" + runtime
			put(t, url, stateCode, fmt.Sprintf(`"runtime":%q,%s`, runtime, row.options))
			if name == "once" || name == "each" {
				s.untilPutBack(t, "/functions/"+name+"/"+runtime, `{}`)
			}
			answer := ""
			for range 3 {
				_, answer = request(t, http.MethodPut, url+"/run", `{}`)
			}
			if answer != row.third {
				t.Errorf("%s on %s: the third call is answered %s, want %s", name, runtime, answer, row.third)
			}
		}
	}
}

// Who deletes a function and stores it anew finds nothing of what the one before has kept; who stores the same over it
// does.
func TestStateEndsWithItsFunction(t *testing.T) {
	s := startServer(t, runtimesVariable(t))
	for _, runtime := range runtimes {
		for _, option := range []string{`"init":"once"`, `"state":"worker"`} {
			url := s.url + "/functions/kept/" + runtime
			store := func() { put(t, url, stateCode, fmt.Sprintf(`"runtime":%q,%s`, runtime, option)) }
			call := func() (answer string) {
				_, answer = request(t, http.MethodPut, url+"/run", `{}`)
				return answer
			}
			// A call that follows at once may have another process than the one before.
			until := func(what, want string) {
				t.Helper()
				for n := 0; call() != want; n++ {
					if n == 100 {
						t.Errorf("%s on %s, %s: no call is answered %s", option, runtime, what, want)
						return
					}
				}
			}
			store()
			until("stored", `{"calls":3}`)
			store()
			until("stored over it", `{"calls":4}`)
			if status, answer := request(t, http.MethodDelete, url, ""); status != http.StatusNoContent {
				t.Fatalf("deleted: %d %s", status, answer)
			}
			store()
			if got := call(); got != `{"calls":1}` {
				t.Errorf("%s on %s, stored anew: answered %s", option, runtime, got)
			}
			if status, answer := request(t, http.MethodDelete, url, ""); status != http.StatusNoContent {
				t.Fatalf("deleted: %d %s", status, answer)
			}
		}
	}
}

// A warmup reaches nothing outside. Where what it connects with cannot be in a snapshot, it is left out.
func TestWarmupsReachNothing(t *testing.T) {
	var asked atomic.Int64
	site := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { asked.Add(1) }))
	t.Cleanup(site.Close)
	s := startServer(t, runtimesVariable(t), "REUSE=rollback", "EGRESS_ALLOW=127.0.0.1")
	for _, runtime := range runtimes {
		asked.Store(0)
		url := s.url + "/functions/warm/" + runtime
		put(t, url, `let warm = []
function main(req, res) {
  if (!req.body.warm) return res.send(warm)
  require('request')(req.body.warm, (error, answer) => {
    warm.push(error ? 'refused' : answer.statusCode)
    res.send(1)
  })
}`, fmt.Sprintf(`"runtime":%q,"init":"once","warmup":{"body":{"warm":%q},"times":2}`, runtime, site.URL))
		put(t, s.url+"/functions/plain/"+runtime, usedCode, fmt.Sprintf(`"runtime":%q`, runtime))
		s.untilPutBack(t, "/functions/plain/"+runtime, `{}`)
		for range 2 {
			status, answer := request(t, http.MethodPut, url+"/run", `{}`)
			if answer != `["refused","refused"]` && answer != `[]` {
				t.Errorf("on %s: %d %s", runtime, status, answer)
			}
		}
		if n := asked.Load(); n > 0 {
			t.Errorf("on %s it has reached a site %d times", runtime, n)
		}
	}
}

// A warmup has the methods that calls have of a function that reads any body.
func TestWarmupsAnswerAsCallsDo(t *testing.T) {
	s := startServer(t, runtimesVariable(t), "REUSE=rollback")
	_, report := request(t, http.MethodGet, s.url+"/status/isolation", "")
	if !strings.Contains(report, `"rollback":{"available":true`) {
		t.Skip("workers cannot be put back here")
	}
	for _, runtime := range runtimes {
		for name, option := range map[string]string{"auto": `"body":"auto"`, "web": `"globals":"web"`} {
			if name == "web" && runtime == "node8" {
				continue
			}
			path := "/functions/" + name + "/" + runtime
			put(t, s.url+path, `let warm = []
function main(req, res) {
  if (!req.body.warm) return res.send(warm)
  res.type('text')
  warm.push(req.path)
  res.end('x')
}`, fmt.Sprintf(`"runtime":%q,"init":"once","warmup":{"body":{"warm":true}},%s`, runtime, option))
			s.untilPutBack(t, path, `{}`)
			if status, answer := request(t, http.MethodPut, s.url+path+"/run", `{}`); answer != `["/"]` {
				t.Errorf("%s on %s: %d %s", name, runtime, status, answer)
			}
		}
	}
}
