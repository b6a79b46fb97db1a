package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/backstage/functions/internal/testenv"
)

// theirs writes records as Backstage Functions does.
type theirs struct {
	t     *testing.T
	redis *testenv.RedisServer
}

func (o theirs) do(command string) string {
	o.t.Helper()
	reply := o.redis.Do(command)
	if strings.HasPrefix(reply, "-") || reply == "" {
		o.t.Fatalf("%.100s: %q", command, reply)
	}
	return reply
}

func (o theirs) put(name, code, env string) {
	o.t.Helper()
	namespace, id := filepath.Dir(name), filepath.Base(name)
	text := fmt.Sprintf("HSET %s code %s hash theirs versionID %s updated 2024-01-01T00:00:00.000Z created 2024-01-01T00:00:00.000Z",
		strconv.Quote("localcode:"+name), strconv.Quote(code), strconv.Quote("of "+code))
	if env != "" {
		text += " env " + strconv.Quote(env)
	}
	o.do(text)
	o.do("ZADD localnamespaces 0 " + strconv.Quote(namespace+":"+id))
}

// digest tells one state of the database from another.
func (o theirs) digest() string {
	o.t.Helper()
	return o.do(`EVAL "local text = {} for _, key in ipairs(redis.call('KEYS', '*')) do local is = redis.call('TYPE', key).ok ` +
		`local all = is == 'hash' and redis.call('HGETALL', key) or redis.call('ZRANGE', key, 0, -1, 'WITHSCORES') ` +
		`for i = 1, #all, 2 do text[#text + 1] = key .. all[i] .. all[i + 1] end end ` +
		`table.sort(text) return redis.status_reply(redis.sha1hex(table.concat(text)))" 0`)
}

// report is what functions check-migration --json prints.
type report struct {
	Findings  []struct{ Kind, Namespace, ID, Text string }
	Functions int
	Counts    map[string]int
}

// of lists the functions with findings of a kind, sorted.
func (r *report) of(kind string) (names []string) {
	for _, f := range r.Findings {
		if f.Kind == kind && f.ID != "" {
			names = append(names, f.Namespace+"/"+f.ID)
		}
	}
	slices.Sort(names)
	return slices.Compact(names)
}

// checkMigration runs the command with the variables of the test.
func checkMigration(t *testing.T, status int, flags ...string) (r report, text string) {
	t.Helper()
	var out strings.Builder
	err := run(t.Context(), append([]string{"check-migration"}, flags...), &out)
	got := 0
	if err != nil {
		got, _ = statusOf(err)
	}
	if got != status {
		t.Fatalf("exit status %d, want %d: %v, printed %s", got, status, err, out.String())
	}
	if slices.Contains(flags, "--json") && status != statusError {
		if err := json.Unmarshal([]byte(out.String()), &r); err != nil {
			t.Fatalf("%v: %s", err, out.String())
		}
	}
	return r, out.String()
}

// TestAMoveHereAndBack is the story that docs/coming-from.md tells.
func TestAMoveHereAndBack(t *testing.T) {
	o := theirs{t, testenv.Redis(t)}
	runner, err := filepath.Abs("../../runner-js")
	if err != nil {
		t.Fatal(err)
	}
	name, value, _ := strings.Cut(runtimesVariable(t, "node8", "node24"), "=")
	t.Setenv("REDIS_ENDPOINT", "redis://"+o.redis.Addr)
	t.Setenv("RUNNER_DIR", runner)
	t.Setenv(name, value)

	got, _ := checkMigration(t, statusFindings, "--json")
	for i, name := range []string{"HOST and AUTH are not set", "METRICS_HOST and HOST are not set"} {
		if len(got.Findings) != 2 || !strings.HasPrefix(got.Findings[i].Text, name) {
			t.Fatalf("nothing says whom the ports do not answer any more: %+v", got.Findings)
		}
	}
	t.Setenv("HOST", "127.0.0.1")
	checkMigration(t, 0) // nothing is stored
	t.Setenv("REDIS_ENDPOINT", "redis://anyuser:password@"+o.redis.Addr)
	if _, text := checkMigration(t, statusFindings); !strings.Contains(text, "leave the user out") || strings.Contains(text, "password@") {
		t.Errorf("nothing is said of the user: %s", text)
	}
	t.Setenv("REDIS_ENDPOINT", "redis://"+o.redis.Addr)
	const send = "function main(req, res) { res.send(Backstage.env) }\n"
	o.put("ns/good", send, `{"A":"1","N":2,"T":true}`)
	o.put("team:app/fn", "const main = (req, res) => { res.send('first') }", "")
	o.put("ns/comment", "function main(req, res) { res.send(1) } // the end", "")
	o.put("ns/new", "function main(req, res) { res.send(req?.body) }\n", "")
	o.do("HSET localcode:ns/new runtime node24")
	o.put("ns/old", "function main(req, res) { res.send(req?.body) }\n", "")
	o.put("ns/gone", send, "")
	o.do("HSET localcode:ns/gone runtime node6")
	o.put("ns/lost", send, "[object Object]")
	o.put("ns/odd", send, `{"O":{"x":1}}`)
	o.put("a/b/c", send, "")                                                         // a/b's c
	o.do("ZADD localnamespaces 0 a:b/c")                                             // and a's b/c
	o.do("HSET localcode:d%2Fe/f code 1; hash x versionID 1 updated 2024 created x") // as earlier versions wrote d/e's f
	o.do("ZADD localnamespaces 0 d%2Fe:f")
	o.do("ZADD localnamespaces 0 ns:left")
	o.put("ns/net", "require('request')('http://10.0.0.7:8080/x'); require('moment'); function main(req, res) { throw 'x' }\n",
		`{"DB":"mongodb://u:p@192.168.1.1/x","OK":"https://8.8.8.8/"}`)
	o.do(`EVAL "for i = 1, 1100 do redis.call('HSET', 'localcode:many/f' .. i, 'code', 'function main() {};', 'hash', 'h', 'versionID', i) ` +
		`redis.call('ZADD', 'localnamespaces', 0, 'many:f' .. i) end return 1" 0`)
	before := o.digest()

	t.Setenv("REDIS_HEARTBEAT_SECS", "5")
	got, _ = checkMigration(t, statusFindings, "--json")
	for kind, want := range map[string][]string{
		"names":   {"a/b/c", "d/e/f", "ns/left"},
		"env":     {"ns/good", "ns/lost", "ns/odd"},
		"code":    {"ns/gone", "ns/old"},
		"back":    {"ns/comment", "team:app/fn"},
		"modules": {"ns/net"},
		"egress":  {"ns/net"},
		"answers": {"ns/net"},
	} {
		if names := got.of(kind); !slices.Equal(names, want) {
			t.Errorf("%s are %q, want %q", kind, names, want)
		}
	}
	if got.Functions != 1111 || got.Counts["variables"] != 1 || got.Counts["egress"] != 2 {
		t.Errorf("looked at %d, counted %v", got.Functions, got.Counts)
	}
	_, text := checkMigration(t, statusFindings)
	for _, want := range []string{
		"\nvariables  ", "REDIS_HEARTBEAT_SECS", "10.0.0.7:8080: functions may not reach it (private). EGRESS_ALLOW=10.0.0.7:8080 lets them",
		"\nEGRESS_ALLOW=10.0.0.7:8080,192.168.1.1:27017 allows all of these", "\n1111 functions were looked at, and nothing was changed.",
	} {
		if !strings.Contains("\n"+text, want) {
			t.Errorf("%q is missing in %s", want, text)
		}
	}
	if after := o.digest(); after != before {
		t.Error("the check changed what is stored")
	}

	s := startServer(t, "REDIS_ENDPOINT=redis://"+o.redis.Addr, "REDIS_HEARTBEAT_SECS=5")
	wantAnswer := func(name, want string) {
		t.Helper()
		if _, answer := request(t, http.MethodPut, s.url+"/functions/"+name+"/run", "{}"); answer != want {
			t.Errorf("%s answers %s, want %s", name, answer, want)
		}
	}
	wantAnswer("ns/good", `{"A":"1","N":2,"T":true}`)
	wantAnswer("ns/odd", `{"O":{"x":1}}`)
	wantAnswer("team:app/fn", `"first"`)
	put(t, s.url+"/functions/team:app/fn", "const main = (req, res) => { res.send('second') }", "")
	put(t, s.url+"/functions/ns/comment", "function main(req, res) { res.send(2) } // the end", "")
	wantAnswer("team:app/fn", `"second"`)
	if got, _ = checkMigration(t, statusFindings, "--json"); got.of("back") != nil {
		t.Errorf("what was put here does not run there: %q", got.of("back"))
	}
	o.put("team:app/fn", "const main = (req, res) => { res.send('third') };", "") // there again
	eventually(t, "the code that they have put", func() bool {
		_, answer := request(t, http.MethodPut, s.url+"/functions/team:app/fn/run", "{}")
		return answer == `"third"`
	})
}

func TestListedModulesThatAreMissingAreFindings(t *testing.T) {
	o, own := theirs{t, testenv.Redis(t)}, t.TempDir()
	module := filepath.Join(own, "node_modules", "own")
	if err := errors.Join(os.MkdirAll(module, 0o755), os.WriteFile(filepath.Join(module, "index.js"), nil, 0o600)); err != nil {
		t.Fatal(err)
	}
	name, value, _ := strings.Cut(runtimesVariable(t, "node8", "node24"), "=")
	t.Setenv(name, value)
	t.Setenv("REDIS_ENDPOINT", "redis://"+o.redis.Addr)
	t.Setenv("RUNNER_DIR", "../../runner-js")
	t.Setenv("MODULES_DIR", own)
	t.Setenv("DEFAULT_GLOBAL_MODULES", "lodash,own,zlib,absent,worker_threads")
	_, text := checkMigration(t, statusFindings)
	for want, n := range map[string]int{
		"lists absent, which node8 does not have": 1, "lists absent, which node24 does not have": 1, "worker_threads, which node8": 1,
		"npm install --prefix " + own: 3, "modules  ": 3, "ends the start: npm": 2,
	} {
		if got := strings.Count(text, want); got != n {
			t.Errorf("%q is said %d times, want %d: %s", want, got, n, text)
		}
	}
}

func TestAMigrationThatCannotBeCheckedIsAnError(t *testing.T) {
	t.Setenv("RUNNER_DIR", "../../runner-js")
	checkMigration(t, statusError)
	t.Setenv("REDIS_ENDPOINT", "redis://127.0.0.1:1")
	checkMigration(t, statusError, "--json")
	checkMigration(t, statusError, "words")
	checkMigration(t, statusError, "--unknown")
	if status, said := statusOf(errors.New("another")); status != 1 || said {
		t.Errorf("other errors have status %d", status)
	}
}

// TestTheEmbeddedStoreIsChecked checks it beside the server that has it open, and without one.
func TestTheEmbeddedStoreIsChecked(t *testing.T) {
	dir := t.TempDir()
	runtime := runtimesVariable(t, "node8", "node24")
	s := startServer(t, "DATA_DIR="+dir, runtime)
	put(t, s.url+"/functions/ns/good", "function main(req, res) { res.send(1) }\n", "")
	put(t, s.url+"/functions/ns/comment", "function main(req, res) { res.send(1) } // the end", "")
	put(t, s.url+"/functions/ns/new", "function main(req, res) { res.send(req?.body) }\n", `"runtime":"node24"`)
	put(t, s.url+"/functions/ns/net", "require('request')('http://10.0.0.7:8080/x'); function main(req, res) { res.send(1) }\n", "")

	runner, err := filepath.Abs("../../runner-js")
	if err != nil {
		t.Fatal(err)
	}
	name, value, _ := strings.Cut(runtime, "=")
	t.Setenv(name, value)
	t.Setenv("RUNNER_DIR", runner)
	t.Setenv("HOST", "127.0.0.1")
	t.Setenv("DATA_DIR", dir)
	check := func() {
		t.Helper()
		got, _ := checkMigration(t, statusFindings, "--json")
		for kind, want := range map[string][]string{
			"back": {"ns/comment"}, "egress": {"ns/net"}, "names": nil, "env": nil, "code": nil,
		} {
			if names := got.of(kind); !slices.Equal(names, want) {
				t.Errorf("%s are %q, want %q", kind, names, want)
			}
		}
		if got.Functions != 4 {
			t.Errorf("looked at %d functions", got.Functions)
		}
	}
	check()
	s.stop(t)
	check()

	t.Setenv("DATA_DIR", t.TempDir())
	if _, text := checkMigration(t, statusError); text != "" {
		t.Errorf("without a store it printed %s", text)
	}
	t.Setenv("STORAGE", "inmemory")
	checkMigration(t, statusError)
}
