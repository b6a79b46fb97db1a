package main

import (
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// startPrometheus starts a Prometheus that scrapes target, "host:port", and returns its URL.
func startPrometheus(t *testing.T, target string) string {
	t.Helper()
	binary, err := exec.LookPath("prometheus")
	if err != nil {
		t.Fatal("prometheus is missing: install Debian's package of that name")
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0") // for a port that is free
	if err != nil {
		t.Fatal(err)
	}
	address := listener.Addr().String()
	if err := listener.Close(); err != nil {
		t.Fatal(err)
	}
	rules, err := filepath.Abs("../../docs/deploy/prometheus/rules.yml")
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	file := filepath.Join(dir, "prometheus.yml")
	text := fmt.Sprintf("global: {scrape_interval: 200ms, scrape_timeout: 200ms, evaluation_interval: 200ms}\nrule_files: [%s]\n"+
		"scrape_configs: [{job_name: functions, static_configs: [{targets: ['%s']}]}]\n", rules, target)
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	output, err := os.Create(filepath.Join(dir, "log"))
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(binary, "--config.file="+file, "--storage.tsdb.path="+filepath.Join(dir, "data"), "--web.listen-address="+address)
	cmd.Stdout, cmd.Stderr = output, output
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait() // it was killed
		if t.Failed() {
			log, err := os.ReadFile(output.Name())
			t.Logf("Prometheus: %v\n%s", err, log)
		}
		_ = output.Close()
	})
	return "http://" + address
}

// query returns the values of a PromQL expression, as texts; none while Prometheus does not answer.
func query(t *testing.T, prometheus, expression string) []string {
	t.Helper()
	answer, err := http.Get(prometheus + "/api/v1/query?query=" + url.QueryEscape(expression))
	if err != nil {
		return nil
	}
	defer answer.Body.Close()
	var body struct {
		Data struct{ Result []struct{ Value [2]any } }
	}
	if answer.StatusCode == http.StatusOK {
		if err := json.NewDecoder(answer.Body).Decode(&body); err != nil {
			t.Fatal(err)
		}
	}
	var values []string
	for _, result := range body.Data.Result {
		values = append(values, result.Value[1].(string))
	}
	return values
}

func TestPrometheusScrapesTheServer(t *testing.T) {
	s := startServer(t, "POOL_SIZE=7")
	put(t, s.url+"/functions/ns/fn", `function main(req, res) { res.send(1) }`, "")
	for range 3 {
		if status, body := request(t, "PUT", s.url+"/functions/ns/fn/run", "{}"); status != http.StatusOK {
			t.Fatalf("got %d %s", status, body)
		}
	}
	prometheus := startPrometheus(t, strings.TrimPrefix(s.metrics, "http://"))
	for _, row := range []struct{ expression, want string }{
		{`up`, "1"},
		{`functions_pool_size`, "7"},
		{`backstage_functions_function_run_total{namespace="ns",id="fn",status="2xx"}`, "3"},
		{`backstage_functions_function_run_duration_seconds_count{namespace="ns",id="fn"}`, "3"},
		{`sum(functions_run_seconds_count)`, "4"}, // with the trial run of the PUT
		{`functions_load_seconds_count`, "2"},     // the trial run and the first call compile
		{`functions_call_cpu_seconds_count`, "4"},
		{`functions_http_request_seconds_count{route="/functions/{namespace}/{id}/run",status="2xx"}`, "3"},
		{`functions_store_operation_seconds_count{operation="put"}`, "1"},
		{`functions_store_operation_errors_total{operation="put"}`, "0"},
		{`functions_cache_lookups_total{result="miss"}`, "1"},
		{`functions_cache_functions`, "1"},
		{`functions_store_up`, "1"},
		{`backstage_functions_run_script_duration_seconds_count{namespace="ns",id="fn"}`, "3"},
		{`backstage_functions_function_setup_duration_seconds_count`, "3"},
		{`backstage_functions_function_update_duration_seconds_count{status="2xx"}`, "1"},
		{`nodejs_version_info{version="v8.17.0"}`, "1"},
		{`nodejs_active_requests_total`, "0"},
		{`nodejs_active_handles_total > bool 1`, "1"},
		{`count(ALERTS) or vector(0)`, "0"},
	} {
		var got []string
		eventuallyOr(t, func() bool {
			got = query(t, prometheus, row.expression)
			return len(got) == 1 && got[0] == row.want
		}, func() string { return fmt.Sprintf("%s to be %s; it is %v", row.expression, row.want, got) })
	}
}

func TestPromtoolFindsNothingElseToSayOfARealScrape(t *testing.T) {
	const misnamed = "nodejs_active_handles_total non-counter metrics should not have \"_total\" suffix\n" +
		"nodejs_active_requests_total non-counter metrics should not have \"_total\" suffix\n" // by the original

	s := startServer(t)
	put(t, s.url+"/functions/ns/fn", `function main(req, res) { res.send(1) }`, "")
	request(t, "PUT", s.url+"/functions/ns/fn/run", "{}")
	_, text := request(t, "GET", s.metrics+"/metrics", "")
	check := exec.CommandContext(t.Context(), "promtool", "check", "metrics")
	check.Stdin = strings.NewReader(text)
	if said, _ := check.CombinedOutput(); string(said) != misnamed { // that it has something to say is an error too
		t.Errorf("promtool: %s", said)
	}
	for _, name := range []string{
		`nodejs_version_info{major="8",minor="17",patch="0",version="v8.17.0"} 1`, "nodejs_eventloop_lag_seconds ", "nodejs_heap_size_used_bytes ",
		`nodejs_active_handles{type="ChildProcess"} `, "process_cpu_user_seconds_total ",
		"process_cpu_system_seconds_total ", "process_heap_bytes ", "backstage_functions_function_setup_total 1",
		`backstage_functions_function_update_total{status="2xx"} 1`,
	} {
		if !strings.Contains(text, "\n"+name) || strings.Contains(text, "\n"+name+"0\n") {
			t.Errorf("no %s", name)
		}
	}
}
