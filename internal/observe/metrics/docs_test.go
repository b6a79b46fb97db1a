package metrics

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/prometheus/client_golang/prometheus"
)

const (
	operationsFile = "../../../docs/operations.md"
	rulesFile      = "../../../docs/deploy/prometheus/rules.yml"
	dashboardFile  = "../../../docs/deploy/grafana/dashboard.json"
	ruleTestsFile  = "testdata/rules_test.yml"
	outageFile     = "../../../docs/guides/after-an-outage.md"
)

// registered are the names of all metrics that can ever be in a scrape.
func registered(t *testing.T) map[string]bool {
	t.Helper()
	names := map[string]bool{durationName: true, totalName: true, scriptName: true, "up": true} // the last is Prometheus' own
	descs := make(chan *prometheus.Desc)
	go func() {
		defer close(descs)
		busy(0).registry.Describe(descs)
	}()
	name := regexp.MustCompile(`fqName: "([^"]+)"`)
	for desc := range descs {
		names[name.FindStringSubmatch(desc.String())[1]] = true
	}
	if len(names) < 40 {
		t.Fatalf("only %d metrics are registered", len(names))
	}
	return names
}

// isOurs says whether a metric is not that of a library.
func isOurs(name string) bool {
	return strings.HasPrefix(name, "functions_") || strings.HasPrefix(name, "backstage_functions_") || strings.HasPrefix(name, "nodejs_")
}

// queried are the metrics that text names, without the suffixes of a histogram's series.
func queried(text string, known map[string]bool) []string {
	var names []string
	for _, name := range regexp.MustCompile(`\b(?:backstage_functions|functions|go|process|nodejs)_[a-z0-9_]+\b`).FindAllString(text, -1) {
		for _, suffix := range []string{"_bucket", "_sum", "_count"} {
			if base, ok := strings.CutSuffix(name, suffix); ok && known[base] {
				name = base
			}
		}
		names = append(names, name)
	}
	return names
}

func read(t *testing.T, file string) string {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func TestEveryMetricIsDocumented(t *testing.T) {
	text := read(t, operationsFile)
	for name := range registered(t) {
		if isOurs(name) && !strings.Contains(text, "`"+name+"`") {
			t.Errorf("%s does not say what to do when %s moves", operationsFile, name)
		}
	}
}

func TestDocumentsNameNoMetricThatIsNotThere(t *testing.T) {
	known := registered(t)
	for _, file := range []string{operationsFile, rulesFile, dashboardFile, ruleTestsFile} {
		names := queried(read(t, file), known)
		if len(names) == 0 {
			t.Errorf("%s names no metric", file)
		}
		for _, name := range names {
			if !known[name] {
				t.Errorf("%s: there is no %s", file, name)
			}
		}
	}
}

// expressions are the values of all members named expr.
func expressions(value any) []string {
	var all []string
	switch value := value.(type) {
	case []any:
		for _, element := range value {
			all = append(all, expressions(element)...)
		}
	case map[string]any:
		for name, member := range value {
			if text, ok := member.(string); ok && name == "expr" {
				all = append(all, text)
			}
			all = append(all, expressions(member)...)
		}
	}
	return all
}

// promtool runs it and fails the test unless it finds all well.
func promtool(t *testing.T, args ...string) {
	t.Helper()
	if said, err := exec.CommandContext(t.Context(), "promtool", args...).CombinedOutput(); err != nil {
		t.Errorf("promtool %s: %v\n%s", strings.Join(args, " "), err, said)
	}
}

func TestDashboardAsksWhatPrometheusUnderstands(t *testing.T) {
	var dashboard any
	if err := json.Unmarshal([]byte(read(t, dashboardFile)), &dashboard); err != nil {
		t.Fatal(err)
	}
	all := expressions(dashboard)
	if len(all) < 30 {
		t.Fatalf("only %d queries", len(all))
	}
	rules := "groups:\n- name: dashboard\n  rules:\n"
	filled := strings.NewReplacer("$__rate_interval", "5m", "$instance", ".*")
	for i, expression := range all {
		rules += fmt.Sprintf("  - {record: 'query:%d', expr: %q}\n", i, filled.Replace(expression))
	}
	file := filepath.Join(t.TempDir(), "rules.yml")
	if err := os.WriteFile(file, []byte(rules), 0o600); err != nil {
		t.Fatal(err)
	}
	promtool(t, "check", "rules", file)
}

func TestAlertsFireAtWhatTheyAreForAndNotElse(t *testing.T) {
	promtool(t, "check", "rules", rulesFile)
	promtool(t, "test", "rules", ruleTestsFile)
}

func TestEveryAlertIsTestedAndDocumented(t *testing.T) {
	names := regexp.MustCompile(`alert: (\w+)`).FindAllStringSubmatch(read(t, rulesFile), -1)
	tested, documented := read(t, ruleTestsFile), read(t, operationsFile)
	for _, name := range names {
		if !strings.Contains(tested, "alertname: "+name[1]+"\n") {
			t.Errorf("%s has no test for %s", ruleTestsFile, name[1])
		}
		if !strings.Contains(documented, "`"+name[1]+"`") {
			t.Errorf("%s does not name %s", operationsFile, name[1])
		}
	}
	if !slices.ContainsFunc(names, func(name []string) bool { return name[1] == "FunctionsDown" }) {
		t.Error("no alert says that the server is down")
	}
}

// Its table has a metric and, beside it, the alert that looks at it.
func TestTheGuideAfterAnOutageNamesAlertsOfItsMetrics(t *testing.T) {
	expr := map[string]string{}
	rule := regexp.MustCompile(`alert: (\w+)\n\s+expr: '(.*)'`)
	for _, alert := range rule.FindAllStringSubmatch(read(t, rulesFile), -1) {
		expr[alert[1]] = alert[2]
	}
	row := regexp.MustCompile("(?m)^\\| `(functions_\\w+).* \\| `(Functions\\w+)` \\|")
	rows := row.FindAllStringSubmatch(read(t, outageFile), -1)
	if len(rows) == 0 {
		t.Errorf("%s names no alert beside a metric", outageFile)
	}
	for _, found := range rows {
		if metric, alert := found[1], found[2]; !strings.Contains(expr[alert], metric) {
			t.Errorf("%s: %s does not look at %s", outageFile, alert, metric)
		}
	}
}
