package main

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"github.com/backstage/functions/internal/testenv"
)

// queuedSteps is the record of a pipeline, as far as the tests look at it.
type queuedSteps struct {
	Status string `json:"status"`
	Steps  []struct {
		Function string `json:"function"`
		Status   string `json:"status"`
		Attempts []struct {
			Status   int    `json:"status"`
			Reason   string `json:"reason"`
			Error    string `json:"error"`
			Revision string `json:"revision"`
		} `json:"attempts"`
	} `json:"steps"`
}

// stepsOf waits for the end of a pipeline.
func stepsOf(t *testing.T, s *server, at string) (c queuedSteps) {
	t.Helper()
	eventually(t, "the end of "+at, func() bool {
		r := send(http.DefaultClient, "GET", s.url+at+"?wait=10", "")
		return r.status == http.StatusOK && json.Unmarshal([]byte(r.body), &c) == nil && c.Status != "queued" && c.Status != "running"
	})
	return c
}

// counted is what functions reach outside: it counts requests, and lets those of /two wait until it is opened.
type counted struct {
	*httptest.Server
	open chan struct{}

	mu   sync.Mutex // guards hits
	hits map[string]int
}

func newCounted(t *testing.T) *counted {
	t.Helper()
	c := &counted{open: make(chan struct{}), hits: map[string]int{}}
	c.Server = httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		c.mu.Lock()
		c.hits[r.URL.String()]++
		c.mu.Unlock()
		if r.URL.Path == "/two" {
			select {
			case <-c.open:
			case <-r.Context().Done():
			}
		}
	}))
	t.Cleanup(c.Close)
	return c
}

// of is how many requests came to that address.
func (c *counted) of(address string) int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.hits[address]
}

// TestAKilledServersPipelineGoesOnWithItsStep kills servers (SIGKILL) while the second steps of pipelines run. Each
// pipeline that was accepted succeeds, and its first step has run once.
func TestAKilledServersPipelineGoesOnWithItsStep(t *testing.T) {
	const pipelines = 1 // more would wait for each other on a machine with few processors
	redis := testenv.Redis(t, "--appendonly", "yes", "--appendfsync", "always")
	for store, row := range map[string]struct {
		vars    []string
		servers int
	}{
		"embedded": {[]string{"DATA_DIR=" + t.TempDir()}, 1},
		"redis":    {[]string{"REDIS_ENDPOINT=redis://" + redis.Addr}, 3},
	} {
		t.Run(store, func(t *testing.T) {
			outside := newCounted(t)
			host := outside.Listener.Addr().String()
			start := func() *server {
				s := startServer(t, append(row.vars, "CALLS_LEASE=2s", "POOL_SIZE=8", "POOL_ACTIVE=8", "EGRESS_ALLOW="+host)...)
				s.discardLogs()
				return s
			}
			var servers []*server
			for range row.servers {
				servers = append(servers, start())
			}
			for _, step := range []string{"one", "two", "three"} {
				put(t, servers[0].url+"/functions/"+step+"/f", `function main(req, res) {
					require('request')(req.body.at + '/`+step+`?n=' + req.body.n, function (error) {
						if (error) throw error
						res.send({ at: req.body.at, n: req.body.n, last: '`+step+`' })
					})
				}`, `"retries":{"attempts":100,"backoff":"100ms"}`)
			}
			var all []string
			for n := range pipelines {
				at := callAsync(servers[n%row.servers].url+"/functions/pipeline?steps[0]=one/f&steps[1]=two/f&steps[2]=three/f",
					fmt.Sprintf(`{"at":"%s","n":%d}`, outside.URL, n))
				if at == "" {
					t.Fatal("a pipeline was not accepted")
				}
				all = append(all, at)
			}
			for n := range pipelines {
				eventually(t, "the second steps to run", func() bool { return outside.of(fmt.Sprint("/two?n=", n)) > 0 })
			}
			for _, s := range servers {
				s.kill(t)
			}
			close(outside.open)
			after := start()
			for n, at := range all {
				c := stepsOf(t, after, at)
				if c.Status != "succeeded" || len(c.Steps) != 3 || len(c.Steps[0].Attempts) != 1 || len(c.Steps[2].Attempts) != 1 {
					t.Errorf("pipeline %d is %+v", n, c)
					continue
				}
				second := c.Steps[1].Attempts
				if len(second) < 2 || second[0].Reason != "lease_lost" || second[len(second)-1].Status != 200 {
					t.Errorf("its second step is %+v", second)
				}
				want := fmt.Sprintf(`{"at":"%s","n":%d,"last":"three"}`, outside.URL, n)
				if r := send(http.DefaultClient, "GET", after.url+at+"/result", ""); r.body != want {
					t.Errorf("pipeline %d is answered %s", n, r)
				}
				if one, two := outside.of(fmt.Sprint("/one?n=", n)), outside.of(fmt.Sprint("/two?n=", n)); one != 1 || two < 2 {
					t.Errorf("of pipeline %d the first step has run %d times, the second %d times", n, one, two)
				}
			}
		})
	}
}

// TestAsynchronousPipelinesAnswerAsOthers has each runtime make bytes, take them and end a pipeline, at once and queued.
func TestAsynchronousPipelinesAnswerAsOthers(t *testing.T) {
	s := startServer(t, runtimesVariable(t))
	for _, runtime := range runtimes {
		url, option := s.url+"/functions/"+runtime+"/", `"runtime":"`+runtime+`"`
		put(t, url+"bytes", `function main(req, res) { res.set('Content-Type', 'image/png'); res.end(Buffer.from([137, req.body.n])) }`, option+`,"body":"auto"`)
		put(t, url+"same", `function main(req, res) { res.notModified() }`, option+`,"body":"auto"`)
		put(t, url+"takes", `function main(req, res) {
			res.send({ type: req.headers['content-type'], bytes: req.rawBody.toString('hex'), id: Backstage.invocation && Backstage.invocation.id })
		}`, option+`,"body":"raw"`)
		put(t, url+"ends", `function main(req, res) { res.status(404); res.send({ got: req.body.type }) }`, option)
		put(t, url+"throws", `function main(req, res) { throw new Error('no ' + req.body.type) }`, option+`,"retries":{"attempts":2,"backoff":"1ms"}`)
		path := func(steps ...string) string {
			query := ""
			for i, step := range steps {
				query += fmt.Sprintf("&steps[%d]=%s/%s", i, runtime, step)
			}
			return s.url + "/functions/pipeline?" + query[1:]
		}
		for _, steps := range [][]string{{"bytes"}, {"bytes", "same"}, {"bytes", "takes", "ends", "throws"}} {
			at := callAsync(path(steps...), `{"n":7}`)
			c := stepsOf(t, s, at)
			queued := send(http.DefaultClient, "GET", s.url+at+"/result", "")
			at1 := send(http.DefaultClient, "PUT", path(steps...), `{"n":7}`)
			if c.Status != "succeeded" || queued.status != at1.status || queued.body != at1.body {
				t.Errorf("%s: %v is answered %s, and queued %s: %+v", runtime, steps, at1, queued, c)
			}
		}
		at := callAsync(path("bytes", "takes", "throws"), `{"n":7}`)
		c := stepsOf(t, s, at)
		if c.Status != "dead" || len(c.Steps) != 3 || len(c.Steps[2].Attempts) != 2 || c.Steps[2].Attempts[1].Error != "no image/png" ||
			c.Steps[0].Attempts[0].Revision == "" {
			t.Errorf("%s: %+v", runtime, c)
		}
		put(t, url+"throws", `function main(req, res) { res.send(req.body) }`, option)
		if r := send(http.DefaultClient, "POST", s.url+at+"/redrive", ""); r.status != http.StatusAccepted {
			t.Errorf("%s: %s", runtime, r)
		}
		if c = stepsOf(t, s, at); c.Status != "succeeded" || len(c.Steps[0].Attempts) != 1 || len(c.Steps[2].Attempts) != 3 {
			t.Errorf("%s: redriven: %+v", runtime, c)
		}
		id := at[strings.LastIndex(at, "/")+1:]
		want := `{"type":"image/png","bytes":"8907","id":"` + id + `.2"}`
		if r := send(http.DefaultClient, "GET", s.url+at+"/result", ""); r.body != want {
			t.Errorf("%s: answered %s, want %s", runtime, r, want)
		}
	}
}
