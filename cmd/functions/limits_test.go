package main

import (
	"encoding/json"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/backstage/functions/internal/testenv"
)

// hammer has callers of each server call path until the server has refused some in a row, and returns how many calls
// were answered 200. All others must be answered 429 for that reason.
func hammer(t *testing.T, path, reason string, servers ...*server) int {
	t.Helper()
	var ok atomic.Int64
	var calling sync.WaitGroup
	for _, s := range servers {
		for range 2 {
			calling.Go(func() {
				for refused := 0; refused < 20; {
					r := send(http.DefaultClient, "PUT", s.url+path, "{}")
					switch {
					case r.err != nil:
						t.Error(r.err)
						return
					case r.status == http.StatusOK:
						ok.Add(1)
						refused = 0
					case r.status == http.StatusTooManyRequests && strings.Contains(r.body, `"reason":"`+reason+`"`):
						refused++
					default:
						t.Errorf("answered %d %s", r.status, r.body)
						return
					}
				}
			})
		}
	}
	calling.Wait()
	return int(ok.Load())
}

func limit(t *testing.T, s *server, namespace, body string) {
	t.Helper()
	if status, answer := request(t, "PUT", s.url+"/namespaces/"+namespace+"/limits", body); status != http.StatusOK {
		t.Fatal(answer)
	}
}

// usageOf is how many calls a namespace has had today and yesterday.
func usageOf(t *testing.T, s *server, namespace string) int {
	t.Helper()
	from := time.Now().UTC().Add(-24 * time.Hour).Format(time.DateOnly)
	status, answer := request(t, "GET", s.url+"/namespaces/"+namespace+"/usage?by=day&from="+from, "")
	var found struct{ Total struct{ Calls int } }
	if err := json.Unmarshal([]byte(answer), &found); err != nil || status != http.StatusOK {
		t.Fatalf("%d %s", status, answer)
	}
	return found.Total.Calls
}

// Three servers on one Redis, which goes away.
func TestServersOnOneRedisShareLimits(t *testing.T) {
	redis := testenv.Redis(t)
	var servers []*server
	for range 3 {
		servers = append(servers, startServer(t, "REDIS_ENDPOINT=redis://"+redis.Addr, "POOL_SIZE=4"))
	}
	for _, namespace := range []string{"rated", "quota", "cut", "free"} {
		put(t, servers[0].url+"/functions/"+namespace+"/f", `function main(req, res) { res.send(1) }`, "")
	}
	for _, s := range servers {
		s.awaitMetric(t, "functions_limits_servers 3")
	}
	limit(t, servers[0], "rated", `{"rate":"300/h"}`)
	limit(t, servers[0], "quota", `{"quotas":{"calls":300}}`)
	limit(t, servers[0], "cut", `{"rate":"300/h"}`)
	start := time.Now()
	got := hammer(t, "/functions/rated/f/run", "rate_limit", servers...)
	came := int(time.Since(start)/(12*time.Second)) + 1
	t.Logf("%d calls within a rate of 300", got)
	if got < 285 || got > 300+came {
		t.Errorf("%d calls within a rate of 300 and %d that came", got, came)
	}
	used := hammer(t, "/functions/quota/f/run", "quota", servers...)
	t.Logf("%d calls within a quota of 300", used)
	if used < 300 || used > 330 {
		t.Errorf("%d calls within a quota of 300", used)
	}
	eventually(t, "usage of all servers to add up", func() bool {
		return usageOf(t, servers[1], "quota") == used && usageOf(t, servers[2], "rated") == got
	})
	for range 30 {
		request(t, "PUT", servers[0].url+"/functions/cut/f/run", "{}")
	}
	for _, s := range servers { // has it in memory
		request(t, "PUT", s.url+"/functions/cut/f/run", "{}")
		request(t, "PUT", s.url+"/functions/free/f/run", "{}")
	}
	redis.Stop()
	start = time.Now()
	for i, s := range servers {
		alone := hammer(t, "/functions/cut/f/run", "rate_limit", s)
		came := int(time.Since(start)/(36*time.Second)) + 1
		t.Logf("server %d let %d calls begin without Redis", i, alone)
		if alone == 0 || alone > 15+came {
			t.Errorf("server %d let %d calls begin without Redis", i, alone)
		}
		if status, answer := request(t, "PUT", s.url+"/functions/free/f/run", "{}"); status != http.StatusOK {
			t.Errorf("a namespace without limits: %d %s", status, answer)
		}
	}
}

func TestLimitsHoldOnEveryStore(t *testing.T) {
	onEveryStore(t, func(t *testing.T, storage string) {
		s, admin := adminOf(t, storage, `QUOTAS_KEY={"calls":40}`)
		code := deployment(`function main(req, res) { res.send(1) }`, `"rate":"3/h"`)
		for path, code := range map[string]string{
			"/functions/a/rated": code, "/functions/a/f": deployment(`function main(req, res) { res.send(1) }`, ""),
			"/functions/b/f": deployment(`function main(req, res) { res.send(1) }`, ""),
		} {
			if status, answer := as(t, admin, "PUT", s.url+path, code); status != http.StatusOK {
				t.Fatal(answer)
			}
		}
		if status, answer := as(t, admin, "PUT", s.url+"/namespaces/b/limits", `{"rate":"5/h"}`); status != http.StatusOK {
			t.Fatal(answer)
		}
		_, rated := newKey(t, admin, s.url, `{"role":"invoke","namespaces":["a"],"rate":"7/h"}`)
		_, other := newKey(t, admin, s.url, `{"role":"invoke","namespaces":["*"]}`)
		for _, row := range []struct {
			key, path, reason string
			want              int
		}{
			{rated, "/functions/a/f/run", "rate_limit", 7},
			{other, "/functions/a/rated/run", "rate_limit", 3},
			{other, "/functions/b/f/run", "rate_limit", 5},
			{other, "/functions/pipeline?steps[]=a/f&steps[]=a/f", "quota", 16}, // two calls each of the 32 that are left
		} {
			for i := range row.want {
				if status, answer := as(t, row.key, "PUT", s.url+row.path, "{}"); status != http.StatusOK {
					t.Fatalf("%s: call %d: %d %s", row.path, i, status, answer)
				}
			}
			status, answer := as(t, row.key, "PUT", s.url+row.path, "{}")
			if status != http.StatusTooManyRequests || !strings.Contains(answer, `"reason":"`+row.reason+`"`) {
				t.Errorf("%s beyond its limit: %d %s", row.path, status, answer)
			}
		}
		s.terminate() // sends the usage
	})
}

// What was used is known after the server has ended, however it was stored.
func TestUsageOutlivesTheServer(t *testing.T) {
	for name, storage := range map[string]string{
		"embedded": "DATA_DIR=" + t.TempDir(), "redis": "REDIS_ENDPOINT=redis://" + testenv.Redis(t).Addr,
	} {
		t.Run(name, func(t *testing.T) {
			s := startServer(t, storage)
			put(t, s.url+"/functions/used/f", `function main(req, res) { for (let i = 0; i < 1e6; i++) {} res.send(1) }`, "")
			for range 5 {
				if status, answer := request(t, "PUT", s.url+"/functions/used/f/run", "{}"); status != http.StatusOK {
					t.Fatal(answer)
				}
			}
			s.stop(t)
			again := startServer(t, storage)
			if got := usageOf(t, again, "used"); got != 5 {
				t.Errorf("%d calls are known", got)
			}
			_, answer := request(t, "GET", again.url+"/namespaces/used/usage?from=2020-01-01&by=day", "")
			if strings.Contains(answer, `"cpuSeconds":0,`) || strings.Contains(answer, `"gbSeconds":0,`) {
				t.Errorf("no processors or memory: %s", answer)
			}
		})
	}
}
