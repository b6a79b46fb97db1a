package main

import (
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// signal sends sig to the server.
func (s *server) signal(t *testing.T, sig os.Signal) {
	t.Helper()
	if err := s.cmd.Process.Signal(sig); err != nil {
		t.Fatal(err)
	}
}

func TestSignalsWithoutMeaningEndNothing(t *testing.T) {
	s := startServer(t)
	url := s.url + "/functions/signals/f"
	put(t, url, `function main(req, res) { console.log('called'); setTimeout(() => res.send('done'), 400) }`, "")
	answer := make(chan reply, 1)
	go func() { answer <- send(http.DefaultClient, http.MethodPut, url+"/run", "{}") }()
	s.logs.await(t, `(called)`)
	for _, sig := range append(withoutMeaning, moreWithoutMeaning...) {
		s.signal(t, sig)
	}
	s.signal(t, syscall.SIGHUP)
	s.logs.await(t, `(Configuration reloaded)`)
	if r := <-answer; r.err != nil || r.status != http.StatusOK {
		t.Errorf("the call in progress got %v", r)
	}
	if status, _ := request(t, "GET", s.url+"/livez", ""); status != http.StatusOK {
		t.Errorf("livez: %d", status)
	}
}

func TestServerOutlivesTheReaderOfItsLog(t *testing.T) {
	read, write, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(os.Args[0])
	cmd.Env = serverEnv(t)
	cmd.Stdout, cmd.Stderr = write, write
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	_ = write.Close() // the server has its own
	s := &server{cmd: cmd, logs: newLines(read)}
	s.url = "http://127.0.0.1:" + s.logs.await(t, `Functions is listening on port (\d+)`)
	s.logs.await(t, `(Deploy a function)`)
	_ = read.Close()
	put(t, s.url+"/functions/signals/f", `function main(req, res) { console.log('x'); res.send(1) }`, "")
	for range 3 {
		if status, got := request(t, "PUT", s.url+"/functions/signals/f/run", "{}"); status != http.StatusOK || got != "1" {
			t.Errorf("got %d %s", status, got)
		}
	}
	s.terminate()
	_ = cmd.Wait() // its last lines cannot be written
	if status, ok := cmd.ProcessState.Sys().(syscall.WaitStatus); !ok || !status.Exited() {
		t.Errorf("it was ended by a signal: %v", cmd.ProcessState)
	}
}

// writeConfig writes a file of variables as an operator's tools do.
func writeConfig(t *testing.T, path string, lines ...string) {
	t.Helper()
	next := path + ".next"
	if err := os.WriteFile(next, []byte(strings.Join(lines, "\n")+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(next, path); err != nil {
		t.Fatal(err)
	}
}

func TestHangupReloadsRulesAndLogLevel(t *testing.T) {
	path := filepath.Join(t.TempDir(), "functions.conf")
	writeConfig(t, path, "EGRESS=off", "POOL_SIZE=3")
	s := startServer(t, "CONFIG_FILE="+path)
	site := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "hello") }))
	defer site.Close()
	url := s.url + "/functions/reload/f"
	put(t, url, `function main(req, res) { require('request')(req.body[0], (error, r, body) => res.send(error ? error.code + ' ' + error.reason : body)) }`, "")
	fetch := func(want string) {
		t.Helper()
		if _, got := request(t, "PUT", url+"/run", `["`+site.URL+`"]`); got != want {
			t.Errorf("got %s, want %s", got, want)
		}
	}
	fetch(`"EGRESS_DENIED off"`)
	writeConfig(t, path, "EGRESS=off", "EGRESS_ALLOW=127.0.0.1", "LOG_LEVEL=debug", "POOL_SIZE=4")
	s.signal(t, syscall.SIGHUP)
	s.logs.await(t, `(Configuration reloaded changed="?EGRESS_ALLOW LOG_LEVEL"?$)`)
	s.logs.await(t, `(needs a restart for what has changed since the start changed=POOL_SIZE$)`)
	fetch(`"hello"`)
	writeConfig(t, path, `EGRESS_NAMESPACES={"reload":{"egres":"off"}}`)
	s.signal(t, syscall.SIGHUP)
	s.logs.await(t, `(error: .*Configuration not reloaded: it stays as it was .*did you mean)`)
	fetch(`"hello"`)
	writeConfig(t, path, "EGRESS=all", `EGRESS_NAMESPACES={"reload":{"egress":"off"}}`)
	s.signal(t, syscall.SIGHUP)
	s.logs.await(t, `(Configuration reloaded changed="?EGRESS EGRESS_ALLOW EGRESS_NAMESPACES LOG_LEVEL"?$)`)
	fetch(`"EGRESS_DENIED off"`)
}

func TestSignalsReachTheServerInAContainer(t *testing.T) {
	path := filepath.Join(t.TempDir(), "functions.conf")
	writeConfig(t, path, "LOG_LEVEL=info")
	s := launch(t, inContainer(t, "-all,+setuid,+setgid,+setfcap", "CONFIG_FILE="+path))
	defer s.stopFirst(t)
	s.url = "http://127.0.0.1:" + s.logs.await(t, `Functions is listening on port (\d+)`)
	s.logs.await(t, `(Deploy a function)`)
	first := childrenOf(s.cmd.Process.Pid)[0]
	for _, sig := range append(withoutMeaning, moreWithoutMeaning...) {
		if err := syscall.Kill(first.pid, sig.(syscall.Signal)); err != nil { //nolint:forcetypeassert // it is one
			t.Error(err)
		}
	}
	writeConfig(t, path, "LOG_LEVEL=debug")
	if err := syscall.Kill(first.pid, syscall.SIGHUP); err != nil {
		t.Fatal(err)
	}
	s.logs.await(t, `(Configuration reloaded changed=LOG_LEVEL)`)
	if status, _ := request(t, "GET", s.url+"/livez", ""); status != http.StatusOK {
		t.Errorf("livez: %d", status)
	}
}

func TestSignalsToAllProcessesOfTheServerEndNoCall(t *testing.T) {
	for _, isolation := range []string{"strict", "none"} {
		s := startServer(t, "ISOLATION="+isolation, "CODE_ASYNC_TIMEOUT=60000")
		url := s.url + "/functions/signals/f"
		put(t, url, `function main(req, res) { console.log('called'); setTimeout(() => res.send('done'), 1000) }`, "")
		answer := make(chan reply, 1)
		go func() { answer <- send(http.DefaultClient, http.MethodPut, url+"/run", "{}") }()
		s.logs.await(t, `(called)`)
		for _, child := range append(s.workers(), s.zygotes()...) { // as systemctl kill, or a service manager that ends a whole group, does
			for _, sig := range []syscall.Signal{syscall.SIGHUP, syscall.SIGTERM, syscall.SIGINT, syscall.SIGUSR2} {
				if err := syscall.Kill(child.pid, sig); err != nil {
					t.Error(err)
				}
			}
		}
		s.terminate()
		if r := <-answer; r.err != nil || r.status != http.StatusOK {
			t.Errorf("%s: the call in progress got %v", isolation, r)
		}
		s.stop(t)
	}
}
