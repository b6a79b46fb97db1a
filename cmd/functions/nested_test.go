package main

import (
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"
)

// callOther answers with the status and body of what it calls.
const callOther = `function main(req, res) {
  require('request').put({ url: req.body.url, json: req.body }, (error, r, body) => res.send(error ? error.code : r.statusCode + ' ' + JSON.stringify(body)))
}`

func TestNestedCallsAreServedOrRefusedAtOnce(t *testing.T) {
	s := startServer(t, "POOL_SIZE=4", "EGRESS_ALLOW=127.0.0.1", "CODE_ASYNC_TIMEOUT=10m", "CODE_SYNC_TIMEOUT=1m", "QUEUE_TIMEOUT=10m")
	put(t, s.url+"/functions/a/outer", callOther, "")
	put(t, s.url+"/functions/b/inner", `function main(req, res) { res.send('inner') }`, "")
	var all sync.WaitGroup
	for range 16 {
		all.Go(func() {
			r := send(http.DefaultClient, http.MethodPut, s.url+"/functions/a/outer/run", fmt.Sprintf(`{"url":"%s/functions/b/inner/run"}`, s.url))
			if r.status != http.StatusOK || !strings.Contains(r.body, `200 \"inner\"`) && !strings.Contains(r.body, `508 `) {
				t.Errorf("got %v", r)
			}
		})
	}
	all.Wait()
	// A function that calls itself ends as soon as there is no worker more for it.
	_, answer := request(t, http.MethodPut, s.url+"/functions/a/outer/run", fmt.Sprintf(`{"url":"%s/functions/a/outer/run"}`, s.url))
	if !strings.Contains(answer, "nested_call") {
		t.Errorf("a function that calls itself: %s", answer)
	}
}

func TestNestedCallIsRefusedWhereOnlyItsCallerHasAWorker(t *testing.T) {
	s := startServer(t, "POOL_SIZE=1", "EGRESS_ALLOW=127.0.0.1", "CODE_ASYNC_TIMEOUT=10m", "CODE_SYNC_TIMEOUT=1m", "QUEUE_TIMEOUT=10m")
	put(t, s.url+"/functions/a/outer", callOther, "")
	put(t, s.url+"/functions/b/inner", `function main(req, res) { res.send('inner') }`, "")
	_, answer := request(t, http.MethodPut, s.url+"/functions/a/outer/run", fmt.Sprintf(`{"url":"%s/functions/b/inner/run"}`, s.url))
	if !strings.HasPrefix(answer, `"508 `) || !strings.Contains(answer, "nested_call") {
		t.Errorf("got %s", answer)
	}
	_, answer = request(t, http.MethodPut, s.url+"/functions/a/outer/run", fmt.Sprintf(`{"url":"%s/functions/b/new","code":"1"}`, s.url))
	if !strings.HasPrefix(answer, `"508 `) {
		t.Errorf("a deploy from within a function: %s", answer)
	}
	s.awaitMetric(t, `functions_invocations_refused_total{reason="nested_call"} 2`)
}

func TestNestingIsBounded(t *testing.T) {
	s := startServer(t, "POOL_SIZE=20", "EGRESS_ALLOW=127.0.0.1", "CODE_ASYNC_TIMEOUT=10m", "CODE_SYNC_TIMEOUT=1m")
	put(t, s.url+"/functions/a/outer", callOther, "")
	_, answer := request(t, http.MethodPut, s.url+"/functions/a/outer/run", fmt.Sprintf(`{"url":"%s/functions/a/outer/run"}`, s.url))
	if !strings.Contains(answer, "nested_too_deep") {
		t.Errorf("a function that calls itself: %s", answer)
	}
}
