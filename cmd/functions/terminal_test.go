package main

import (
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"testing"
)

// startUnread starts a server with a pipe as standard output of which only what it says at its start is read, and returns the pipe's end.
func startUnread(t *testing.T, vars ...string) (*server, *os.File) {
	t.Helper()
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = r.Close() })
	cmd := exec.Command(os.Args[0])
	cmd.Env, cmd.Stdout = serverEnv(t, vars...), w
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	_ = w.Close() // the server has it
	t.Cleanup(func() { _ = cmd.Process.Kill() })
	s := &server{cmd: cmd}
	text := readUntil(t, r, "Deploy a function")
	s.url = "http://127.0.0.1:" + firstMatch(t, text, `Functions is listening on port (\d+)`)
	s.metrics = "http://127.0.0.1:" + firstMatch(t, text, `Functions metrics is listening on port (\d+)`)
	return s, r
}

// readUntil reads until word is there, and not much more, and returns all that it read.
func readUntil(t *testing.T, r io.Reader, word string) string {
	t.Helper()
	var text strings.Builder
	piece := make([]byte, 1<<20)
	for tail := ""; !strings.Contains(tail, word); {
		n, err := r.Read(piece)
		if err != nil {
			t.Fatalf("%v before %q; read %s", err, word, text.String())
		}
		text.Write(piece[:n])
		tail = tail[max(0, len(tail)-len(word)):] + string(piece[:n])
	}
	return text.String()
}

func firstMatch(t *testing.T, text, pattern string) string {
	t.Helper()
	match := regexp.MustCompile(pattern).FindStringSubmatch(text)
	if match == nil {
		t.Fatalf("no %s in %s", pattern, text)
	}
	return match[1]
}

// shout makes a function print until lines of its stream were dropped.
func (s *server) shout(t *testing.T) {
	t.Helper()
	put(t, s.url+"/functions/loud/f", fmt.Sprintf(
		`function main(req, res) { for (let i = 0; i < 10; i++) console.log('%s'); res.send('done') }`, strings.Repeat("x", 50_000)), "")
	none := `functions_log_lines_dropped_total{stream="stdout"} 0`
	for strings.Contains(s.scrape(t), none) {
		if status, answer := request(t, "PUT", s.url+"/functions/loud/f/run", "{}"); status != http.StatusOK || answer != `"done"` {
			t.Fatalf("got %d %s", status, answer)
		}
	}
}

func TestReaderWhoStopsHoldsUpNoRequestAndNotTheEnd(t *testing.T) {
	s, _ := startUnread(t)
	s.shout(t)
	awaitProbe(t, s.url+"/readyz", http.StatusOK)
	for _, path := range []string{"/livez", "/healthcheck", "/functions/loud/f"} {
		if status, answer := request(t, "GET", s.url+path, ""); status != http.StatusOK {
			t.Errorf("%s: %d %s", path, status, answer)
		}
	}
	s.terminate()
	if err := s.cmd.Wait(); err != nil { // nothing was read meanwhile
		t.Errorf("the server ended with %v", err)
	}
}

func TestReaderWhoComesBackIsToldWhatWasDropped(t *testing.T) {
	s, output := startUnread(t)
	s.shout(t)
	told := firstMatch(t, readUntil(t, output, "stream=stdout lines="), `(warn: \[\d+\] Lines were dropped: their reader was too slow or gone)`)
	if told == "" {
		t.Error("the line says nothing")
	}
	rest := make(chan string)
	go func() {
		text, err := io.ReadAll(output)
		if err != nil {
			t.Error(err)
		}
		rest <- string(text)
	}()
	request(t, "GET", s.url+"/functions/loud/after", "")
	s.terminate()
	text := <-rest
	if err := s.cmd.Wait(); err != nil {
		t.Errorf("the server ended with %v", err)
	}
	for _, want := range []string{"GET /functions/loud/after 404", "Functions is stopping"} {
		if !strings.Contains(text, want) {
			t.Errorf("no %s in %s", want, text)
		}
	}
}

func TestReaderWhoLeavesDoesNotEndTheServer(t *testing.T) {
	s, output := startUnread(t)
	if err := output.Close(); err != nil {
		t.Fatal(err)
	}
	for strings.Contains(s.scrape(t), `functions_log_lines_dropped_total{stream="access"} 0`) {
		if status, answer := request(t, "GET", s.url+"/healthcheck", ""); status != http.StatusOK {
			t.Fatalf("got %d %s", status, answer)
		}
	}
	s.terminate()
	if err := s.cmd.Wait(); err != nil {
		t.Errorf("the server ended with %v", err)
	}
}

func TestFatalErrorIsAnObjectWhereTheLogIs(t *testing.T) {
	cmd := exec.Command(os.Args[0])
	cmd.Env = serverEnv(t, "LOG_APP_FORMAT=json", "POOL_SIZE=none")
	out, err := cmd.CombinedOutput()
	if err == nil || !regexp.MustCompile(`^\{"time":"[^"]+","level":"error","message":"POOL_SIZE: .+"\}\n$`).Match(out) {
		t.Errorf("%v: %s", err, out)
	}
}
