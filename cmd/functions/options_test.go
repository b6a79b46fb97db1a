package main

import (
	"net/http"
	"strings"
	"testing"
)

// TestOptionsOfFunctionsHold runs what each option of a function changes, on every runtime of one server.
func TestOptionsOfFunctionsHold(t *testing.T) {
	s := startServer(t, runtimesVariable(t), "CODE_SYNC_TIMEOUT=5s", "CODE_ASYNC_TIMEOUT=1m",
		"FUNCTION_SYNC_TIMEOUT_MAX=10s", "FUNCTION_TIMEOUT_MAX=2m", "FUNCTION_MEMORY_MAX=256mb", "BODY_PARSER_LIMIT=100kb")
	for _, name := range runtimes {
		for what, check := range map[string]func(t *testing.T, url, runtime string){
			"timeouts": timeoutsHold,
			"limits":   limitsHold,
			"bodies":   bodiesArrive,
			"bytes":    bytesAreAnswered,
			"streams":  streamsReachTheirCaller,
		} {
			t.Run(what+"/"+name, func(t *testing.T) {
				check(t, s.url+"/functions/"+what+"/"+name, `"runtime":"`+name+`"`)
			})
		}
	}
	status, answer := request(t, "PUT", s.url+"/functions/limits/large", `{"code":"function main() {}","memory":"1gb"}`)
	if status != http.StatusBadRequest || !strings.Contains(answer, "which is FUNCTION_MEMORY_MAX of this server") {
		t.Errorf("more memory than workers have: %d %s", status, answer)
	}
	status, answer = request(t, "PUT", s.url+"/functions/timeouts/long", `{"code":"function main() {}","timeout":"121s"}`)
	const want = `"instance.timeout must be at most 2m, which is FUNCTION_TIMEOUT_MAX of this server"`
	if status != http.StatusBadRequest || !strings.Contains(answer, want) {
		t.Errorf("a timeout beyond the bound: %d %s", status, answer)
	}
}

func timeoutsHold(t *testing.T, url, runtime string) {
	const waits, computes = `function main(req, res) {}`, `function main(req, res) { for (;;) ; }`
	put(t, url, waits, runtime+`,"timeout":"50ms"`)
	if status, answer := request(t, "PUT", url+"/run", `{}`); status != http.StatusRequestTimeout {
		t.Errorf("a main that never answers: %d %s", status, answer)
	}
	put(t, url, computes, `"timeout":"","syncTimeout":"500ms"`)
	status, answer := request(t, "PUT", url+"/run", `{}`)
	if status != http.StatusInternalServerError || !strings.Contains(answer, "Script execution timed out.") {
		t.Errorf("a main that never returns: %d %s", status, answer)
	}
	status, answer = request(t, "PUT", url, `{"code":"for (;;) ; function main() {}"}`)
	if status != http.StatusBadRequest || !strings.Contains(answer, "Script execution timed out.") {
		t.Errorf("code that never returns: %d %s", status, answer)
	}
	if status, answer := request(t, "GET", url, ""); status != http.StatusOK ||
		!strings.Contains(answer, `"timeout":"","syncTimeout":"500ms"`) {
		t.Errorf("GET shows %d %s", status, answer)
	}
}

// limitsHold has calls use memory, with limits above what they use and below it, and above the server's own.
func limitsHold(t *testing.T, url, runtime string) {
	const holds = `function main(req, res) {
  const held = []
  for (let i = 0; i < req.body.mb; i++) held.push(Buffer.alloc(1 << 20, 1))
  res.send(held.length)
}`
	for _, row := range []struct{ memory, mb, want string }{
		{"", "40", "40"},
		{"100mb", "40", "40"},
		{"32mb", "40", "memory limit (its own memory, 32mb)"},
		{"", "150", "memory limit (WORKER_MEMORY_LIMIT)"},
		{"250mb", "150", "150"},
	} {
		put(t, url, holds, runtime+`,"cpu":0.9,"memory":"`+row.memory+`"`)
		if status, answer := request(t, "PUT", url+"/run", `{"mb":`+row.mb+`}`); !strings.Contains(answer, row.want) {
			t.Errorf("%s MB with %q of memory: %d %s, want %s", row.mb, row.memory, status, answer, row.want)
		}
	}
	put(t, url, `function main(req, res) { res.send(7) }`, runtime)
	for range 3 {
		if status, answer := request(t, "PUT", url+"/run", `{}`); status != http.StatusOK || answer != "7" {
			t.Errorf("a small function: %d %s", status, answer)
		}
	}
	if status, answer := request(t, "GET", url, ""); status != http.StatusOK ||
		!strings.Contains(answer, `"cpu":0.9`) {
		t.Errorf("GET shows %d %s", status, answer)
	}
}
