package api

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"reflect"
	"regexp"
	"sync"
	"testing"
	"time"

	"github.com/backstage/functions/internal/function"
	"github.com/backstage/functions/sandbox"
)

func TestAnswersOfRunsTellWhereTheTimeWent(t *testing.T) {
	stats := sandbox.Stats{Start: sandbox.StartWarm, Queue: 12345 * time.Nanosecond, Run: 1250 * time.Microsecond}
	const want = `queue;dur=0.012, start;desc="warm", run;dur=1.250`
	for _, test := range []struct {
		name   string
		result *sandbox.Result
		err    error
		want   string // a pattern
	}{
		{"answered", &sandbox.Result{Status: 200, Stats: stats}, nil, want},
		{"not modified", &sandbox.Result{Status: 304, Stats: stats}, nil, want},
		{"beside the function's own", &sandbox.Result{Status: 200, Header: fields("server-timing", "db;dur=1"), Stats: stats}, nil, want + "|db;dur=1"},
		{"thrown", nil, &sandbox.FunctionError{Status: 500, Stats: stats}, want},
		{"died", nil, &sandbox.DeathError{Reason: sandbox.ReasonDeadline, Stats: stats}, want},
		{
			"loaded", &sandbox.Result{Status: 200, Stats: sandbox.Stats{Start: sandbox.StartCold, Load: 310 * time.Microsecond, Run: time.Millisecond}}, nil,
			`queue;dur=0.000, start;desc="cold", load;dur=0.310, run;dur=1.000`,
		},
		{"no worker", nil, sandbox.ErrBusy, `queue;dur=\d+\.\d{3}`},
		{"no function", nil, &function.NotFoundError{}, ``},
		{"answer that cannot be sent", &sandbox.Result{Status: 42, Stats: stats}, nil, want},
	} {
		for _, path := range []string{"GET /functions/n/f/run", "PUT /functions/pipeline?steps[0]=n/f"} {
			t.Run(test.name+" "+path[:3], func(t *testing.T) {
				url := serve(t, Options{Invoker: answering(test.result, test.err)})
				res, _ := do(t, newRequest(t, path[:3], url+path[4:], ""))
				var got string
				for i, value := range res.Header.Values("Server-Timing") {
					if i > 0 {
						got += "|"
					}
					got += value
				}
				if got != test.want && !regexp.MustCompile("^"+test.want+"$").MatchString(got) {
					t.Errorf("Server-Timing is %q, want %q", got, test.want)
				}
			})
		}
	}
}

func TestRoutesAreTold(t *testing.T) {
	var mu sync.Mutex
	var got []string
	served := make(chan string, 10) // told after the answer is out
	url := serve(t, Options{
		Served: func(_ context.Context, route string, status int, took time.Duration) {
			served <- fmt.Sprintf("%s %d %t", route, status, took > 0)
		},
		Invoker: answering(&sandbox.Result{Status: 200, Body: json.RawMessage("1")}, nil),
		Routed: func(r *http.Request, route string) {
			mu.Lock()
			defer mu.Unlock()
			got = append(got, r.Method+" "+route)
		},
	})
	for _, path := range []string{"/functions/n/f/run", "/FUNCTIONS/n%2Fs/f/", "/", "/nowhere", "/namespaces/n"} {
		do(t, newRequest(t, "GET", url+path, ""))
	}
	want := []string{"GET /functions/{namespace}/{id}/run", "GET /functions/{namespace}/{id}", "GET /", "GET /namespaces/{namespace}"}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("told %q, want %q", got, want)
	}
	for _, want := range []string{
		"/functions/{namespace}/{id}/run 200 true", "/functions/{namespace}/{id} 404 true", "/ 200 true", " 404 true", "/namespaces/{namespace} 404 true",
	} {
		if got := <-served; got != want {
			t.Errorf("served %q, want %q", got, want)
		}
	}
}
