package main

import (
	"bufio"
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	"github.com/backstage/functions/internal/testenv"
)

// keptLine is a line of output as the server serves it.
type keptLine struct{ ID, RequestID, Level, Message string }

func parseKept(t *testing.T, text string) (line keptLine) {
	t.Helper()
	if err := json.Unmarshal([]byte(text), &line); err != nil || line.ID == "" {
		t.Fatalf("%v: %s", err, text)
	}
	return line
}

// events follows the output of a function.
type events struct{ lines *bufio.Reader }

// follow returns when the server sends events.
func (s *server) follow(t *testing.T, path string) *events {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, s.url+path+"/logs?follow=1", nil)
	if err != nil {
		t.Fatal(err)
	}
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = answer.Body.Close() })
	if answer.StatusCode != http.StatusOK {
		t.Fatalf("follow %s: %d", path, answer.StatusCode)
	}
	return &events{bufio.NewReader(answer.Body)}
}

// next returns the next line that the function printed.
func (e *events) next(t *testing.T) keptLine {
	t.Helper()
	for {
		text, err := e.lines.ReadString('\n')
		if err != nil {
			t.Fatalf("the stream ended: %v", err)
		}
		if data, ok := strings.CutPrefix(text, "data: "); ok {
			return parseKept(t, data)
		}
	}
}

func (e *events) want(t *testing.T, lines ...keptLine) (last string) {
	t.Helper()
	for _, want := range lines {
		got := e.next(t)
		last, got.ID = got.ID, ""
		if got != want {
			t.Errorf("followed %+v, want %+v", got, want)
		}
	}
	return last
}

// kept reads the output of a function back.
func (s *server) kept(t *testing.T, path string) (lines []keptLine) {
	t.Helper()
	answer, body := s.request(t, http.MethodGet, path, "")
	if answer.StatusCode != http.StatusOK {
		t.Fatalf("%s: %d %s", path, answer.StatusCode, body)
	}
	for text := range strings.Lines(body) {
		lines = append(lines, parseKept(t, text))
	}
	return lines
}

const (
	printing = `console.log('top')
function main(req, res) { console.log('x\x1b[2J\rerror: forged'); console.error('two\nlines'); res.send({}) }`
	throwing = `function main(req, res) { console.warn('soon'); throw new TypeError('broken') }`
)

// printedBy are the lines of one call of printing.
func printedBy(call string) []keptLine {
	return []keptLine{
		{"", call, "info", "top"},
		{"", call, "info", "x\x1b[2J\rerror: forged"},
		{"", call, "error", "two"},
		{"", call, "error", "lines"},
	}
}

func TestOutputIsFollowedAndReadBack(t *testing.T) {
	onEveryStore(t, func(t *testing.T, storage string) {
		s := startServer(t, storage)
		put(t, s.url+"/functions/logs/printing", printing, "")
		put(t, s.url+"/functions/logs/throwing", throwing, "")
		printed, thrown := s.follow(t, "/functions/logs/printing"), s.follow(t, "/functions/logs/throwing")

		s.request(t, "PUT", "/functions/logs/printing/run", "{}", "X-Request-Id", "call-1")
		last := printed.want(t, printedBy("call-1")...)
		s.request(t, "PUT", "/functions/pipeline?steps[]=logs/printing&steps[]=logs/throwing", "{}", "X-Request-Id", "call-2")
		printed.want(t, printedBy("call-2")...)
		thrown.want(t, keptLine{"", "call-2", "error", "soon"})
		if line := thrown.next(t); line.RequestID != "call-2" || !strings.HasPrefix(line.Message, "Failed to run function: broken, ") {
			t.Errorf("followed %+v", line)
		}

		if lines := s.kept(t, "/functions/logs/printing/logs"); len(lines) != 8 || lines[7].Message != "lines" {
			t.Errorf("kept %v", lines)
		}
		if lines := s.kept(t, "/functions/logs/printing/logs?tail=5"); len(lines) != 5 || lines[0].RequestID != "call-1" {
			t.Errorf("the last five are %v", lines)
		}
		if lines := s.kept(t, "/functions/logs/printing/logs?since="+last); len(lines) != 4 || lines[0].RequestID != "call-2" {
			t.Errorf("after the first call %v", lines)
		}
		s.request(t, "DELETE", "/functions/logs/printing", "")
		if answer, body := s.request(t, "GET", "/functions/logs/printing/logs", ""); answer.StatusCode != http.StatusNotFound {
			t.Errorf("after the deletion: %d %s", answer.StatusCode, body)
		}
		put(t, s.url+"/functions/logs/printing", printing, "")
		if lines := s.kept(t, "/functions/logs/printing/logs"); len(lines) != 0 {
			t.Errorf("kept over the deletion: %v", lines)
		}
		s.stop(t) // while there are followers
	})
}

func TestOutputOfOneServerIsFollowedThroughAnother(t *testing.T) {
	endpoint := "REDIS_ENDPOINT=redis://" + testenv.Redis(t).Addr
	a, b := startServer(t, endpoint), startServer(t, endpoint)
	put(t, a.url+"/functions/logs/printing", printing, "")
	followed := b.follow(t, "/functions/logs/printing")
	for _, call := range []string{"call-1", "call-2"} {
		a.request(t, "PUT", "/functions/logs/printing/run", "{}", "X-Request-Id", call)
		followed.want(t, printedBy(call)...)
	}
	if lines := b.kept(t, "/functions/logs/printing/logs"); len(lines) != 8 {
		t.Errorf("kept %v", lines)
	}
}

func TestKeptOutputIsBounded(t *testing.T) {
	s := startServer(t, "FUNCTION_LOGS_KEPT=10", "FUNCTION_LOGS_MAX_LINE=64")
	put(t, s.url+"/functions/logs/much", `function main(req, res) {
  console.log('x'.repeat(100))
  for (let i = 0; i < req.body.lines; i++) console.log(i)
  if (req.body.over) console.log('x'.repeat(300000))
  res.send({})
}`, "")
	followed := s.follow(t, "/functions/logs/much")
	s.request(t, "PUT", "/functions/logs/much/run", `{"over":true}`)
	if line := followed.next(t); line.Message != strings.Repeat("x", 64)+"[line truncated]" {
		t.Errorf("a long line is kept as %q", line.Message)
	}
	if line := followed.next(t); line.Message != "[output truncated]" {
		t.Errorf("too much output ends with %q", line.Message)
	}
	s.request(t, "PUT", "/functions/logs/much/run", `{"lines":200}`)
	for followed.next(t).Message != "199" {
	}
	if lines := s.kept(t, "/functions/logs/much/logs"); len(lines) != 10 || lines[0].Message != "190" || lines[9].Message != "199" {
		t.Errorf("kept %v", lines)
	}
	if answer, body := s.request(t, "GET", "/functions/logs/much/logs?tail=all", ""); answer.StatusCode != http.StatusBadRequest {
		t.Errorf("answered %d %s", answer.StatusCode, body)
	}
}

func TestOutputIsNotKeptWhenThatIsOff(t *testing.T) {
	s := startServer(t, "FUNCTION_LOGS_KEPT=0")
	put(t, s.url+"/functions/logs/printing", printing, "")
	s.request(t, "PUT", "/functions/logs/printing/run", "{}", "X-Request-Id", "call-1")
	answer, body := s.request(t, "GET", "/functions/logs/printing/logs", "")
	if want := `{"error":"Output of functions is not kept: FUNCTION_LOGS_KEPT is 0"}`; answer.StatusCode != http.StatusNotFound || body != want {
		t.Errorf("answered %d %s", answer.StatusCode, body)
	}
	s.stop(t)
	if !strings.Contains(s.logs.text(), "info: [namespace:logs, id:printing] top") {
		t.Errorf("the log has no line of the call:\n%s", s.logs.text())
	}
}

func TestCallsGoOnWhileTheirOutputCannotBeKept(t *testing.T) {
	redis := testenv.Redis(t)
	s := startServer(t, "REDIS_ENDPOINT=redis://"+redis.Addr)
	put(t, s.url+"/functions/logs/printing", printing, "")
	followed := s.follow(t, "/functions/logs/printing")
	s.request(t, "PUT", "/functions/logs/printing/run", "{}", "X-Request-Id", "call-1")
	followed.want(t, printedBy("call-1")...)

	redis.Stop()
	if answer, body := s.request(t, "PUT", "/functions/logs/printing/run", "{}", "X-Request-Id", "call-2"); answer.StatusCode != http.StatusOK {
		t.Fatalf("answered %d %s", answer.StatusCode, body)
	}
	s.logs.await(t, `(Output of functions cannot be kept)`)
	// Those of the first call are lost too if Redis stopped before it said that it keeps them.
	eventually(t, "lost lines", func() bool { return s.metric(t, `functions_log_lines_dropped_total{stream="kept"}`) >= 4 })
	for text := ""; text != "event: failure\n"; {
		var err error
		if text, err = followed.lines.ReadString('\n'); err != nil {
			t.Fatalf("the stream ended: %v", err)
		}
	}
	redis.Start()
	put(t, s.url+"/functions/logs/printing", printing, "")
	s.request(t, "PUT", "/functions/logs/printing/run", "{}", "X-Request-Id", "call-3")
	followed = s.follow(t, "/functions/logs/printing")
	for _, want := range printedBy("call-3") {
		got := followed.next(t)
		for got.RequestID == "call-2" { // they are kept if only those of the first call were lost
			got = followed.next(t)
		}
		if got.ID = ""; got != want {
			t.Errorf("followed %+v, want %+v", got, want)
		}
	}
}
