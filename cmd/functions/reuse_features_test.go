package main

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"regexp"
	"strings"
	"sync"
	"testing"
)

// featuresCode does what its body asks for, in ways that outlive an answer, and says how many calls its worker knows
// of.
const featuresCode = `const G = Function('return this')()
const seen = () => { G.calls = (G.calls || 0) + 1; return [G.calls, typeof G.kept] }
const later = ms => new Promise(done => setTimeout(done, ms))
const ask = (url, body) => new Promise((done) => {
  require('request').put({ url, json: body || {} }, (error, answer, got) => {
    done(error ? error.code : [answer.statusCode, got])
  })
})
const kinds = {
  plain: (b, res) => res.send(seen()),
  stream: async (b, res) => {
    for (let i = 0; i < 3; i++) { res.write(seen() + '\n'); await later(1) }
    G.kept = b
    res.end()
  },
  loop: () => { G.kept = seen(); for (;;) ; },
  silent: () => { G.kept = seen() },
  throws: (b) => { G.kept = seen(); throw new Error('thrown ' + G.calls) },
  waits: async (b, res) => { const now = seen(); G.kept = b; await later(2); res.send(now) },
  after: (b, res) => {
    Backstage.waitUntil(ask(b.url).then(([status]) => {
      console.log('after the answer: ' + status + ' ' + seen())
      G.kept = status
    }))
    res.send(seen())
  },
  timer: (b, res) => { setInterval(() => { G.kept = 1 }, 1); res.send(seen()) },
  secret: (b, res) => {
    const now = seen(); const { KEY } = Backstage.secrets
    G.kept = KEY; Object.prototype.KEY = KEY
    res.send([now, KEY])
  },
  step: (b, res) => { const [calls, kept] = seen(); G.kept = b; res.send({ do: 'step', n: b.n + calls, kept }) },
  nested: async (b, res) => { const now = seen(); G.kept = b; res.send([now, await ask(b.url, b.body)]) },
  meet: async (b, res) => { const now = seen(); G.kept = b; res.send([now, (await ask(b.url))[0]]) },
}
function main(req, res) {
  if (req.event === 'open') return res.end('open ' + seen())
  if (req.event === 'message') { const now = seen(); G.kept = req.body; return res.end(req.body + ' ' + now) }
  if (req.event !== undefined) return res.end()
  return kinds[req.body.do](req.body, res)
}`

// untouched is what a call says that finds its worker as the first one did.
const untouched = `[1,"undefined"]`

// meeting answers requests when so many of them have come.
func meeting(t *testing.T, n int) string {
	t.Helper()
	var mu sync.Mutex
	waiting, all := 0, make(chan struct{})
	site := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		here := all
		if waiting++; waiting == n {
			waiting, all = 0, make(chan struct{})
			close(here)
		}
		mu.Unlock()
		select {
		case <-here:
		case <-r.Context().Done():
		}
		_, _ = io.WriteString(w, "1") // an error shows in the answer
	}))
	t.Cleanup(site.Close)
	return site.URL
}

// rollbackServer is a server whose workers are put back and compared after each call, with all that functions use.
func rollbackServer(t *testing.T) *server {
	t.Helper()
	return startServer(t, runtimesVariable(t), "REUSE=rollback", "ROLLBACK_AUDIT=1", "POOL_SIZE=32", "POOL_ACTIVE=32",
		"POOL_PREWARMED=1", "WEBSOCKET_CONNECTIONS=100", "EGRESS_ALLOW=127.0.0.1", "SECRETS_KEYSET_FILE="+keysetFile(t),
		"CODE_SYNC_TIMEOUT=30s", "CODE_ASYNC_TIMEOUT=5m", "QUEUE_TIMEOUT=5m")
}

// TestPutBackWorkersServeEverything has workers that are put back serve all that functions can do, on every runtime: no
// call finds anything of another, however that one has ended.
func TestPutBackWorkersServeEverything(t *testing.T) {
	s := rollbackServer(t)
	_, report := request(t, http.MethodGet, s.url+"/status/isolation", "")
	if !strings.Contains(report, `"available":true`) {
		t.Skipf("workers cannot be put back here: %s", report)
	}
	together := 8
	if os.Getenv("NIGHTLY") == "1" {
		together = 20
	}
	url := meeting(t, together)
	site := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		_, _ = io.WriteString(w, "1") // an error shows in the answer
	}))
	t.Cleanup(site.Close)
	for _, runtime := range runtimes {
		f := &putBackFunction{s, "/functions/features/" + runtime, runtime, site.URL}
		put(t, s.url+f.path, featuresCode, fmt.Sprintf(`"runtime":%q,"websocket":{},"syncTimeout":"1s"`, runtime))
		s.untilPutBack(t, f.path, `{"do":"plain"}`)
		for _, row := range []struct {
			name string
			test func(*testing.T)
		}{
			{"streams", f.streams},
			{"deadlines", f.deadlines},
			{"events", f.events},
			{"asynchronous calls", f.asynchronous},
			{"work after the answer", f.afterAnswer},
			{"secrets", f.secrets},
			{"pipelines", f.pipelines},
			{"nested calls", f.nested},
			{"many at once", func(t *testing.T) { f.atOnce(t, url, together) }},
		} {
			t.Run(runtime+"/"+row.name, func(t *testing.T) {
				row.test(t)
				f.finds(t, `{"do":"plain"}`, untouched)
			})
		}
	}
	text := s.scrape(t)
	failures := regexp.MustCompile(`(?m)^functions_rollback_failures_total\{.*\} [1-9].*$`)
	for _, line := range failures.FindAllString(text, -1) {
		t.Errorf("workers ended: %s", line)
	}
	if found := rollbacks.FindStringSubmatch(text); found == nil || found[1] == "0" {
		t.Errorf("%v rollbacks", found)
	}
}

// putBackFunction is the function on one runtime.
type putBackFunction struct {
	*server

	path, runtime, site string
}

// finds makes a call that must be answered so.
func (f *putBackFunction) finds(t *testing.T, body, want string) {
	t.Helper()
	if status, answer := request(t, http.MethodPut, f.url+f.path+"/run", body); answer != want {
		t.Errorf("%s: %d %s, want %s", body, status, answer, want)
	}
}

func (f *putBackFunction) streams(t *testing.T) {
	for range 2 {
		f.finds(t, `{"do":"stream"}`, "1,undefined\n2,undefined\n3,undefined\n")
	}
	f.finds(t, `{"do":"waits"}`, untouched)
	f.finds(t, `{"do":"timer"}`, untouched)
}

func (f *putBackFunction) deadlines(t *testing.T) {
	_, answer := request(t, http.MethodPut, f.url+f.path+"/run", `{"do":"loop"}`)
	if !strings.Contains(answer, "Script execution timed out.") {
		t.Errorf("a loop is answered %s", answer)
	}
	f.finds(t, `{"do":"plain"}`, untouched)
	put(t, f.url+f.path, featuresCode, `"timeout":"200ms"`)
	status, answer := request(t, http.MethodPut, f.url+f.path+"/run", `{"do":"silent"}`)
	if status != http.StatusRequestTimeout {
		t.Errorf("a call without an answer: %d %s", status, answer)
	}
	put(t, f.url+f.path, featuresCode, `"timeout":""`)
	for range 2 {
		_, answer := request(t, http.MethodPut, f.url+f.path+"/run", `{"do":"throws"}`)
		if !strings.Contains(answer, "thrown 1") {
			t.Errorf("an error is answered %s", answer)
		}
	}
}

func (f *putBackFunction) events(t *testing.T) {
	socket := f.open(t, f.path+"/run")
	if got := socket.frame(t); got != "open 1,undefined" {
		t.Errorf("opened with %q", got)
	}
	for _, text := range []string{"one", "two"} {
		socket.say(text)
		if got := socket.frame(t); got != text+" 1,undefined" {
			t.Errorf("got %q", got)
		}
	}
	_ = socket.Close() // the event of its end says nothing
}

func (f *putBackFunction) asynchronous(t *testing.T) {
	for range 3 {
		at := callAsync(f.url+f.path+"/run", `{"do":"waits"}`)
		if at == "" {
			t.Fatal("an asynchronous call was not accepted")
		}
		eventually(t, "the call succeeds", func() bool {
			c, ok := recordOf(f.server, at)
			return ok && c.Status == "succeeded"
		})
		if _, answer := request(t, http.MethodGet, f.url+at+"/result", ""); answer != untouched {
			t.Errorf("the result is %s", answer)
		}
	}
}

func (f *putBackFunction) afterAnswer(t *testing.T) {
	for range 2 {
		f.finds(t, fmt.Sprintf(`{"do":"after","url":%q}`, f.site), untouched)
		f.logs.await(t, `id:`+f.runtime+`\] (after the answer: 200 2,undefined)`)
	}
}

func (f *putBackFunction) secrets(t *testing.T) {
	for _, value := range []string{"the-first-secret", "the-second-secret"} {
		f.putSecret(t, f.path+"/secrets/KEY", value)
		put(t, f.url+f.path, featuresCode, `"secrets":["KEY"]`)
		for range 2 {
			f.finds(t, `{"do":"secret"}`, fmt.Sprintf(`[%s,%q]`, untouched, value))
		}
	}
	put(t, f.url+f.path, featuresCode, `"secrets":[]`)
	f.finds(t, `{"do":"secret"}`, `[`+untouched+`,null]`)
}

func (f *putBackFunction) pipelines(t *testing.T) {
	step := strings.TrimPrefix(f.path, "/functions/")
	status, answer := request(t, http.MethodPut, f.url+"/functions/pipeline?"+stepsQuery(step, 5), `{"do":"step","n":0}`)
	if answer != `{"do":"step","n":5,"kept":"undefined"}` {
		t.Errorf("answered %d %s", status, answer)
	}
}

func (f *putBackFunction) nested(t *testing.T) {
	own := f.url + f.path + "/run"
	body := fmt.Sprintf(`{"do":"nested","url":%q,"body":{"do":"nested","url":%q,"body":{"do":"plain"}}}`, own, own)
	inner := fmt.Sprintf(`[%s,[200,%s]]`, untouched, untouched)
	for range 2 {
		f.finds(t, body, fmt.Sprintf(`[%s,[200,%s]]`, untouched, inner))
	}
}

// atOnce has so many calls wait for each other, and does that again with their workers.
func (f *putBackFunction) atOnce(t *testing.T, meeting string, n int) {
	for range 3 {
		var all sync.WaitGroup
		for range n {
			all.Go(func() {
				body := fmt.Sprintf(`{"do":"meet","url":%q}`, meeting)
				r := send(http.DefaultClient, http.MethodPut, f.url+f.path+"/run", body)
				if r.body != fmt.Sprintf(`[%s,200]`, untouched) {
					t.Errorf("one of %d calls: %v", n, r)
				}
			})
		}
		all.Wait()
	}
}
