package main

import (
	"net/http"
	"strings"
	"testing"
)

func TestProfilesAreServedOnlyWhenAskedForAndOnlyOnTheMetricsPort(t *testing.T) {
	const profile, runtimeMetric = "/debug/pprof/goroutine?debug=1", "go_sched_latencies_seconds_count"
	for _, row := range []struct {
		vars   []string
		status int
	}{
		{nil, http.StatusNotFound},
		{[]string{"PPROF=true"}, http.StatusOK},
	} {
		s := startServer(t, row.vars...)
		status, body := request(t, "GET", s.metrics+profile, "")
		if status != row.status || strings.Contains(body, "goroutine profile") != (row.status == http.StatusOK) {
			t.Errorf("%v: %d %.100s", row.vars, status, body)
		}
		if status, _ := request(t, "GET", s.url+profile, ""); status != http.StatusNotFound {
			t.Errorf("%v: the API's port answers %d", row.vars, status)
		}
		if _, body := request(t, "GET", s.metrics+"/metrics", ""); strings.Contains(body, runtimeMetric) != (row.status == http.StatusOK) {
			t.Errorf("%v: %s is there or missing", row.vars, runtimeMetric)
		}
		if status, _ := request(t, "GET", s.url+"/metrics", ""); status != http.StatusNotFound {
			t.Errorf("%v: the API's port serves metrics", row.vars)
		}
	}
}

func TestStatusOfIsolationTellsHowWorkersStartAndWhatTheyDo(t *testing.T) {
	for _, row := range []struct{ vars, want []string }{
		{nil, []string{
			`"start":{"forked":true}`,
			`{"name":"all work that a call leaves is seen","asked":true,"obtained":true}`,
		}},
		{[]string{"RUNNER_DIR=" + runnerWithoutAddon(t)}, []string{
			`"start":{"forked":false,"reason":"workers start directly`,
			`{"name":"all work that a call leaves is seen","asked":false,"obtained":false,"detail":"its addon loop.node`,
		}},
	} {
		_, body := request(t, "GET", startServer(t, row.vars...).url+"/status/isolation", "")
		for _, part := range append(row.want, `"isolation":"strict"`, `"pool":{"size":`, `{"node8":{"version":"v8.17.0",`) {
			if !strings.Contains(body, part) {
				t.Errorf("no %s in %s", part, body)
			}
		}
	}
}
