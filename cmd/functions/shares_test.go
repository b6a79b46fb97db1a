package main

import (
	"fmt"
	"net/http"
	"sync"
	"sync/atomic"
	"testing"
)

// Whatever one namespace does to hold workers, another has its call answered while all of that still goes on.
func TestNamespaceThatHoldsWorkersLeavesOthersTheirs(t *testing.T) {
	for _, row := range []struct{ name, code string }{
		{"calls that are never answered", `function main() {}`},
		{"calls that burn a processor", `function main() { setTimeout(() => { for (;;); }, 1) }`},
	} {
		t.Run(row.name, func(t *testing.T) {
			s := startServer(t, "POOL_SIZE=4", "CODE_ASYNC_TIMEOUT=10m", "QUEUE_TIMEOUT=10m", "SHUTDOWN_TIMEOUT=1ms")
			const answer = `function main(req, res) { res.send('here') }`
			put(t, s.url+"/functions/quiet/f", answer, "")
			var ended atomic.Int32
			var all sync.WaitGroup
			for i := range 4 {
				put(t, fmt.Sprintf("%s/functions/greedy/f%d", s.url, i), row.code, "")
			}
			for i := range 16 {
				all.Go(func() {
					send(http.DefaultClient, http.MethodPut, fmt.Sprintf("%s/functions/greedy/f%d/run", s.url, i%4), "{}")
					ended.Add(1)
				})
			}
			s.awaitMetric(t, "functions_queue_length 13")
			for range 20 {
				if status, body := request(t, http.MethodPut, s.url+"/functions/quiet/f/run", "{}"); status != http.StatusOK || body != `"here"` {
					t.Errorf("the neighbour's call: %d %s", status, body)
				}
			}
			put(t, s.url+"/functions/new/f", answer, "")
			if status, body := request(t, http.MethodPut, s.url+"/functions/new/f/run", "{}"); status != http.StatusOK {
				t.Errorf("the first call of a new namespace: %d %s", status, body)
			}
			if n := ended.Load(); n > 0 {
				t.Errorf("%d calls of the greedy namespace ended meanwhile", n)
			}
			s.stop(t)
			all.Wait()
		})
	}
}
