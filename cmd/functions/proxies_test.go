package main

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// proxies are those that docs/deploy has a configuration file for, with the command that runs one.
var proxies = []struct {
	name, file string
	command    func(file, dir string) *exec.Cmd
}{
	{"nginx", "nginx.conf", func(file, dir string) *exec.Cmd {
		return exec.Command("nginx", "-p", dir, "-c", file, "-e", "stderr",
			"-g", "daemon off; master_process off; pid nginx.pid; user root;")
	}},
	{"HAProxy", "haproxy.cfg", func(file, _ string) *exec.Cmd { return exec.Command("haproxy", "-db", "-f", file) }},
}

// proxied are the addresses of a proxy that runs with a file of docs/deploy.
type proxied struct{ public, deploy, shop string }

// startProxy runs a file of docs/deploy as it stands, but for the addresses in it.
func startProxy(t *testing.T, file string, command func(file, dir string) *exec.Cmd, run, api string) proxied {
	t.Helper()
	text, err := os.ReadFile("../../docs/deploy/" + file)
	if err != nil {
		t.Fatal(err)
	}
	p := proxied{unusedAddress(t), unusedAddress(t), unusedAddress(t)}
	for _, pair := range [][2]string{
		{"127.0.0.1:8102", run},
		{"127.0.0.1:8100", api},
		{"127.0.0.1:8180", p.deploy},
		{"127.0.0.1:8181", p.shop},
		{"bind :8080", "bind " + p.public},
		{"listen      8080", "listen " + p.public},
		{"listen 8080", "listen " + p.public},
	} {
		text = bytes.ReplaceAll(text, []byte(pair[0]), []byte(pair[1]))
	}
	dir := t.TempDir()
	here := filepath.Join(dir, file)
	if err := os.WriteFile(here, text, 0o600); err != nil {
		t.Fatal(err)
	}
	cmd := command(here, dir)
	said := new(bytes.Buffer)
	cmd.Stdout, cmd.Stderr, cmd.WaitDelay = said, said, waitDelay
	if err := cmd.Start(); err != nil {
		t.Fatalf("%v: run make test-tools, which installs it", err)
	}
	ended := make(chan struct{})
	go func() { defer close(ended); _ = cmd.Wait() }()
	t.Cleanup(func() { _ = cmd.Process.Signal(syscall.SIGKILL); <-ended })
	eventually(t, file+" serves", func() bool {
		select {
		case <-ended:
			t.Fatalf("it has ended: %s", said)
		default:
		}
		response, err := http.Get("http://" + p.deploy + "/readyz")
		if err != nil {
			return false
		}
		defer response.Body.Close()
		return response.StatusCode == http.StatusOK
	})
	return p
}

// unusedAddress is a loopback address that nothing listens on at the moment.
func unusedAddress(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

// secretOf is in the answer of a function, and in no code, secretIn in its code, and in no answer.
const (
	secretOf = "answer of bank 6*7=42"
	secretIn = "comment of bank"
	bankCode = "function main(req, res) { // " + secretIn + "\n res.send('answer of ' + 'bank 6*7=' + 6 * 7) }"
	shopCode = "function main(req, res) { res.send({ ip: req.ip, host: req.hostname, scheme: req.protocol, from: 'shop' }) }"
)

// targets are request targets that lead to the namespace bank, if anything takes them so.
func targets() []string {
	const run = "/functions/shop/f/run"
	var all []string
	for _, path := range []string{"/functions/bank/f/run", "/functions/bank/f"} {
		tail := strings.TrimPrefix(path, "/functions")
		all = append(all, path, path+"/", "/FUNCTIONS"+tail, "/fUnctions"+tail, "/"+path, "//x/.."+path, "/."+path, "/x/.."+path,
			"/functions/."+tail, "/functions/"+tail, "/functions/shop/.."+tail, "/functions/shop/../.."+path,
			path+"/../../../shop/f/run/", run+"/../../../.."+path, run+"/../../.."+tail, path+"/../../../shop/f/run", path+"?"+run, path+"#"+run, path+"?/"+run,
			path+";"+run, "/functions/shop/..;"+tail, "/functions%2Fbank/f/run", "/%66unctions"+tail, "/functions/%62ank/f/run",
			"/functions/shop%2f..%2fbank/f/run", "/functions/shop/%2e%2e"+tail, "/functions/shop/%2E%2E%2Fbank/f/run",
			run+"%2f..%2f..%2f..%2fbank%2ff%2frun", run+"/%2e%2e/%2e%2e/%2e%2e"+tail, run+"%00/../../.."+tail, run+"\\..\\..\\.."+tail,
			strings.ReplaceAll(path, "/", "\\"), "http://127.0.0.1"+path, "http://api.example.org"+path, "http://api.example.org"+run+"/../../.."+tail,
			"https://api.example.org"+path, run+"%0d%0a"+path, run+"?%0a"+path, "/functions/shop"+path, "*"+path, path[1:])
	}
	return append(all, "/functions/pipeline?steps[0]=bank/f", "/functions/pipeline?steps%5B0%5D=bank%2Ff",
		"/FUNCTIONS/PIPELINE/?steps[0]=bank/f", "/functions/pipeline?steps[0]=shop/f&steps[1]=bank/f", "/functions/pipeline?steps[]=bank/f",
		run+"?steps[0]=bank/f", "/functions?namespace=bank", "/functions", "/functions/bank/f/logs", "/functions/bank/f/files/",
		"/functions/bank/f/env/A", "/namespaces/bank", "/namespaces/bank/modules/m", "/routes/r", "/Routes/r", "/keys", "/status",
		"/_debug/http_stats")
}

// rawRequests are those targets with several methods, and requests that two programs may read differently.
func rawRequests(host, key string) []string {
	const body = `{"code":"function main(req, res) { res.send('changed') }","path":"/x","function":"bank/f"}`
	if key != "" {
		key = "Authorization: Bearer " + key + "\r\n"
	}
	head := "Host: " + host + "\r\n" + key + "X-Forwarded-For: 127.0.0.1\r\nX-HTTP-Method-Override: PUT\r\n" +
		"X-Original-URL: /functions/bank/f/run\r\nX-Rewrite-URL: /functions/bank/f/run\r\nContent-Type: application/json\r\nConnection: close\r\n"
	var all []string
	for _, target := range targets() {
		for _, method := range []string{"GET", "PUT", "POST", "DELETE", "PATCH"} {
			all = append(all, fmt.Sprintf("%s %s HTTP/1.1\r\n%sContent-Length: %d\r\n\r\n%s", method, target, head, len(body), body))
		}
	}
	inner := "PUT /functions/bank/f HTTP/1.1\r\nHost: h\r\nContent-Type: application/json\r\nContent-Length: " +
		fmt.Sprint(len(body)) + "\r\n\r\n" + body
	for _, framing := range []string{
		"Content-Length: %d\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n%s", "Transfer-Encoding: chunked\r\nContent-Length: %d\r\n\r\n0\r\n\r\n%s",
		"Content-Length: 0\r\nContent-Length: %d\r\n\r\n%s", "Content-Length: %d\r\nTransfer-Encoding: xchunked\r\n\r\n0\r\n\r\n%s",
		"Content-Length: %d\r\nTransfer-Encoding : chunked\r\n\r\n0\r\n\r\n%s", "Content-Length: %d\r\nTransfer-Encoding:\tchunked\r\n\r\n0\r\n\r\n%s",
		"Content-Length: %d\r\nTransfer-Encoding: identity, chunked\r\n\r\n0\r\n\r\n%s", "Transfer-Encoding: chunked\r\nX: %d\r\n\r\n0;\n\r\n%s",
		"Content-Length: +%d\r\n\r\n%s", "Upgrade: h2c\r\nConnection: Upgrade, HTTP2-Settings\r\nHTTP2-Settings: AAMAAABkAARAAAAAAAIAAAAA\r\nX: %d\r\n\r\n%s",
		"Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 777\r\nX: %d\r\n\r\n%s",
	} {
		head := strings.Replace(head, "Connection: close\r\n", "", 1)
		all = append(all, "POST /functions/shop/f/run HTTP/1.1\r\n"+head+fmt.Sprintf(framing, len(inner)+5, inner))
	}
	return append(all, "PUT /functions/bank/f/run HTTP/1.0\r\n"+key+"\r\n", "PUT /functions/shop/f/run HTTP/1.1\r\nHost: "+host+
		"\r\n"+key+"Authorization: Bearer fn_x\r\nHost: other\r\nConnection: close\r\n\r\n", inner)
}

// sendRaw writes text to a connection of its own, and returns all that comes back. Where text asks for no close, the
// connection is ended after the first answer: a proxy drops a request whose caller ends it before.
func sendRaw(t *testing.T, addr, text string) string {
	t.Helper()
	from := net.Dialer{Timeout: patience, LocalAddr: &net.TCPAddr{IP: net.IPv4(127, 0, 0, 2)}} // not that of the proxy
	conn, err := from.DialContext(t.Context(), "tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	_ = conn.SetDeadline(time.Now().Add(patience))
	_, _ = io.WriteString(conn, text) // an error shows as the end of the answer
	var seen bytes.Buffer
	r := bufio.NewReader(io.TeeReader(conn, &seen))
	if response, err := http.ReadResponse(r, nil); err == nil && !response.Close {
		_, _ = io.Copy(io.Discard, response.Body)
		_ = conn.(*net.TCPConn).CloseWrite()
	}
	_, _ = io.Copy(io.Discard, r)
	return seen.String()
}

// TestNothingPassesTheRulesOfAProxy has real proxies, with the files that docs/deploy tells to use, before two servers.
func TestNothingPassesTheRulesOfAProxy(t *testing.T) {
	vars := []string{"STORAGE=inmemory", "RUN_PORT=0", "TRUSTED_PROXIES=127.0.0.1"}
	open := startServer(t, append(vars, "AUTH=off")...)
	keyed, admin := adminOf(t, vars...)
	for _, s := range []*server{open, keyed} {
		for name, body := range map[string]string{
			"bank/f": fmt.Sprintf(`{"code":%q,"body":"auto"}`, bankCode), "shop/f": fmt.Sprintf(`{"code":%q,"body":"auto"}`, shopCode),
		} {
			if status, answer := as(t, admin, "PUT", s.url+"/functions/"+name, body); status != http.StatusOK {
				t.Fatalf("%s: %d %s", name, status, answer)
			}
		}
	}
	_, key := newKey(t, admin, keyed.url, `{"role":"deploy","namespaces":["shop"]}`)
	for _, proxy := range proxies {
		t.Run(proxy.name, func(t *testing.T) {
			start := func(s *server) proxied {
				run := "127.0.0.1:" + s.logs.said(t, `listening for runs alone on port (\d+)`)
				return startProxy(t, proxy.file, proxy.command, run, strings.TrimPrefix(s.url, "http://"))
			}
			opened, locked := start(open), start(keyed)
			breakThrough(t, "the public", opened.public, "api.example.org", "", secretIn)
			breakThrough(t, "a rule by path", opened.shop, "localhost", "", secretIn, secretOf)
			breakThrough(t, "the public, with keys", locked.public, "api.example.org", "", secretIn, secretOf)
			breakThrough(t, "a key of another namespace", locked.deploy, "localhost", key, secretIn, secretOf)
			for _, s := range []*server{open, keyed} {
				unchanged(t, s, admin)
			}
			servesWhatItShould(t, opened, locked, key)
		})
	}
}

// breakThrough sends all of rawRequests to addr; no answer may have any of secrets.
func breakThrough(t *testing.T, name, addr, host, key string, secrets ...string) {
	t.Helper()
	for _, text := range rawRequests(host, key) {
		answer := sendRaw(t, addr, text)
		for _, secret := range append(secrets, "changed'") {
			if strings.Contains(answer, secret) {
				t.Errorf("%s: %q was answered\n%s", name, text, answer)
			}
		}
	}
}

// unchanged says whether s has the functions that it was given, and nothing else.
func unchanged(t *testing.T, s *server, admin string) {
	t.Helper()
	for path, want := range map[string]string{
		"/functions/bank/f": secretIn, "/functions?namespace=bank": `"items":[{"namespace":"bank","id":"f"}]`, "/routes": `"items":[]`,
	} {
		if status, answer := as(t, admin, "GET", s.url+path, ""); status != http.StatusOK || !strings.Contains(answer, want) {
			t.Errorf("%s: %d %s, want %s", path, status, answer, want)
		}
	}
	for path, want := range map[string]int{"/namespaces/bank": 404, "/namespaces/bank/modules/m": 404} {
		if status, answer := as(t, admin, "GET", s.url+path, ""); status != want {
			t.Errorf("%s: %d %s", path, status, answer)
		}
	}
}

// servesWhatItShould asks for what the rules let through.
func servesWhatItShould(t *testing.T, opened, locked proxied, key string) {
	t.Helper()
	const head = "POST /functions/shop/f/run?x=1 HTTP/1.1\r\nConnection: close\r\nX-Forwarded-For: 192.0.2.66\r\n" +
		"X-Forwarded-Host: evil.example\r\nX-Forwarded-Proto: gopher\r\nContent-Length: 0\r\nHost: "
	for name, row := range map[string]struct{ addr, rest, want string }{
		"the public":         {opened.public, "api.example.org\r\n\r\n", `{"ip":"127.0.0.2","host":"api.example.org","scheme":"http","from":"shop"}`},
		"another name":       {opened.public, "evil.example\r\n\r\n", " 421 "},
		"a rule by path":     {opened.shop, "localhost\r\n\r\n", `"host":"localhost"`},
		"those who deploy":   {locked.deploy, "localhost\r\nAuthorization: Bearer " + key + "\r\n\r\n", `"from":"shop"`},
		"nobody":             {locked.deploy, "localhost\r\n\r\n", " 401 "},
		"nobody, public":     {locked.public, "api.example.org\r\n\r\n", " 401 "},
		"with a key, public": {locked.public, "api.example.org\r\nAuthorization: Bearer " + key + "\r\n\r\n", `"from":"shop"`},
	} {
		if answer := sendRaw(t, row.addr, head+row.rest); !strings.Contains(answer, row.want) {
			t.Errorf("%s: %s, want %s", name, answer, row.want)
		}
	}
}
