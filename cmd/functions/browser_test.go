package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"
)

// browserPatience bounds the wait for a page; only a broken one makes a test wait that long.
const browserPatience = 4 * time.Minute

// waitDelay bounds the wait for the output of a command that has ended: a child of it may have outlived it.
const waitDelay = time.Minute

// browse opens a page of testdata in Chromium, with url in the place of FUNCTIONS, and returns what the page posts to
// /result of its own server. Before that prepare is told the page's origin.
func browse(t *testing.T, page, url string, prepare func(origin string)) map[string]string {
	t.Helper()
	return visit(t, page, strings.NewReplacer("FUNCTIONS", url), "127.0.0.1", http.NotFoundHandler(), prepare)
}

// visit is browse for a page at another name of this machine. What is neither the page nor /result is served by rest.
func visit(
	t *testing.T, page string, names *strings.Replacer, host string, rest http.Handler, prepare func(origin string),
) map[string]string {
	t.Helper()
	chromium, err := exec.LookPath("chromium")
	if err != nil {
		t.Skip("chromium is not installed: apt-get install chromium")
	}
	text, err := os.ReadFile("testdata/" + page)
	if err != nil {
		t.Fatal(err)
	}
	results := make(chan map[string]string, 1)
	site := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/":
			w.Header().Set("Content-Type", "text/html")
			_, _ = names.WriteString(w, string(text))
		case "/result":
			var found map[string]string
			if err := json.NewDecoder(r.Body).Decode(&found); err != nil {
				found = map[string]string{"failed": err.Error()}
			}
			results <- found
		default:
			rest.ServeHTTP(w, r)
		}
	}))
	t.Cleanup(site.Close)
	origin := strings.Replace(site.URL, "127.0.0.1", host, 1)
	prepare(origin)
	said, ended := startBrowser(t, chromium, origin+"/")
	select {
	case found := <-results:
		return found
	case <-ended:
		t.Fatalf("the browser has ended: %s", said)
	case <-time.After(browserPatience):
		t.Fatal("the page did not tell its results")
	}
	return nil
}

// startBrowser opens url and ends the browser with the test. Said is what it printed, once it has ended.
func startBrowser(t *testing.T, chromium, url string) (said *bytes.Buffer, ended <-chan struct{}) {
	t.Helper()
	profile, err := os.MkdirTemp("", "chromium") // processes of the browser may write to it while they end
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(profile) })
	cmd := exec.Command(chromium, "--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage",
		"--no-first-run", "--disable-extensions", "--disable-background-networking", "--disable-component-update",
		"--no-proxy-server", "--host-resolver-rules=MAP *.example 127.0.0.1", "--user-data-dir="+profile, url)
	cmd.WaitDelay = waitDelay
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	said = new(bytes.Buffer)
	cmd.Stdout, cmd.Stderr = said, said
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		_ = cmd.Wait()
	}()
	t.Cleanup(func() {
		_ = syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL)
		<-done
	})
	return said, done
}

func TestWithABrowser(t *testing.T) {
	s := startServer(t, "WEBSOCKET_CONNECTIONS=10", "RUN_PORT=0")
	t.Run("forms are read as they are sent", func(t *testing.T) { testFormsOfABrowser(t, s) })
	t.Run("pages call functions of another origin", func(t *testing.T) { testCORSWithABrowser(t, s) })
	t.Run("events come one by one, after a break too", func(t *testing.T) { testEventsWithABrowser(t, s) })
	t.Run("pages of listed origins open WebSocket connections", func(t *testing.T) { testSocketsOfABrowser(t, s) })
	t.Run("two pages of the guide's chat talk", func(t *testing.T) { testChatOfTheGuide(t, s) })
	t.Run("pages of other sites change nothing", testPagesOfOtherSites)
	t.Run("a page whose name leads here gets nothing", testReboundPage)
}

// testEventsWithABrowser has a stream that ends after each second event: the browser comes back for the rest.
func testEventsWithABrowser(t *testing.T, s *server) {
	found := browse(t, "events.html", s.url, func(origin string) {
		put(t, s.url+"/functions/n/events", `function main(req, res) {
			let next = +(req.headers['last-event-id'] || -1) + 1
			if (next > 3) return res.status(204).end()
			res.set('Content-Type', 'text/event-stream')
			res.write('retry: 10\n\n')
			const step = () => {
				res.write('id: ' + next + '\nevent: order\ndata: é' + next + '\n\n')
				if (next++ % 2 === 0) setTimeout(step, 10)
				else res.end()
			}
			step()
		}`, fmt.Sprintf(`"body":"auto","cors":{"origins":[%q],"credentials":true}`, origin))
	})
	if want := "0:é0 1:é1 2:é2 3:é3 "; found["events"] != want {
		t.Errorf("the page got %q, want %q", found["events"], want)
	}
}

func testSocketsOfABrowser(t *testing.T, s *server) {
	found := browse(t, "websocket.html", s.url, func(origin string) {
		const code = `function main(req, res) {
			if (req.event === 'open') return res.end(req.query.name)
			if (req.event === 'message') return res.end(req.body)
			res.end()
		}`
		for id, listed := range map[string]string{"listed": origin, "unlisted": "https://another.example"} {
			put(t, s.url+"/functions/n/"+id, code, fmt.Sprintf(`"websocket":{"origins":[%q],"protocols":["chat.v1"]}`, listed))
		}
	})
	for name, want := range map[string]string{
		"listed": "é,text,1+2,chat.v1,4000,enough", "unlisted": ",1006,",
	} {
		if found[name] != want {
			t.Errorf("%s: %q, want %q", name, found[name], want)
		}
	}
}

func testFormsOfABrowser(t *testing.T, s *server) {
	found := browse(t, "forms.html", s.url, func(origin string) {
		put(t, s.url+"/functions/n/form", `function main(req, res) {
			res.send(Array.from(req.form()).map(([name, value]) => [name, value.filename === undefined ? value : [
				value.filename, value.type, Array.from(value.bytes).every((b, i) => b === i), value.bytes.length]]))
		}`, fmt.Sprintf(`"body":"auto","cors":{"origins":[%q]}`, origin))
	})
	for name, want := range map[string]string{
		"urlencoded": `[["name","Ann & é"],["tag","a"],["tag","b"]]`,
		"multipart": `[["name","Ann & é"],["photo",["a \"b\".png","image/png",true,256]],` +
			`["photo",["leer é.txt","text/plain",true,0]]]`,
		"failed": "",
	} {
		if found[name] != want {
			t.Errorf("%s: %s, want %s", name, found[name], want)
		}
	}
}

func testCORSWithABrowser(t *testing.T, s *server) {
	deploy := func(origin string) {
		const answers = `function main(req, res) {
			res.set('X-Order', '7').set('X-Hidden', '8').set('Set-Cookie', 'user=ann').send({
				method: req.method, cookie: req.headers.cookie || 'none', item: req.body.item })
		}`
		cors := fmt.Sprintf(`"cors":{"origins":[%q],"methods":["PUT"],"headers":["Content-Type","X-Step"],`+
			`"expose":["X-Order"],"credentials":true,"maxAge":"10m"}`, origin)
		for id, row := range map[string][2]string{
			"f": {answers, cors},
			"fails": {`function main(req, res) {
				const e = new Error('thrown'); e.statusCode = +req.query.status; throw e }`, cors},
			"hangs":  {`function main(req, res) {}`, `"timeout":"200ms",` + cors},
			"dies":   {`function main(req, res) { const a = []; for (;;) a.push(new Array(1e6).fill(1)) }`, cors},
			"others": {answers, `"cors":{"origins":["https://another.example"]}`},
			"plain":  {answers, ""},
			"frames": {answers, `"cors":{"origins":["null"]}`},
		} {
			put(t, s.url+"/functions/n/"+id, row[0], row[1])
		}
		const route = `{"path":"/orders/{id}","function":"n/f"}`
		if status, answer := request(t, "PUT", s.url+"/routes/orders", route); status != http.StatusOK {
			t.Fatalf("route: %d %s", status, answer)
		}
	}
	found := browse(t, "cors.html", s.url, deploy)
	for name, want := range map[string]string{
		"sets a cookie":                `200 {"method":"GET","cookie":"none"}`,
		"reads a header":               "7",
		"reads another header":         "null",
		"sends the cookie":             `200 {"method":"GET","cookie":"user=ann"}`,
		"sends no cookie":              `200 {"method":"GET","cookie":"none"}`,
		"after a preflight":            `200 {"method":"PUT","cookie":"user=ann","item":"é"}`,
		"a thrown 400":                 `400 {"error":"thrown"}`,
		"a broken body":                `400 {"error":"`,
		"a 408":                        `408 {"error":"Function timeout"}`,
		"a 500":                        `500 {"error":"`,
		"a header that is not listed":  "TypeError",
		"a method that is not listed":  "TypeError",
		"an origin that is not listed": "TypeError",
		"without cors":                 "TypeError",
		"by a route":                   `200 {"method":"GET","cookie":"none"}`,
		"null, not listed":             "TypeError",
		"null, listed":                 `{"method":"GET","cookie":"none"}`,
	} {
		if !strings.HasPrefix(found[name], want) {
			t.Errorf("%s: %q, want %q", name, found[name], want)
		}
	}
	if failed, ok := found["failed"]; ok {
		t.Errorf("the page failed: %s", failed)
	}
}
