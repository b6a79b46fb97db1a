package main

import (
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/backstage/functions/internal/testenv"
)

// awaitProbe asks url until the answer has the wanted status, and returns its body.
func awaitProbe(t *testing.T, url string, want int) string {
	t.Helper()
	var body string
	eventually(t, fmt.Sprintf("GET %s to answer %d", url, want), func() bool {
		var status int
		status, body = request(t, "GET", url, "")
		return status == want
	})
	return body
}

func TestProbesAreServedOnBothPorts(t *testing.T) {
	s := startServer(t)
	awaitProbe(t, s.url+"/readyz", http.StatusOK)
	for _, port := range []string{s.url, s.metrics} {
		for _, path := range []string{"/livez", "/readyz"} {
			if status, body := request(t, "GET", port+path, ""); status != http.StatusOK || body != `{"status":"ok"}` {
				t.Errorf("%s: %d %s", path, status, body)
			}
		}
		if _, body := request(t, "GET", port+"/readyz?verbose", ""); !strings.Contains(body, `{"check":"workers","status":"ok","detail":"0 busy, `) ||
			!strings.Contains(body, `{"check":"store","status":"ok"}`) {
			t.Errorf("verbose: %s", body)
		}
	}
}

func TestServerWithoutItsStoreIsReadyForWhatItHasInMemory(t *testing.T) {
	redis := testenv.Redis(t)
	s := startServer(t, "REDIS_ENDPOINT=redis://"+redis.Addr)
	awaitProbe(t, s.url+"/readyz", http.StatusOK)
	redis.Stop()
	eventually(t, "/readyz to say that the store is all that is missing", func() bool {
		status, body := request(t, "GET", s.url+"/readyz", "")
		return status == http.StatusServiceUnavailable && body ==
			`{"status":"not ready","reasons":[{"check":"store","reason":"storage is unavailable and no function is in memory"}]}`
	})
	if status, _ := request(t, "GET", s.url+"/livez", ""); status != http.StatusOK {
		t.Errorf("livez: %d", status)
	}
	redis.Start()
	awaitProbe(t, s.url+"/readyz", http.StatusOK)
	put(t, s.url+"/functions/ns/fn", `function main(req, res) { res.send(1) }`, "") // it came back empty
	if status, body := request(t, "PUT", s.url+"/functions/ns/fn/run", "{}"); status != http.StatusOK || body != "1" {
		t.Fatalf("got %d %s", status, body)
	}
	redis.Stop()
	awaitProbe(t, s.url+"/healthcheck", http.StatusInternalServerError)
	if body := awaitProbe(t, s.url+"/readyz?verbose", http.StatusOK); strings.Contains(body, "not ready") {
		t.Errorf("one function in memory: %s", body)
	}
}

func TestServerThatNobodyCallsKnowsWhetherItsStoreAnswers(t *testing.T) {
	redis := testenv.Redis(t)
	s := startServer(t, "REDIS_ENDPOINT=redis://"+redis.Addr)
	await := func(line string) {
		t.Helper()
		eventually(t, "the metrics to have "+line, func() bool {
			_, text := request(t, "GET", s.metrics+"/metrics", "")
			return strings.Contains(text, "\n"+line+"\n")
		})
	}
	await("functions_store_up 1")
	redis.Stop()
	await("functions_store_up 0")
	redis.Start()
	await("functions_store_up 1")
}

func TestReadinessDropsBeforeTheLastAnswer(t *testing.T) {
	held := newDoor(t)
	s := startServer(t, held.variable())
	put(t, s.url+"/functions/ns/fn", held.code(), "")
	answer := make(chan string, 1)
	go func() {
		response, err := http.Get(s.url + "/functions/ns/fn/run")
		if err != nil {
			answer <- err.Error()
			return
		}
		defer response.Body.Close()
		body, err := io.ReadAll(response.Body)
		answer <- string(body) + fmt.Sprint(err)
	}()
	s.logs.await(t, `(called)`)
	s.terminate()
	eventually(t, "/readyz to say that the server is ending", func() bool { // while workers start, it is not ready either
		status, body := request(t, "GET", s.metrics+"/readyz", "")
		return status == http.StatusServiceUnavailable && strings.Contains(body, `"reason":"the server is ending"`)
	})
	select {
	case early := <-answer:
		t.Errorf("the call was over already: %s", early)
	default:
	}
	held.open()
	if got := <-answer; got != `"done"<nil>` {
		t.Errorf("the call in progress got %s", got)
	}
}
