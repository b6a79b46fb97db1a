package main

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/backstage/functions/internal/testenv"
)

// failing are functions that fail, each with the reason of its record and a part of that.
var failing = map[string]struct{ code, properties, reason, part string }{
	"throws": {
		`function main(req, res) { console.log('last words'); throw new Error('it broke') }`, "", "thrown",
		`"lines":[{"level":"info","message":"last words"}]`,
	},
	"waits": {
		`function main(req, res) { console.log('asking'); setTimeout(function () {}, 1e6) }`, `"timeout":"300ms"`, "deadline",
		`"limit":{"name":"timeout","unit":"ms","allowed":300,"used":`,
	},
	"loops": {
		`function main(req, res) { for (;;) {} }`, `"syncTimeout":"200ms"`, "sync_deadline",
		`"limit":{"name":"syncTimeout","unit":"ms","allowed":200,"used":`,
	},
	"grows": {
		`function main(req, res) { const all = []; for (;;) all.push(Buffer.alloc(1 << 20, 1)) }`, `"memory":"96mb"`,
		"memory_limit", `"limit":{"name":"memory","unit":"bytes","allowed":`,
	},
	"answers": {`function main(req, res) { res.status(503).send({}) }`, "", "status_503", `"status":503`},
}

// callRecord is the record of a call, as far as the tests look at it.
type callRecord struct {
	ID, Kind, Status, Reason string
	Step                     int
	RequestID                string
	Attempts                 []struct {
		Status                 int
		MS, CPUMS              int
		Hash, Revision, Server string
	}
}

// failedRecord waits for a record, and returns it as it is and as text.
func failedRecord(t *testing.T, s *server, path, id string) (c callRecord, text string) {
	t.Helper()
	eventually(t, "the record "+id, func() bool {
		var status int
		if status, text = request(t, "GET", s.url+path+"/invocations/"+id, ""); status != http.StatusOK {
			return false
		}
		return json.Unmarshal([]byte(text), &c) == nil
	})
	return c, text
}

// TestWhyACallFailedIsOneGET asks every store, after a restart too where it keeps anything.
func TestWhyACallFailedIsOneGET(t *testing.T) {
	redis := testenv.Redis(t)
	for name, vars := range map[string][]string{
		"redis":    {"REDIS_ENDPOINT=redis://" + redis.Addr},
		"embedded": {"DATA_DIR=" + t.TempDir()},
		"memory":   {"STORAGE=inmemory"},
	} {
		t.Run(name, func(t *testing.T) {
			s := startServer(t, append(vars, "CODE_ASYNC_TIMEOUT=2000")...)
			ids := map[string]string{}
			for name, f := range failing {
				path := "/functions/kept/" + name
				put(t, s.url+path, f.code, f.properties)
				answer, err := http.Post(s.url+path+"/run", "application/json", strings.NewReader("{}"))
				if err != nil {
					t.Fatal(err)
				}
				ids[name] = answer.Header.Get("X-Request-Id")
				if err := answer.Body.Close(); err != nil {
					t.Fatal(err)
				}
			}
			put(t, s.url+"/functions/kept/works", `function main(req, res) { res.send({}) }`, "")
			for range 3 {
				if status, answer := request(t, "PUT", s.url+"/functions/kept/works/run", "{}"); status != 200 {
					t.Fatal(answer)
				}
			}
			check := func() {
				for name, f := range failing {
					path := "/functions/kept/" + name
					c, text := failedRecord(t, s, path, ids[name])
					if c.Status != "failed" || c.Kind != "run" || c.Reason != f.reason || len(c.Attempts) != 1 ||
						c.RequestID != ids[name] || !strings.Contains(text, f.part) || c.Attempts[0].Hash == "" ||
						c.Attempts[0].Revision == "" {
						t.Errorf("%s: %s", name, text)
					}
					if _, list := request(t, "GET", s.url+path+"/invocations?status=failed", ""); strings.Count(list, c.ID) != 1 {
						t.Errorf("%s: the list is %s", name, list)
					}
				}
				if _, list := request(t, "GET", s.url+"/functions/kept/works/invocations", ""); list != `{"items":[]}` {
					t.Errorf("what succeeds has records: %s", list)
				}
			}
			check()
			if name == "memory" {
				return
			}
			s.stop(t)
			s = startServer(t, vars...)
			check()
		})
	}
}

// TestEachWayOfACallIsKept is about calls that do not come by the name of their function, on every runtime.
func TestEachWayOfACallIsKept(t *testing.T) {
	s := startServer(t, runtimesVariable(t))
	for _, runtime := range runtimes {
		t.Run(runtime, func(t *testing.T) {
			as := fmt.Sprintf(`"runtime":%q`, runtime)
			base := "/functions/" + runtime
			put(t, s.url+base+"/good", `function main(req, res) { res.send({}) }`, as)
			put(t, s.url+base+"/bad", `function main(req, res) { console.error('before'); throw new Error('no') }`, as)
			paths := map[string]string{
				"run":      base + "/bad/run",
				"route":    "/" + runtime + "/routed",
				"pipeline": fmt.Sprintf("/functions/pipeline?steps[0]=%[1]s/good&steps[1]=%[1]s/bad", runtime),
			}
			s.send(t, "PUT", "/routes/"+runtime, map[string]string{"path": paths["route"], "function": runtime + "/bad"})
			for kind, path := range paths {
				req, err := http.NewRequest("PUT", s.url+path, strings.NewReader("{}"))
				if err != nil {
					t.Fatal(err)
				}
				req.Header.Set("Content-Type", "application/json")
				req.Header.Set("X-Request-Id", "it-"+kind)
				answer, err := http.DefaultClient.Do(req)
				if err != nil {
					t.Fatal(err)
				}
				if err := answer.Body.Close(); err != nil || answer.StatusCode != 500 {
					t.Fatalf("%s: answered %d, %v", kind, answer.StatusCode, err)
				}
				c, text := failedRecord(t, s, base+"/bad", "it-"+kind)
				if c.Kind != kind || c.Reason != "thrown" || (c.Step == 2) != (kind == "pipeline") ||
					!strings.Contains(text, `"message":"before"`) || !strings.Contains(text, `"stack":"Error: no`) {
					t.Errorf("%s: %s", kind, text)
				}
			}
		})
	}
}

func TestWhichCallsAreKept(t *testing.T) {
	for kept, row := range map[string]struct{ good, bad int }{"all": {1, 1}, "none": {0, 0}, "failures": {0, 1}} {
		t.Run(kept, func(t *testing.T) {
			s := startServer(t, "CALLS_KEPT="+kept, "CALLS_MAX=0")
			put(t, s.url+"/functions/n/good", `function main(req, res) { res.send({}) }`, "")
			put(t, s.url+"/functions/n/bad", `function main(req, res) { throw new Error('no') }`, "")
			request(t, "PUT", s.url+"/functions/n/good/run", "{}")
			request(t, "PUT", s.url+"/functions/n/bad/run", "{}")
			if written := row.good + row.bad; written > 0 {
				eventually(t, "the records", func() bool {
					return s.metric(t, `functions_calls_kept_total{result="written"}`) == written
				})
			}
			for name, want := range map[string]int{"good": row.good, "bad": row.bad} {
				status, list := request(t, "GET", s.url+"/functions/n/"+name+"/invocations", "")
				if kept == "none" {
					if status != http.StatusNotFound {
						t.Errorf("answered %d %s", status, list)
					}
					continue
				}
				if got := strings.Count(list, `"maxAttempts"`); got != want {
					t.Errorf("%s: there are %d: %s", name, got, list)
				}
			}
		})
	}
}
