//go:build docker

package dockertest

import (
	"encoding/json"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"
)

// keeping is a function that keeps a value in a module, which only a worker that is put back, or a new one, forgets.
const keeping = `function main(req, res) {
	const lodash = require('lodash')
	lodash.kept = (lodash.kept || 0) + 1
	res.send({ kept: lodash.kept })
}`

// without is the profile without a system call.
func without(t *testing.T, name string) []string {
	t.Helper()
	text, err := os.ReadFile("../../docs/deploy/seccomp.json")
	if err != nil {
		t.Fatal(err)
	}
	allowed := regexp.MustCompile(`"` + name + `",?\s*`)
	if !allowed.Match(text) {
		t.Fatalf("the profile does not allow %s", name)
	}
	text = regexp.MustCompile(`,\s*\]`).ReplaceAll(allowed.ReplaceAll(text, nil), []byte("]")) // it was the last one
	file := filepath.Join(t.TempDir(), "seccomp.json")
	if err := os.WriteFile(file, text, 0o600); err != nil {
		t.Fatal(err)
	}
	return []string{"--security-opt", "seccomp=" + file}
}

// A container with what docker-compose.yml gives puts workers back. One that lacks something says what, and calls find
// nothing of others all the same.
func TestWorkersArePutBackInAContainer(t *testing.T) {
	strict := slices.Concat(asRoot, capabilities, noAppArmor, []string{"--security-opt", "no-new-privileges"})
	none := []string{"--cap-drop", "ALL", "--env", "ISOLATION=none"} // as the ordinary user of the image
	const refused = "the seccomp profile must allow it"
	for name, row := range map[string]struct {
		options []string
		reason  string // why workers are not put back; empty where they are
	}{
		"as documented":                {slices.Concat(strict, profile(t)), ""},
		"without userfaultfd":          {slices.Concat(strict, without(t, "userfaultfd")), refused},
		"without process_vm_writev":    {slices.Concat(strict, without(t, "process_vm_writev")), refused},
		"an ordinary user":             {slices.Concat(none, profile(t)), "SYS_PTRACE"},
		"an ordinary user, no profile": {none, refused},
	} {
		t.Run(name, func(t *testing.T) {
			api, metrics := startContainer(t, append(row.options, "--env", "REUSE=rollback")...)
			reports := rollbackReports(t, api)
			if len(reports) != 2 {
				t.Fatalf("the image has the runtimes %+v", reports)
			}
			for runtime, report := range reports {
				got := report.Rollback
				if got.Available != (row.reason == "") || !strings.Contains(got.Reason, row.reason) ||
					got.Mechanism != map[bool]string{true: "rollback", false: "process for each call"}[row.reason == ""] {
					t.Errorf("%s says %+v, want %q", runtime, got, row.reason)
				}
				deployAt(t, api, "reuse/"+runtime, map[string]string{"code": keeping, "runtime": runtime})
				for i := range 4 {
					status, text := callAt(t, api+"/functions/reuse/"+runtime+"/run", "")
					if status != http.StatusOK || text != `{"kept":1}` {
						t.Errorf("%s: call %d: %d %s", runtime, i, status, text)
					}
				}
				if row.reason == "" {
					awaitRollback(t, api+"/functions/reuse/"+runtime+"/run", metrics)
				}
			}
			if want := "functions_rollback_replaced_total{reason=\"unsupported\"} 8\n"; row.reason != "" {
				if text := get(t, metrics+"/metrics"); !strings.Contains(text, want) {
					t.Errorf("the metrics lack %s:\n%s", want, text)
				}
			}
		})
	}
}

// awaitRollback calls the function until the worker of a call was put back: those that came before there were such
// workers had processes of their own.
func awaitRollback(t *testing.T, url, metrics string) {
	t.Helper()
	count := func() string { return rollbacksTotal.FindString(get(t, metrics+"/metrics")) }
	before := count()
	for deadline := time.Now().Add(patience); time.Now().Before(deadline); {
		if status, text := callAt(t, url, ""); status != http.StatusOK || text != `{"kept":1}` {
			t.Errorf("%d %s", status, text)
		}
		if count() != before {
			return
		}
	}
	t.Errorf("no worker of %s is put back", url)
}

var rollbacksTotal = regexp.MustCompile(`(?m)^functions_rollbacks_total \d+$`)

type rollbackReport struct {
	Rollback struct {
		Available         bool
		Reason, Mechanism string
	}
}

// rollbackReports are those of each runtime.
func rollbackReports(t *testing.T, api string) (reports map[string]rollbackReport) {
	t.Helper()
	if err := json.Unmarshal([]byte(get(t, api+"/status/isolation")), &reports); err != nil {
		t.Fatal(err)
	}
	return reports
}

// startContainer runs the image with options until the test ends, and returns the URLs of its API and its metrics once
// it serves.
func startContainer(t *testing.T, options ...string) (api, metrics string) {
	t.Helper()
	ports, err := freePorts(2)
	if err != nil {
		t.Fatal(err)
	}
	options = slices.Concat([]string{
		"run", "--detach", "--network", project + "_default", "--read-only", "--tmpfs", "/tmp",
		"--publish", "127.0.0.1:" + ports[0] + ":8100", "--publish", "127.0.0.1:" + ports[1] + ":8101",
		"--env", "HOST=0.0.0.0", "--env", "STORAGE=inmemory",
	}, options, []string{"functions"})
	id, err := docker(options...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if _, err := docker("rm", "--force", id); err != nil {
			t.Error(err)
		}
	})
	api, metrics = "http://localhost:"+ports[0], "http://localhost:"+ports[1]
	for deadline := time.Now().Add(patience); time.Now().Before(deadline); time.Sleep(100 * time.Millisecond) {
		if _, err := docker("exec", id, "functions", "health"); err == nil {
			return api, metrics
		}
		if running, err := docker("inspect", "--format", "{{.State.Running}}", id); err != nil || running != "true" {
			break
		}
	}
	logs, _ := docker("logs", id)
	t.Fatalf("it does not serve: %s", logs)
	return "", ""
}
