package main

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/backstage/functions/internal/testenv"
)

func TestDeployUnderLoadFailsNoCall(t *testing.T) {
	s := startServer(t, "POOL_SIZE=4", "ISOLATION=strict")
	url := s.url + "/functions/deploy/f"
	deployVersion := func(n int) { put(t, url, fmt.Sprintf(`function main(req, res) { res.send(%d) }`, n), "") }
	deployVersion(0)
	var deployed, announced atomic.Int64 // versions: the one whose PUT was answered last, the one whose PUT was sent last
	load := startCallers(8, url+"/run", func() int { return int(deployed.Load()) }, func(before int, answer string) string {
		got, err := strconv.Atoi(answer)
		if err != nil || got < before || got > int(announced.Load()) {
			return fmt.Sprintf("answered by version %s; %d was deployed before the call, %d after it", answer, before, announced.Load())
		}
		return ""
	})
	for n := 1; n <= 12; n++ {
		load.await(40)
		announced.Store(int64(n))
		deployVersion(n)
		deployed.Store(int64(n))
	}
	load.await(40)
	load.stop(t)
}

func TestEndingServerAnswersAllWhoAreThere(t *testing.T) {
	held := newDoor(t)
	s := startServer(t, "POOL_SIZE=2", "POOL_RESERVE=0", "LOG_LEVEL=debug", held.variable())
	url := s.url + "/functions/end/f"
	put(t, url, held.code(), "")
	var all sync.WaitGroup
	client := &http.Client{Transport: &http.Transport{}}
	for range 6 { // two run, four wait
		all.Go(func() {
			if r := send(client, http.MethodPut, url+"/run", "{}"); r.err != nil || r.status != http.StatusOK || r.body != `"done"` {
				t.Errorf("got %v", r)
			}
		})
	}
	s.awaitMetric(t, `functions_queue_length 4`)
	s.terminate()
	s.logs.await(t, `(Functions is stopping)`)
	held.open()
	all.Wait()
	s.stop(t)
	if r := send(client, http.MethodGet, s.url, ""); r.err == nil {
		t.Error("the server still answers")
	}
}

func TestEndOfTheServerIsBounded(t *testing.T) {
	s := startServer(t, "POOL_SIZE=1", "SHUTDOWN_TIMEOUT=300ms")
	url := s.url + "/functions/end/never"
	put(t, url, `function main() {}`, "")
	var all sync.WaitGroup
	for range 2 { // one runs, one waits
		all.Go(func() {
			r := send(http.DefaultClient, http.MethodPut, url+"/run", "{}")
			if r.err != nil || r.status != http.StatusServiceUnavailable || r.body != `{"error":"Server is shutting down"}` {
				t.Errorf("got %v", r)
			}
		})
	}
	s.awaitMetric(t, `functions_queue_length 1`)
	s.terminate()
	s.logs.await(t, `(Functions is stopping late)`)
	all.Wait()
	s.stop(t) // fails unless it ends with 0
}

func TestEndingServerTakesCallsForItsDelay(t *testing.T) {
	s := startServer(t, "SHUTDOWN_DELAY=5m")
	old := &http.Client{Transport: &http.Transport{}}
	if r := send(old, http.MethodGet, s.url, ""); r.err != nil {
		t.Fatal(r.err)
	}
	s.terminate()
	s.logs.await(t, `(Functions is stopping)`)
	for name, client := range map[string]*http.Client{"open before": old, "new": {Transport: &http.Transport{}}} {
		response, err := client.Get(s.url)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if response.StatusCode != http.StatusOK || !response.Close {
			t.Errorf("%s: %d, connection closed: %v", name, response.StatusCode, response.Close)
		}
		_ = response.Body.Close()
	}
	s.kill(t)
}

// onSocket is how a service manager starts the server on a socket of its own.
func onSocket(t *testing.T, socket *os.File) *exec.Cmd {
	t.Helper()
	cmd := exec.Command("sh", "-c", `LISTEN_PID=$$ LISTEN_FDS=1 exec "$0"`, os.Args[0])
	cmd.ExtraFiles = []*os.File{socket} // descriptor 3
	return cmd
}

func TestRestartUnderLoadFailsNoCall(t *testing.T) {
	redis := testenv.Redis(t)
	listener, err := new(net.ListenConfig).Listen(context.Background(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	socket, err := listener.(*net.TCPListener).File()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _, _ = listener.Close(), socket.Close() })
	start := func() *server {
		return startCommand(t, onSocket(t, socket), "REDIS_ENDPOINT=redis://"+redis.Addr, "POOL_SIZE=4")
	}
	running := start()
	put(t, running.url+"/functions/restart/f", `function main(req, res) { res.send(req.body.n) }`, "")
	load := startCallers(16, running.url+"/functions/restart/f/run", func() int { return 0 }, func(_ int, answer string) string {
		if answer != "1" {
			return "answered " + answer
		}
		return ""
	})
	for i := range 4 {
		load.await(200)
		if i%2 == 0 { // the next one is there before this one ends
			next := start()
			running.stop(t)
			running = next
		} else { // nobody is there in between: callers wait in the socket
			running.stop(t)
			running = start()
		}
	}
	load.await(200)
	load.stop(t)
}

func TestSocketsOfNoUseAreRefused(t *testing.T) {
	file, err := os.Open(os.DevNull)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	cmd := onSocket(t, file)
	cmd.Env = serverEnv(t)
	said, err := cmd.CombinedOutput()
	if err == nil || !strings.Contains(string(said), "LISTEN_FDS: descriptor 3 is not a socket that listens") {
		t.Errorf("got %v, %s", err, said)
	}
}
