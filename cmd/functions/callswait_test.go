package main

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"runtime"
	"strings"
	"testing"
)

// TestQueuedCallsThatWaitHoldNoOthersBack has more queued calls than there are processors wait for an answer that does
// not come, of functions that the server does not know yet. One that comes after them runs nevertheless.
func TestQueuedCallsThatWaitHoldNoOthersBack(t *testing.T) {
	open := make(chan struct{})
	outside := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { <-open }))
	t.Cleanup(outside.Close)
	t.Cleanup(func() { close(open) })
	waiting := runtime.GOMAXPROCS(0) + 1
	s := startServer(t, runtimesVariable(t), "POOL_SIZE=64", "POOL_ACTIVE=32", fmt.Sprint("CALLS_WORKERS=", waiting+1),
		"FUNCTION_TIMEOUT_MAX=10m", "EGRESS_ALLOW="+strings.TrimPrefix(outside.URL, "http://"))
	for _, name := range runtimes {
		t.Run(name, func(t *testing.T) {
			url, option := s.url+"/functions/"+name+"/", `"runtime":"`+name+`","timeout":"10m"`
			put(t, url+"waits", `function main(req, res) {
				require('request')('`+outside.URL+`', () => res.send(1))
			}`, option)
			put(t, url+"quick", `function main(req, res) { res.send(1) }`, option)
			var hang []string
			for range waiting {
				hang = append(hang, callAsync(url+"waits/run", "{}"))
			}
			quick := callAsync(url+"quick/run", "{}")
			eventually(t, "the end of a call behind those that wait", func() bool {
				return strings.Contains(send(http.DefaultClient, "GET", s.url+quick+"?wait=10", "").body, `"succeeded"`)
			})
			for _, at := range hang {
				if r := send(http.DefaultClient, "GET", s.url+at, ""); !strings.Contains(r.body, `"running"`) {
					t.Errorf("one that waits: %s", r.body)
				}
				if r := send(http.DefaultClient, "DELETE", s.url+at, ""); r.status >= 300 {
					t.Errorf("cancelled: %v", r)
				}
			}
		})
	}
}
