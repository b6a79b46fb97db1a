package main

import (
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"testing"
	"time"
)

// startBenched starts the server as startServer does, but with its log in a file: nobody has to wake up to read it.
func startBenched(b *testing.B, vars ...string) *server {
	b.Helper()
	s, log := launchBenched(b, vars...)
	s.url, s.metrics = awaitPorts(b, log)
	return s
}

// launchBenched is startBenched without waiting for anything. The log comes in batches.
func launchBenched(b *testing.B, vars ...string) (s *server, logName string) {
	b.Helper()
	log, err := os.Create(filepath.Join(b.TempDir(), "log"))
	if err != nil {
		b.Fatal(err)
	}
	defer log.Close()
	s = &server{cmd: exec.Command(os.Args[0])}
	s.cmd.Env, s.cmd.Stdout, s.cmd.Stderr = serverEnv(b, vars...), log, log
	if err := s.cmd.Start(); err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { s.end(b) })
	return s, log.Name()
}

// end is stop for a server that startBenched has started.
func (s *server) end(b *testing.B) {
	b.Helper()
	if s.cmd.ProcessState != nil {
		return
	}
	s.terminate()
	if err := s.cmd.Wait(); err != nil {
		b.Errorf("the server ended with %v", err)
	}
}

var portLines = regexp.MustCompile(`(?s)Functions is listening on port (\d+).*metrics is listening on port (\d+).*Deploy a function`)

// awaitPorts returns the addresses of the API and the metrics once the server has logged that it serves.
func awaitPorts(b *testing.B, log string) (api, metrics string) {
	b.Helper()
	for range 20_000 {
		text, err := os.ReadFile(log)
		if err != nil {
			b.Fatal(err)
		}
		if ports := portLines.FindSubmatch(text); ports != nil {
			return "http://127.0.0.1:" + string(ports[1]), "http://127.0.0.1:" + string(ports[2])
		}
		time.Sleep(500 * time.Microsecond)
	}
	b.Fatal("the server does not start")
	return "", ""
}

func (s *server) pid() int { return s.cmd.Process.Pid }

// run calls the function at path and fails b unless it answers with want.
func (s *server) run(b *testing.B, client *http.Client, path, body, want string) {
	b.Helper()
	if r := send(client, http.MethodPost, s.url+path+"/run", body); r.err != nil || r.status != http.StatusOK || r.body != want {
		b.Errorf("%s: %v, not %s", path, r, want)
	}
}

const helloAnswer = `{"say":"Hello World!"}`

// hello has the function hello deployed and called on so many connections until its workers are warm.
func (s *server) hello(b *testing.B, connections int, properties string) {
	b.Helper()
	put(b, s.url+helloPath, helloCode, properties)
	s.warmHello(b, connections)
}

// warmHello calls the function hello on so many connections until its workers are warm.
func (s *server) warmHello(b *testing.B, connections int) {
	b.Helper()
	s.run(b, http.DefaultClient, helloPath, helloBody, helloAnswer)
	s.loadHello(b, connections, time.Second)
}

// loadHello calls the function hello without a pause on so many connections.
func (s *server) loadHello(b *testing.B, connections int, length time.Duration) measured {
	b.Helper()
	return wrk(b, s.url+helloPath+"/run", connections, length, postBody(helloBody), s.pid())
}
