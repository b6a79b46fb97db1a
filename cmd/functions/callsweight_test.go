package main

import (
	"fmt"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// groupWeights counts the cgroups of the server's workers by what they weigh, in cpu.shares or cpu.weight.
func (s *server) groupWeights(t *testing.T) map[string]int {
	t.Helper()
	found := map[string]int{}
	err := filepath.WalkDir("/sys/fs/cgroup", func(path string, _ fs.DirEntry, err error) error {
		file := filepath.Base(path)
		ours := strings.Contains(path, fmt.Sprintf("-%d-", s.pid())) &&
			strings.HasPrefix(filepath.Base(filepath.Dir(path)), "slot-")
		if err == nil && ours && (file == "cpu.shares" || file == "cpu.weight") {
			used, _ := os.ReadFile(filepath.Join(filepath.Dir(path), "cgroup.procs")) // one without a worker counts for nobody
			if text, err := os.ReadFile(path); err == nil && len(used) > 0 {
				found[strings.TrimSpace(string(text))]++
			}
		}
		return nil // a group that has gone is as good
	})
	if err != nil {
		t.Error(err)
	}
	return found
}

// behind is how many of them are of workers that give way, whole how many of others.
func (s *server) behind(t *testing.T) (behind, whole int) {
	t.Helper()
	all := s.groupWeights(t)
	return all["128"] + all["78"], all["16384"] + all["10000"]
}

// TestANestedCallGivesWayAsItsCallerDoes has a function call another one, which waits, and looks at what both weigh: in
// a queued call little, in one whose caller waits all. A machine that is very busy has a call that starves weigh all,
// too: so the queued one is made until it does not.
func TestANestedCallGivesWayAsItsCallerDoes(t *testing.T) {
	reached, leave := make(chan struct{}), make(chan struct{})
	outside := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {
		reached <- struct{}{}
		<-leave
	}))
	t.Cleanup(outside.Close)
	s := startServer(t, runtimesVariable(t), "STORAGE=inmemory", "POOL_SIZE=8", "POOL_PREWARMED=0",
		"CODE_ASYNC_TIMEOUT=10m", "CODE_SYNC_TIMEOUT=1m", "EGRESS_ALLOW=127.0.0.1", "WORKER_MAX_INVOCATIONS=1")
	for _, name := range runtimes {
		t.Run(name, func(t *testing.T) {
			option := `"runtime":"` + name + `"`
			put(t, s.url+"/functions/"+name+"/outer", callOther, option)
			put(t, s.url+"/functions/"+name+"/inner",
				`function main(req, res) { require('request')('`+outside.URL+`', () => res.send('inner')) }`, option)
			outer := s.url + "/functions/" + name + "/outer/run"
			body := fmt.Sprintf(`{"url":"%s/functions/%s/inner/run"}`, s.url, name)
			waits := make(chan reply, 1)
			go func() { waits <- send(http.DefaultClient, http.MethodPut, outer, body) }()
			<-reached
			eventually(t, "neither to give way", func() bool { // and workers before to be gone
				behind, whole := s.behind(t)
				return behind == 0 && whole >= 2
			})
			leave <- struct{}{}
			if r := <-waits; r.status != http.StatusOK {
				t.Fatalf("got %v", r)
			}
			eventually(t, "both calls to give way", func() bool {
				at := callAsync(outer, body)
				<-reached
				behind, _ := s.behind(t)
				leave <- struct{}{}
				r := send(http.DefaultClient, "GET", s.url+at+"?wait=60", "")
				if !strings.Contains(r.body, `"succeeded"`) {
					t.Fatalf("the queued call: %v", r)
				}
				return behind == 2
			})
		})
	}
}

// TestQueuedCallsRunWithoutIsolation: there are no groups, and nothing to weigh.
func TestQueuedCallsRunWithoutIsolation(t *testing.T) {
	s := startServer(t, runtimesVariable(t), "STORAGE=inmemory", "ISOLATION=none", "CODE_SYNC_TIMEOUT=10s")
	for _, name := range runtimes {
		t.Run(name, func(t *testing.T) {
			put(t, s.url+"/functions/"+name+"/f", `function main(req, res) {
				for (const end = Date.now() + 300; Date.now() < end;);
				res.send(req.body)
			}`, `"runtime":"`+name+`"`)
			var all []string
			for range 4 {
				all = append(all, callAsync(s.url+"/functions/"+name+"/f/run", `{"a":1}`))
			}
			for _, at := range all {
				eventually(t, "the end of a queued call", func() bool {
					return strings.Contains(send(http.DefaultClient, "GET", s.url+at+"?wait=10", "").body, `"succeeded"`)
				})
				r := send(http.DefaultClient, "GET", s.url+at+"/result", "")
				if r.status != http.StatusOK || r.body != `{"a":1}` {
					t.Errorf("the answer of a queued call: %v", r)
				}
			}
			if behind, whole := s.behind(t); behind+whole != 0 {
				t.Errorf("%d and %d groups", behind, whole)
			}
		})
	}
}
