package main

import (
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
)

func TestRunPortServesRunsAlone(t *testing.T) {
	s := startServer(t, "RUN_PORT=0")
	run := "http://127.0.0.1:" + s.logs.said(t, `listening for runs alone on port (\d+)`)
	put(t, s.url+"/functions/n/f", `function main(req, res) { res.send(req.method) }`, "")
	for name, body := range map[string]string{
		"orders": `{"path":"/orders/{id}","function":"n/f"}`,
		"local":  `{"host":"127.0.0.1","path":"/*","function":"n/missing"}`,
		"root":   `{"path":"/*","function":"n/f"}`,
	} {
		if status, answer := request(t, "PUT", s.url+"/routes/"+name, body); status != http.StatusOK {
			t.Fatalf("route %s: %d %s", name, status, answer)
		}
	}
	for _, row := range []struct{ host, method, url, want string }{
		{"h", "GET", run + "/orders/7", `200 "GET"`},
		{"h", "POST", run + "/functions/n/f/run", `200 "POST"`},
		{"h", "PUT", run + "/functions/pipeline?steps[0]=n/f", `200 "PUT"`},
		{"h", "GET", run + "/livez", `200 {"status":"ok"}`},
		{"h", "DELETE", run + "/functions/n/f", `200 "DELETE"`}, // the route "root", which deletes nothing
		{"h", "GET", run + "/routes", `200 "GET"`},
		{"127.0.0.1:80", "GET", run + "/functions/n/f/run", `200 "GET"`},
		{"127.0.0.1:80", "GET", run + "/routes", `404 {"error":"Code 'n/missing' is not found"}`},
		{"127.0.0.1:80", "GET", run + "/livez", `200 {"status":"ok"}`},
		{"127.0.0.1:80", "GET", s.url + "/functions/n/f/run", `200 "GET"`},
		{"h", "DELETE", s.url + "/routes/root", "204 "},
		{"h", "DELETE", run + "/functions/n/f", `404 {"error":"Cannot DELETE /functions/n/f"}`},
		{"h", "GET", run + "/routes", `404 {"error":"Cannot GET /routes"}`},
		{"h", "GET", s.url + "/functions?perPage=1", `200 {"items":[{"namespace":"n","id":"f"}],"page":1,"perPage":1}`},
		{"h", "GET", s.url + "/orders/7", `200 "GET"`},
	} {
		if got := requestHost(t, row.host, row.method, row.url); got != row.want {
			t.Errorf("%s %s on %s: %s, want %s", row.method, row.url, row.host, got, row.want)
		}
	}
	if _, text := request(t, "GET", s.metrics+"/metrics", ""); !strings.Contains(text, `_connections_limit{port="run"} `) {
		t.Error("no metrics of the port")
	}
}

// requestHost makes a request for host at url, and returns the status and the body of the answer.
func requestHost(t *testing.T, host, method, url string) string {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, url, http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	r.Host = host
	response, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return fmt.Sprintf("%d %s", response.StatusCode, text)
}
