package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
)

// reply is what a caller got.
type reply struct {
	status     int
	body       string
	retryAfter string
	err        error
}

func (r reply) String() string {
	return fmt.Sprintf("%d %.200s (Retry-After %q, error %v)", r.status, r.body, r.retryAfter, r.err)
}

// send makes one request. It does not end with the test, so that none is cut off.
func send(client *http.Client, method, url, body string) (r reply) {
	return sendUntil(context.Background(), client, method, url, body)
}

// sendUntil is send that waits for the answer until ctx ends.
func sendUntil(ctx context.Context, client *http.Client, method, url, body string) (r reply) {
	request, err := http.NewRequestWithContext(ctx, method, url, strings.NewReader(body))
	if err != nil {
		return reply{err: err}
	}
	request.Header.Set("Content-Type", "application/json")
	response, err := client.Do(request)
	if err != nil {
		return reply{err: err}
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	return reply{response.StatusCode, string(text), response.Header.Get("Retry-After"), err}
}

// request sends a JSON body and returns the status and the body of the answer.
func request(t testing.TB, method, url, body string) (int, string) {
	t.Helper()
	r := send(http.DefaultClient, method, url, body)
	if r.err != nil {
		t.Fatal(r.err)
	}
	return r.status, r.body
}

// deployment is the body of a PUT, with further properties such as `"maxInvocations":1`.
func deployment(code, properties string) string {
	if properties != "" {
		properties = "," + properties
	}
	return fmt.Sprintf(`{"code":%q%s}`, code, properties)
}

// put deploys code with further properties, such as `"runtime":"node24"`.
func put(t testing.TB, url, code, properties string) {
	t.Helper()
	if status, answer := request(t, http.MethodPut, url, deployment(code, properties)); status != http.StatusOK {
		t.Fatalf("PUT %s: %d %s", url, status, answer)
	}
}

// send makes a request with a JSON body and returns the answer's.
func (s *server) send(t *testing.T, method, path string, body any) string {
	t.Helper()
	text, err := json.Marshal(body)
	if err != nil {
		t.Fatal(err)
	}
	_, answer := request(t, method, s.url+path, string(text))
	return answer
}

// scrape returns the server's metrics.
func (s *server) scrape(t *testing.T) string {
	t.Helper()
	_, text := request(t, http.MethodGet, s.metrics+"/metrics", "")
	return text
}
