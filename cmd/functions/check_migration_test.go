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

	t.Setenv("TZ", "UTC")
	t.Setenv("EXPOSE_ENV_TZ", "Asia/Tokyo")
	got, _ := checkMigration(t, statusFindings, "--json")
	for i, name := range []string{"HOST and AUTH are not set", "METRICS_HOST and HOST are not set", "EXPOSE_ENV_TZ sets"} {
		if len(got.Findings) != 3 || !strings.HasPrefix(got.Findings[i].Text, name) {
			t.Fatalf("want %q as number %d: %+v", name, i, got.Findings)
		}
	}
	t.Setenv("EXPOSE_ENV_TZ", "UTC")
	t.Setenv("HOST", "127.0.0.1")
	const unknown = "\nNo Node.js 8 is among the runtimes"
	if _, text := checkMigration(t, 0); strings.Contains("\n"+text, unknown) { // nothing is stored
		t.Errorf("a Node.js 8 is there: %s", text)
	}
	_, newer, _ := strings.Cut(runtimesVariable(t, "node24"), "=")
	t.Setenv(name, newer)
	if _, text := checkMigration(t, 0); !strings.Contains("\n"+text, unknown) {
		t.Errorf("nothing is said of a Node.js 8: %s", text)
	}
	t.Setenv(name, value)
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
	o.put("ns/module", "export default (req, res) => { res.send(req.body ?? 1) }\n", "")
	o.do("HSET localcode:ns/module runtime node24")
	o.put("ns/exports", "exports.main = (req, res) => { res.send(1) }\n", "")
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
	o.put("ns/object", "const o = [{host:'192.168.0.7',port:81}, {host:'10.0.0.8'}]; function main(req, res) { res.send(o) }\n", `{"A":"10.4.4.4:6379"}`)
	o.do(`EVAL "for i = 1, 1100 do redis.call('HSET', 'localcode:many/f' .. i, 'code', 'function main() {};', 'hash', 'h', 'versionID', i) ` +
		`redis.call('ZADD', 'localnamespaces', 0, 'many:f' .. i) end return 1" 0`)
	before := o.digest()

	t.Setenv("REDIS_HEARTBEAT_SECS", "5")
	got, _ = checkMigration(t, statusFindings, "--json")
	for kind, want := range map[string][]string{
		"names":   {"a/b/c", "d/e/f", "ns/left"},
		"env":     {"ns/good", "ns/lost", "ns/odd"},
		"code":    {"ns/gone", "ns/old"},
		"back":    {"ns/comment", "ns/exports", "ns/module", "ns/new", "team:app/fn"},
		"modules": {"ns/net"},
		"egress":  {"ns/net", "ns/object"},
		"answers": {"ns/net"},
	} {
		if names := got.of(kind); !slices.Equal(names, want) {
			t.Errorf("%s are %q, want %q", kind, names, want)
		}
	}
	if got.Functions != 1114 || got.Counts["variables"] != 1 || got.Counts["egress"] != 5 {
		t.Errorf("looked at %d, counted %v", got.Functions, got.Counts)
	}
	_, text := checkMigration(t, statusFindings)
	for _, want := range []string{
		"\nvariables  ", "REDIS_HEARTBEAT_SECS", "10.0.0.7:8080: functions may not reach it (private). EGRESS_ALLOW=10.0.0.7:8080 lets them",
		"function module: runs here, but does not compile in Backstage Functions, because it is an ES module",
		"function new: runs here, but does not compile in Backstage Functions, whose Node.js 8 does not know all of its syntax",
		"function exports: has no main at its top level, which Backstage Functions calls", "function fn: runs here, but does not compile in " +
			"Backstage Functions, because a semicolon is missing",
		"10.0.0.8: functions may not reach it (private). Its port cannot be told from the text: EGRESS_ALLOW=10.0.0.8:PORT allows it; put its port in place of PORT",
		"\nEGRESS_ALLOW=10.0.0.7:8080,10.4.4.4:6379,192.168.0.7:81,192.168.1.1:27017 allows all of these except 1,", "\n1114 functions were looked at, and nothing was changed.",
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
	if got, _ = checkMigration(t, statusFindings, "--json"); !slices.Equal(got.of("back"), []string{"ns/exports", "ns/module", "ns/new"}) {
		t.Errorf("what was put here does not run there: %q", got.of("back"))
	}
	o.put("team:app/fn", "const main = (req, res) => { res.send('third') };", "") // there again
	eventually(t, "the code that they have put", func() bool {
		_, answer := request(t, http.MethodPut, s.url+"/functions/team:app/fn/run", "{}")
		return answer == `"third"`
	})
}

// setModules has the test check functions of a new Redis with these runtimes, and modules of its own by name.
func setModules(t *testing.T, modules map[string]string, runtimes ...string) (own string) {
	t.Helper()
	o, own := theirs{t, testenv.Redis(t)}, t.TempDir()
	for _, dir := range []string{filepath.Dir(own), own} { // every user may read it
		if err := os.Chmod(dir, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	for name, code := range modules {
		file := filepath.Join(own, "node_modules", name, "index.js")
		if err := errors.Join(os.MkdirAll(filepath.Dir(file), 0o755), os.WriteFile(file, []byte(code), 0o644)); err != nil {
			t.Fatal(err)
		}
	}
	name, value, _ := strings.Cut(runtimesVariable(t, runtimes...), "=")
	t.Setenv(name, value)
	t.Setenv("REDIS_ENDPOINT", "redis://"+o.redis.Addr)
	t.Setenv("RUNNER_DIR", "../../runner-js")
	t.Setenv("MODULES_DIR", own)
	t.Setenv("HOST", "127.0.0.1")
	return own
}

const newSyntax = "class A { #x = 1; get() { return this.#x ??= 2 } } module.exports = new A()"

func TestListedModulesThatAreMissingAreFindings(t *testing.T) {
	modules := map[string]string{
		"own": "", "newsyn": newSyntax, "throws": "throw new Error('no setting')", "exits": "if (process.version[1] === '8') process.exit(1)",
		"closed": "", "who": "throw new Error('user ' + process.getuid())",
	}
	own := setModules(t, modules, "node8", "node24")
	closed := filepath.Join(own, "node_modules", "closed")
	if err := errors.Join(os.Symlink(t.TempDir(), filepath.Join(own, "node_modules", "away")), os.Chmod(closed, 0o700)); err != nil {
		t.Fatal(err)
	}
	t.Setenv("DEFAULT_GLOBAL_MODULES", "lodash,own,zlib,absent,worker_threads,node:crypto,newsyn,throws,exits,away,closed,who")
	t.Setenv("RUNTIME_MODULES", `{"node24":{"modules":"own,absent,newsyn,throws,exits,away"}}`)
	_, text := checkMigration(t, statusFindings)
	install := "Install a version for its Node.js (npm install --prefix " + own + " --ignore-scripts "
	for want, n := range map[string]int{
		"  DEFAULT_GLOBAL_MODULES: absent cannot be loaded on node8, which ends the start: Cannot find module 'absent'. " + install + "absent@": 1,
		"  RUNTIME_MODULES: absent cannot be loaded on node24, which ends the start: Cannot find":                                               1,
		"worker_threads cannot be loaded on node8, which ends the start: Cannot find module 'worker_threads'. It is a module of newer":          1,
		"node:crypto cannot be loaded on node8": 1, "require and list crypto": 1,
		"newsyn cannot be loaded on node8, where functions that require it fail: its code is too new (Invalid or unexpected token). " + install: 1,
		"throws cannot be loaded on node8, which ends the start: no setting. ":                                                                  1,
		"throws cannot be loaded on node24, which ends the start: no setting. ":                                                                 1,
		"exits cannot be loaded on node8, which ends the start: it ends the process that loads it (exit status 1). ":                            1,
		"away cannot be loaded on node": 2, "--install-links ": 2,
		"closed cannot be loaded on node8, which ends the start: Cannot find module 'closed'. The users of workers may not read " + closed: 1,
		"who cannot be loaded on node8, which ends the start: user 65534. ":                                                                1,
		"modules  ": 12, "on node8": 9,
	} {
		if got := strings.Count(text, want); got != n {
			t.Errorf("%q is said %d times, want %d: %s", want, got, n, text)
		}
	}
}

// TestTheCheckFindsWhatEndsTheStart has the check and the start agree on modules.
func TestTheCheckFindsWhatEndsTheStart(t *testing.T) {
	for _, row := range []struct{ listed, runtimes, want, hint string }{
		{"lodash,newsyn", "node8", "newsyn: its code is too new (Invalid or unexpected token)", "npm install"},
		{"lodash,newsyn", "node8 node24", "", ""},
		{"throws", "node24", "throws: no setting", "npm install"},
		{"worker_threads", "node8", "worker_threads: Cannot find module 'worker_threads'", "nothing to install"},
		{"closed", "node24", "closed: Cannot find module 'closed'", "The users of workers may not read"},
		{"away", "node8", "away: Cannot find module 'away'", "workers see nothing outside of"},
	} {
		t.Run(row.listed+" "+row.runtimes, func(t *testing.T) {
			modules := map[string]string{"newsyn": newSyntax, "throws": "throw new Error('no setting')", "closed": ""}
			own := setModules(t, modules, strings.Fields(row.runtimes)...)
			if err := errors.Join(os.Chmod(filepath.Join(own, "node_modules", "closed"), 0o700),
				os.Symlink(t.TempDir(), filepath.Join(own, "node_modules", "away"))); err != nil {
				t.Fatal(err)
			}
			t.Setenv("DEFAULT_GLOBAL_MODULES", row.listed)
			_, text := checkMigration(t, statusFindings)
			_, cause, _ := strings.Cut(row.want, ": ")
			if ends := strings.Contains(text, "which ends the start: "+cause); ends != (row.want != "") || !strings.Contains(text, row.hint) {
				t.Errorf("the check says %s", text)
			}
			if !strings.Contains(text, `There is no function: if there should be some, name where they are (REDIS_ENDPOINT`) {
				t.Errorf("of an empty store the check says %s", text)
			}
			runtime := runtimesVariable(t, strings.Fields(row.runtimes)...)
			settings := []string{"MODULES_DIR=" + own, "DEFAULT_GLOBAL_MODULES=" + row.listed, runtime}
			if row.want == "" {
				startServer(t, settings...)
				return
			}
			if said := refused(t, settings...); !strings.Contains(said, row.want) || !strings.Contains(said, row.hint) {
				t.Errorf("the start says %s", said)
			}
		})
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
	put(t, s.url+"/functions/ns/module", "export default (req, res) => { res.send(1) }\n", `"runtime":"node24"`)
	put(t, s.url+"/functions/ns/exported", "exports.main = (req, res) => { res.send(1) }\n", "")
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
			"back": {"ns/comment", "ns/exported", "ns/module", "ns/new"}, "egress": {"ns/net"}, "names": nil, "env": nil, "code": nil,
		} {
			if names := got.of(kind); !slices.Equal(names, want) {
				t.Errorf("%s are %q, want %q", kind, names, want)
			}
		}
		if got.Functions != 6 {
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

// Installed runtimes begin after the start, and do not save it.
func TestAModuleThatOnlyAnInstalledRuntimeCanLoadEndsTheStart(t *testing.T) {
	own := setModules(t, map[string]string{"newsyn": newSyntax}, "node8")
	data := t.TempDir()
	binary, err := filepath.Abs("testdata/runtimes/node_modules/node24/bin/node")
	installed := filepath.Join(data, "runtimes", "node24@24.0.0", "bin")
	if err := errors.Join(err, os.MkdirAll(installed, 0o755), os.Symlink(binary, filepath.Join(installed, "node"))); err != nil {
		t.Fatal(err)
	}
	t.Setenv("DATA_DIR", data)
	t.Setenv("DEFAULT_GLOBAL_MODULES", "newsyn,absent")
	_, text := checkMigration(t, statusFindings)
	for _, want := range []string{
		"newsyn cannot be loaded on node8, which ends the start: its code is too new", "absent cannot be loaded on node24, where functions that require it fail",
	} {
		if !strings.Contains(text, want) {
			t.Errorf("no %q in %s", want, text)
		}
	}
	said := refused(t, "MODULES_DIR="+own, "DEFAULT_GLOBAL_MODULES=newsyn", "DATA_DIR="+data, runtimesVariable(t, "node8"))
	if !strings.Contains(said, "newsyn: its code is too new") {
		t.Errorf("the start says %s", said)
	}
}
