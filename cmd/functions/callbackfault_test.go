package main

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/backstage/functions/internal/testenv"
)

// told is a receiver of callbacks that remembers what it was told.
type told struct {
	*httptest.Server
	mu     sync.Mutex
	silent bool                       // answers nobody
	begun  int                        // requests that came
	ids    map[string]map[string]bool // IDs of events, by the call that they are of
	served map[string]int             // how often that was answered
}

func newTold(t *testing.T) *told {
	t.Helper()
	r := &told{silent: true, ids: map[string]map[string]bool{}, served: map[string]int{}}
	r.Server = httptest.NewServer(http.HandlerFunc(r.receive))
	t.Cleanup(r.Close)
	return r
}

func (r *told) receive(w http.ResponseWriter, request *http.Request) {
	var event struct{ ID, Subject string }
	body, err := io.ReadAll(request.Body)
	if err != nil || json.Unmarshal(body, &event) != nil {
		w.WriteHeader(http.StatusBadRequest)
		return
	}
	r.mu.Lock()
	r.begun++
	if r.ids[event.Subject] == nil {
		r.ids[event.Subject] = map[string]bool{}
	}
	r.ids[event.Subject][request.Header.Get("Webhook-Id")] = true
	silent := r.silent
	if !silent {
		r.served[event.Subject]++
	}
	r.mu.Unlock()
	if silent {
		<-request.Context().Done() // until the sender gives up, or is killed
	}
}

func (r *told) answerFromNowOn() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.silent = false
}

func (r *told) requests() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.begun
}

// toldCall is the record of a call, as far as the test looks at it.
type toldCall struct {
	ID, Status string
	Callback   struct{ Status, ID string }
}

func (c *toldCall) read(s *server, at string) bool {
	r := send(http.DefaultClient, "GET", s.url+at, "")
	return r.status == http.StatusOK && json.Unmarshal([]byte(r.body), c) == nil
}

// TestEndsAreToldWhateverIsKilled kills a server while calls end, and while their receiver does not answer. The end of
// each call that was accepted is told, under one ID.
func TestEndsAreToldWhateverIsKilled(t *testing.T) {
	redis := testenv.Redis(t, "--appendonly", "yes", "--appendfsync", "always")
	for name, storage := range map[string]string{
		"redis": "REDIS_ENDPOINT=redis://" + redis.Addr, "embedded": "STORAGE=embedded",
	} {
		t.Run(name, func(t *testing.T) {
			secrets, receiver := t.TempDir(), newTold(t)
			if err := os.MkdirAll(filepath.Join(secrets, "q"), 0o700); err != nil {
				t.Fatal(err)
			}
			secret := "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
			if err := os.WriteFile(filepath.Join(secrets, "q", "DONE"), []byte(secret), 0o600); err != nil {
				t.Fatal(err)
			}
			data := t.TempDir()
			start := func() *server {
				s := startServer(t, storage, "DATA_DIR="+data, "SECRETS_DIR="+secrets, "EGRESS_ALLOW=127.0.0.1",
					"CALLS_LEASE=1s", "CALLS_CALLBACK_TIMEOUT=1s", "POOL_SIZE=8", "POOL_ACTIVE=8")
				s.discardLogs()
				return s
			}
			s := start()
			put(t, s.url+"/functions/q/f",
				`function main(req, res) { setTimeout(function () { res.send({ n: req.body.n }); }, 20); }`,
				fmt.Sprintf(`"retries":{"attempts":100,"backoff":"100ms"},"callback":{"url":%q,"secret":"DONE"}`, receiver.URL))
			calls, number := map[string]bool{}, 0
			more := func(n int) {
				for range n {
					number++
					if at := callAsync(s.url+"/functions/q/f/run", fmt.Sprintf(`{"n":%d}`, number)); at != "" {
						calls[at] = true
					}
				}
			}
			for range 3 { // calls are running, and of others the receiver is being told
				more(10)
				eventually(t, "a callback to be sent", func() bool { return receiver.requests() > 0 })
				more(5)
				s.kill(t)
				s = start()
			}
			eventually(t, "all calls to end", func() bool {
				for at := range calls {
					var c toldCall
					if !c.read(s, at) || c.Status != "succeeded" {
						return false
					}
				}
				return true
			})
			s.kill(t) // all have ended, and nobody was told
			receiver.answerFromNowOn()
			s = start()
			eventually(t, "all ends to be told", func() bool {
				for at := range calls {
					var c toldCall
					if !c.read(s, at) || c.Callback.Status != "succeeded" {
						return false
					}
				}
				return true
			})
			receiver.check(t, s, calls)
		})
	}
}

// check compares what the receiver was told with the records.
func (r *told) check(t *testing.T, s *server, calls map[string]bool) {
	t.Helper()
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(r.ids) != len(calls) {
		t.Errorf("the receiver was told of %d calls, %d were accepted", len(r.ids), len(calls))
	}
	more := 0
	for at := range calls {
		var c toldCall
		id := at[strings.LastIndex(at, "/")+1:]
		if !c.read(s, at) || len(r.ids[id]) != 1 || !r.ids[id][c.Callback.ID] || r.served[id] == 0 {
			t.Errorf("%+v was told %d times as %v", c, r.served[id], r.ids[id])
		}
		more += r.served[id] - 1
	}
	t.Logf("%d requests told the ends of %d calls; %d were told more than once", r.begun, len(calls), more)
}
