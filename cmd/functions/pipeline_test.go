package main

import (
	"fmt"
	"net/http"
	"regexp"
	"strings"
	"testing"
)

// stepsQuery is that of a pipeline of n numbered steps, all the same.
func stepsQuery(step string, n int) string {
	var params []string
	for i := range n {
		params = append(params, fmt.Sprintf("steps[%d]=%s", i, step))
	}
	return strings.Join(params, "&")
}

func TestPipelineOfManyNumberedStepsRuns(t *testing.T) {
	s := startServer(t)
	put(t, s.url+"/functions/many/f", `function main(req, res) { res.send({ n: req.body.n + 1 }) }`, "")
	status, answer := request(t, "PUT", s.url+"/functions/pipeline?"+stepsQuery("many/f", 100), `{"n":0}`)
	if status != http.StatusOK || answer != `{"n":100}` {
		t.Errorf("100 steps: %d %s", status, answer)
	}
	status, answer = request(t, "PUT", s.url+"/functions/pipeline?"+stepsQuery("many/f", 101), `{"n":0}`)
	if status != http.StatusBadRequest || answer != `{"error":"A pipeline has at most 100 steps, got 101"}` {
		t.Errorf("101 steps: %d %s", status, answer)
	}
	s.stop(t)
	if lines := strings.Count(s.logs.text(), " status=200 request_id="); lines != 100 {
		t.Errorf("%d lines of steps", lines)
	}
}

func TestPipelineEndsWhenItsCallerLeaves(t *testing.T) {
	s := startServer(t, "PIPELINE_MAX_STEPS=1000", "PIPELINE_TIMEOUT=1h")
	put(t, s.url+"/functions/gone/f", `function main(req, res) { setTimeout(() => res.send('done'), 50) }`, "")
	conn := s.dialRaw(t, "PUT /functions/pipeline?"+stepsQuery("gone/f", 900)+" HTTP/1.1\r\nHost: a\r\n\r\n")
	s.awaitMetric(t, `functions_pool_workers{state="busy"} 1`)
	if err := conn.Close(); err != nil {
		t.Fatal(err)
	}
	s.awaitMetric(t, `backstage_functions_pipeline_run_total{status="4xx"} 1`)
	text := s.scrape(t)
	if runs := regexp.MustCompile(`(?m)^backstage_functions_overview_run_total\{status="2xx"\} (\d+)$`).FindStringSubmatch(text); runs == nil || runs[1] == "900" {
		t.Errorf("steps that ran to their end: %v", runs)
	}
}

func TestPipelineEndsWithItsTimeout(t *testing.T) {
	s := startServer(t, "PIPELINE_TIMEOUT=100ms")
	put(t, s.url+"/functions/long/f", `function main(req, res) { setTimeout(() => res.send('done'), 200) }`, "")
	status, answer := request(t, "PUT", s.url+"/functions/pipeline?"+stepsQuery("long/f", 30), `{}`)
	if status != http.StatusRequestTimeout || answer != `{"error":"Pipeline timeout","details":{}}` {
		t.Errorf("got %d %s", status, answer)
	}
}
