package main

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/backstage/functions/internal/testenv"
)

// keysetFile makes a keyset with the command.
func keysetFile(t *testing.T) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "keyset")
	var out strings.Builder
	if err := run(t.Context(), []string{"secrets", "keygen", path}, &out); err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(out.String(), "Keep a copy") {
		t.Errorf("the command says %s", out.String())
	}
	return path
}

// putSecret puts a value as text.
func (s *server) putSecret(t *testing.T, path, value string) {
	t.Helper()
	res, body := s.request(t, "PUT", path, value, "Content-Type", "text/plain")
	if res.StatusCode != http.StatusNoContent {
		t.Fatalf("PUT %s: %d %s", path, res.StatusCode, body)
	}
}

// telling is a function that does with its secret what it may, and a little more.
const telling = `function main(req, res) {
  const { KEY } = Backstage.secrets
  console.log('prints ' + KEY, { KEY })
  console.error(Buffer.from('user:' + KEY).toString('base64'), Buffer.from(KEY).toString('hex'))
  if (req.body.do === 'throw') throw new Error('throws ' + KEY)
  if (req.body.do === 'reject') { Promise.reject(new Error('rejects ' + KEY)); return }
  if (req.body.do === 'wait') { res.write(typeof KEY); return }
  res.send([typeof KEY, KEY.length])
}`

// hiding fails the test if text has the value in one of the forms in which it could be there.
func hiding(t *testing.T, what string, text []byte, value string) {
	t.Helper()
	for _, form := range []string{
		value, base64.RawStdEncoding.EncodeToString([]byte(value)), hex.EncodeToString([]byte(value)), value[4 : len(value)-4],
	} {
		if at := bytes.Index(text, []byte(form)); at >= 0 {
			t.Errorf("%s shows the value: %q", what, text[max(0, at-80):min(len(text), at+80)])
		}
	}
}

// TestSecretsAreSeenByTheirFunctionsAlone has calls on every store and every runtime, and then looks everywhere.
func TestSecretsAreSeenByTheirFunctionsAlone(t *testing.T) {
	const canary, own = "sk_live_4eC39HqLyjWDarjtT1zdp7dc", "sk_own_9sTq2xVbN4mKpL7wRzYcA3eF"
	dir := t.TempDir()
	redis := testenv.Redis(t, "--dir", dir, "--appendonly", "yes")
	for name, storage := range map[string]string{
		"embedded": "STORAGE=embedded", "memory": "STORAGE=inmemory", "redis": "REDIS_ENDPOINT=redis://" + redis.Addr,
	} {
		t.Run(name, func(t *testing.T) {
			data, keyset := t.TempDir(), keysetFile(t)
			s := startServer(t, storage, "DATA_DIR="+data, "SECRETS_KEYSET_FILE="+keyset, "LOG_LEVEL=debug",
				runtimesVariable(t), "POOL_PREWARMED=1", "POOL_SIZE=12")
			s.putSecret(t, "/namespaces/shop/secrets/KEY", canary)
			for _, runtime := range runtimes {
				path := "/functions/shop/" + runtime
				put(t, s.url+path, telling, `"secrets":["KEY"],"body":"auto","runtime":"`+runtime+`"`)
				wantCalls(t, s, path, canary)
				s.putSecret(t, path+"/secrets/KEY", own)
				wantCalls(t, s, path, own)
				lookAtProcesses(t, s, path, canary, own)
			}
			eventually(t, "the output is there", func() bool {
				_, text := request(t, "GET", s.url+"/functions/shop/node24/logs", "")
				return strings.Contains(text, "rejects ***")
			})
			for _, path := range []string{
				"/functions/shop/node8", "/functions/shop/node8/logs", "/functions/shop/node24/logs", "/functions/shop/node8/secrets",
				"/namespaces/shop/secrets", "/namespaces/shop", "/functions?namespace=shop", "/status", "/status/isolation",
			} {
				_, text := request(t, "GET", s.url+path, "")
				hiding(t, path, []byte(text), canary)
				hiding(t, path, []byte(text), own)
			}
			places := map[string][]byte{"the metrics": []byte(s.scrape(t)), "the log": []byte(s.logs.text())}
			if name == "embedded" {
				backup := filepath.Join(t.TempDir(), "backup")
				t.Setenv("DATA_DIR", data)
				if err := run(t.Context(), []string{"backup", backup}, io.Discard); err != nil {
					t.Fatal(err)
				}
				places["the backup"] = readFile(t, backup)
			}
			if redis.Do("SAVE") != "+OK" {
				t.Error("Redis writes no dump")
			}
			s.stop(t)
			places["the log at the end"] = []byte(s.logs.text())
			for _, folder := range []string{data, dir} {
				for path, text := range filesIn(t, folder) {
					places[path] = text
				}
			}
			for what, text := range places {
				hiding(t, what, text, canary)
				hiding(t, what, text, own)
			}
		})
	}
	if files := filesIn(t, dir); len(files) < 2 {
		t.Errorf("Redis has left %d files", len(files))
	}
}

// wantCalls makes calls that do with the value what telling does.
func wantCalls(t *testing.T, s *server, path, value string) {
	t.Helper()
	for body, want := range map[string]string{
		"": fmt.Sprintf(`200 ["string",%d]`, len(value)), "throw": `500 {"error":"throws ***"}`,
		"reject": `500 {"error":"rejects ***"}`,
	} {
		status, answer := request(t, "PUT", s.url+path+"/run", `{"do":"`+body+`"}`)
		if got := fmt.Sprint(status, " ", answer); got != want {
			t.Errorf("%s %q: %s, want %s", path, body, got, want)
		}
	}
}

// lookAtProcesses looks at what the kernel shows of the server and its workers while a call has the secret.
func lookAtProcesses(t *testing.T, s *server, path string, values ...string) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), "PUT", s.url+path+"/run", strings.NewReader(`{"do":"wait"}`))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/json")
	res, err := http.DefaultTransport.RoundTrip(req)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	begun := make([]byte, len("string"))
	if _, err := io.ReadFull(res.Body, begun); err != nil || string(begun) != "string" {
		t.Fatalf("%s: got %q, %v", path, begun, err)
	}
	looked := 0
	for _, pid := range s.processes() {
		limits, err := os.ReadFile(fmt.Sprintf("/proc/%d/limits", pid))
		if err == nil && !coreLimit.Match(limits) {
			t.Errorf("process %d may leave a core file: %s", pid, limits)
		}
		for _, name := range []string{"environ", "cmdline"} {
			text, err := os.ReadFile(fmt.Sprintf("/proc/%d/%s", pid, name))
			if err != nil {
				continue // it has ended
			}
			looked++
			for _, value := range values {
				hiding(t, fmt.Sprintf("%s of process %d", name, pid), text, value)
			}
		}
	}
	if looked < 4 {
		t.Errorf("%d files were there", looked)
	}
}

// coreLimit matches the limits of a process that leaves no core file.
var coreLimit = regexp.MustCompile(`Max core file size +0 +0 `)

// processes are the server and all that it has started.
func (s *server) processes() []int {
	all := []int{s.cmd.Process.Pid}
	for i := 0; i < len(all); i++ {
		for _, child := range childrenOf(all[i]) {
			all = append(all, child.pid)
		}
	}
	return all
}

func readFile(t *testing.T, path string) []byte {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

// filesIn are all files below dir.
func filesIn(t *testing.T, dir string) map[string][]byte {
	t.Helper()
	all := map[string][]byte{}
	err := filepath.WalkDir(dir, func(path string, entry fs.DirEntry, err error) error {
		if err == nil && entry.Type().IsRegular() {
			all[path] = readFile(t, path)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

func TestAWriterOfTheStoreSwapsNoSecrets(t *testing.T) {
	redis := testenv.Redis(t)
	s := startServer(t, "REDIS_ENDPOINT=redis://"+redis.Addr, "SECRETS_KEYSET_FILE="+keysetFile(t), "POOL_PREWARMED=1")
	const code = `function main(req, res) { res.send(Backstage.secrets) }`
	put(t, s.url+"/functions/shop/pay", code, `"secrets":["DEAR"]`)
	put(t, s.url+"/functions/shop/other", code, `"secrets":["CHEAP"]`)
	put(t, s.url+"/functions/team/pay", code, `"secrets":["DEAR"]`)
	const shop, team = "localfunctions:secrets:shop", "localfunctions:secrets:team"
	attack := func(script string) {
		t.Helper()
		if reply := redis.Do(`EVAL "` + script + `" 2 ` + shop + " " + team); strings.HasPrefix(reply, "-") {
			t.Fatal(reply)
		}
		if reply := redis.Do("PUBLISH localfunctions:changes secrets:shop"); !strings.HasPrefix(reply, ":") {
			t.Fatal(reply)
		}
	}
	answers := func(path, want string) {
		t.Helper()
		var status int
		var answer string
		eventuallyOr(t, func() bool {
			status, answer = request(t, "PUT", s.url+path+"/run", "{}")
			return strings.Contains(fmt.Sprint(status, " ", answer), want)
		}, func() string { return fmt.Sprintf("%s answers %s, not %d %s", path, want, status, answer) })
	}
	reset := func() {
		t.Helper()
		s.putSecret(t, "/namespaces/shop/secrets/DEAR", "a dear one")
		s.putSecret(t, "/namespaces/shop/secrets/CHEAP", "a cheap one")
		s.putSecret(t, "/namespaces/team/secrets/DEAR", "of the team")
		answers("/functions/shop/pay", `200 {"DEAR":"a dear one"}`)
		answers("/functions/team/pay", `200 {"DEAR":"of the team"}`)
	}
	const get, set = `redis.call('HGET',KEYS[1],'DEAR')`, `redis.call('HSET',KEYS[1],'DEAR',`
	for _, row := range []struct{ name, script, want string }{
		{"another name", set + `redis.call('HGET',KEYS[1],'CHEAP'))`, "secret_damaged"},
		{"another namespace", set + `redis.call('HGET',KEYS[2],'DEAR'))`, "secret_damaged"},
		{"a part of it", set + `string.sub(` + get + `,1,-20))`, "secret_damaged"},
		{"a shorter ciphertext", set + `(string.gsub(` + get + `,'....=*\"}$','\"}')))`, "secret_damaged"},
		{"another key", set + `(string.gsub(` + get + `,'\"sealed\":\"A....','\"sealed\":\"AQabc')))`, "secret_damaged"},
		{"another version", set + `(string.gsub(` + get + `,'\"version\":%d+','\"version\":99')))`, "secret_damaged"},
		{"nothing", set + `'')`, "secret_damaged"},
		{"none", `redis.call('HDEL',KEYS[1],'DEAR')`, "secret_missing"},
	} {
		t.Run(row.name, func(t *testing.T) {
			reset()
			attack(row.script)
			answers("/functions/shop/pay", `500 {"error":"The function asks for the secret DEAR: `)
			answers("/functions/shop/pay", row.want)
			answers("/functions/shop/other", `200 {"CHEAP":"a cheap one"}`)
			answers("/functions/team/pay", `200 {"DEAR":"of the team"}`)
		})
	}
	t.Run("an earlier version", func(t *testing.T) {
		reset()
		attack(`redis.call('SET','kept',` + get + `)`)
		s.putSecret(t, "/namespaces/shop/secrets/DEAR", "a newer one")
		answers("/functions/shop/pay", `200 {"DEAR":"a newer one"}`)
		attack(set + `redis.call('GET','kept'))`)
		answers("/functions/shop/pay", "secret_replayed")
		reset()
	})
	metrics := s.scrape(t)
	for _, reason := range []string{"secret_damaged", "secret_replayed", "secret_missing"} {
		if strings.Contains(metrics, `functions_secret_errors_total{reason="`+reason+`"} 0`) {
			t.Errorf("%s is not counted", reason)
		}
	}
	s.logs.await(t, `(the secret DEAR of shop/pay)`)
	s.stop(t)
	if text := s.logs.text(); strings.Contains(text, "a dear one") {
		t.Errorf("the log says %s", text)
	}
}

func TestANewValueReachesEveryServer(t *testing.T) {
	redis, keyset := testenv.Redis(t), keysetFile(t)
	var servers []*server
	for range 2 {
		servers = append(servers, startServer(t, "REDIS_ENDPOINT=redis://"+redis.Addr, "SECRETS_KEYSET_FILE="+keyset,
			"POOL_PREWARMED=1"))
	}
	first, second := servers[0], servers[1]
	const code = `let kept; function main(req, res) { kept = kept || Backstage.secrets.KEY; res.send([Backstage.secrets.KEY, kept]) }`
	put(t, first.url+"/functions/shop/each", code, `"secrets":["KEY"]`)
	put(t, first.url+"/functions/shop/once", code, `"secrets":["KEY"],"init":"once"`)
	wantEverywhere := func(value string) {
		t.Helper()
		want := fmt.Sprintf(`[%q,%q]`, value, value)
		for _, s := range servers {
			for _, path := range []string{"/functions/shop/each/run", "/functions/shop/once/run"} {
				eventually(t, path+" answers "+want, func() bool {
					status, answer := request(t, "PUT", s.url+path, "{}")
					return status == http.StatusOK && answer == want
				})
			}
		}
	}
	for i := range 3 {
		value := fmt.Sprintf("value %d", i)
		servers[i%2].putSecret(t, "/namespaces/shop/secrets/KEY", value)
		want := fmt.Sprintf(`[%q,%q]`, value, value)
		if _, answer := request(t, "PUT", servers[i%2].url+"/functions/shop/once/run", "{}"); answer != want {
			t.Errorf("the server that has taken it answers %s, want %s", answer, want)
		}
		wantEverywhere(value)
	}
	t.Setenv("REDIS_ENDPOINT", "redis://"+redis.Addr)
	t.Setenv("SECRETS_KEYSET_FILE", keyset)
	for i, args := range [][]string{{"--prepare"}, nil, nil} {
		var out strings.Builder
		if err := run(t.Context(), append([]string{"secrets", "rotate"}, args...), &out); err != nil {
			t.Fatal(err)
		}
		if i > 0 && !strings.Contains(out.String(), "1 secrets are there, 1 were encrypted with the new key, 0 cannot be decrypted.") {
			t.Errorf("the command says %s", out.String())
		}
		wantEverywhere("value 2")
	}
	second.putSecret(t, "/functions/shop/once/secrets/KEY", "after the rotation")
	eventually(t, "it is there", func() bool {
		_, answer := request(t, "PUT", first.url+"/functions/shop/once/run", "{}")
		return answer == `["after the rotation","after the rotation"]`
	})
}

func TestTheServerRotatesWhatItHasOpen(t *testing.T) {
	data := t.TempDir()
	s := startServer(t, "STORAGE=embedded", "DATA_DIR="+data, "POOL_PREWARMED=1")
	res, body := s.request(t, "PUT", "/namespaces/shop/secrets/KEY", "x", "Content-Type", "text/plain")
	if res.StatusCode != http.StatusNotImplemented || !strings.Contains(body, "functions secrets keygen FILE") {
		t.Errorf("without a keyset: %d %s", res.StatusCode, body)
	}
	s.stop(t)
	t.Setenv("DATA_DIR", data)
	t.Setenv("STORAGE", "embedded")
	var out strings.Builder
	for _, args := range [][]string{{"keygen"}, {"keygen", "--if-missing"}} {
		if err := run(t.Context(), append([]string{"secrets"}, args...), &out); err != nil {
			t.Fatal(err)
		}
	}
	if err := run(t.Context(), []string{"secrets", "keygen"}, &out); err == nil || !strings.Contains(err.Error(), "rotate") {
		t.Errorf("a second keygen says %v", err)
	}
	s = startServer(t, "STORAGE=embedded", "DATA_DIR="+data, "POOL_PREWARMED=1")
	s.putSecret(t, "/namespaces/shop/secrets/KEY", "the value")
	put(t, s.url+"/functions/shop/f", `function main(req, res) { res.send(Backstage.secrets) }`, `"secrets":["KEY"]`)
	if err := run(t.Context(), []string{"secrets", "rotate"}, &out); err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(out.String(), "The server that runs encrypts all secrets anew") {
		t.Errorf("the command says %s", out.String())
	}
	s.logs.await(t, `All secrets are encrypted with the primary key key=\d+ secrets=1 (changed=1)`)
	if _, answer := request(t, "PUT", s.url+"/functions/shop/f/run", "{}"); answer != `{"KEY":"the value"}` {
		t.Errorf("got %s", answer)
	}
	s.stop(t)
	out.Reset()
	if err := run(t.Context(), []string{"secrets", "rotate"}, &out); err != nil ||
		!strings.Contains(out.String(), "1 secrets are there, 1 were encrypted") {
		t.Errorf("without a server: %v, %s", err, out.String())
	}
}

func TestAKeysetThatIsNamedMustBeThere(t *testing.T) {
	cmd := exec.Command(os.Args[0])
	cmd.Env = serverEnv(t, "SECRETS_KEYSET_FILE="+filepath.Join(t.TempDir(), "none"))
	text, err := cmd.CombinedOutput()
	if err == nil || !strings.Contains(string(text), "functions secrets keygen makes it") {
		t.Errorf("the start says %s, %v", text, err)
	}
}
