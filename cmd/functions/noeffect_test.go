package main

import (
	"net/http"
	"strings"
	"testing"
)

// A line of a deploy belongs to no call, and is kept all the same: its function exists.
func TestOptionsWithoutEffectAreInTheKeptOutput(t *testing.T) {
	onEveryStore(t, func(t *testing.T, storage string) {
		s := startServer(t, storage)
		const path = "/functions/logs/silent"
		put(t, s.url+path, "function main() {}", "")
		deployed := s.follow(t, path)
		s.request(t, http.MethodPut, path, `{"code":"function main() {}","warmup":{},"reuse":"worker"}`,
			"Content-Type", "application/json", "X-Request-Id", "put-1")
		line := deployed.next(t)
		if line.RequestID != "put-1" || line.Level != "error" ||
			!strings.HasPrefix(line.Message, "Deployed, but the option warmup has no effect: ") {
			t.Errorf("followed %+v", line)
		}
	})
}
