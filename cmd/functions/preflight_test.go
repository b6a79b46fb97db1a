package main

import (
	"bytes"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// refused starts a server that does not start and returns what it writes.
func refused(t *testing.T, vars ...string) string {
	t.Helper()
	cmd := exec.Command(os.Args[0])
	cmd.Env = serverEnv(t, vars...)
	out, err := cmd.CombinedOutput()
	if err == nil {
		t.Errorf("%v: the server has started and ended", vars)
	}
	return string(out)
}

func TestAllFaultsOfVariablesAndFilesAreToldAtOnce(t *testing.T) {
	faults := []string{
		"QUEUE_SIZE=x", "LOG_MONGAN_FORMAT=:nothing", "REDIS_CA_FILE=/none/a", "REDIS_CERT_FILE=/none/b", "OTEL_EXPORTER_OTLP_CERTIFICATE=/none/c",
		"OTEL_EXPORTER_OTLP_CLIENT_KEY=/none/d", "FUNCTIONS_USE_SSL_CERT_FILE=true", "SSL_CERT_FILE=/none/e", "RUNTIMES=a=/none/f,b=/none/g", "RUNNER_DIR=/none/h",
	}
	out := refused(t, append(faults, "POOL_SIZ=4")...)
	for _, fault := range faults {
		name, value, _ := strings.Cut(fault, "=")
		if name == "FUNCTIONS_USE_SSL_CERT_FILE" {
			continue
		}
		if !strings.Contains(out, name+": ") && !strings.Contains(out, name+" and ") || name != "RUNTIMES" && !strings.Contains(out, value) {
			t.Errorf("no fault of %s in\n%s", name, out)
		}
	}
	for _, want := range []string{"RUNTIMES: a: no Node.js at /none/f", "RUNTIMES: b: no Node.js at /none/g", "warning: POOL_SIZ is set but unknown to this server"} {
		if !strings.Contains(out, want) {
			t.Errorf("no %q in\n%s", want, out)
		}
	}
	if strings.Contains(out, "NODE_BINARY") || strings.Contains(out, "Functions is listening") {
		t.Errorf("%s", out)
	}
}

func TestFaultsAreObjectsWhereTheFileAsksForThem(t *testing.T) {
	path := filepath.Join(t.TempDir(), "functions.conf")
	if err := os.WriteFile(path, []byte("LOG_APP_FORMAT=JSON\nPORT=1 # one\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(strings.TrimSpace(refused(t, "CONFIG_FILE="+path, "POOL_SIZ=4")), "\n")
	for i, level := range []string{"warn", "error"} {
		var line struct{ Level, Message string }
		decoder := json.NewDecoder(bytes.NewReader([]byte(lines[min(i, len(lines)-1)])))
		if err := decoder.Decode(&line); err != nil || line.Level != level || len(lines) != 2 {
			t.Errorf("%v: %q", err, lines)
		}
	}
}

func TestHostOfAListenerIsNamed(t *testing.T) {
	for _, name := range []string{"HOST", "METRICS_HOST"} {
		for _, value := range []string{"300.1.1.1", "192.0.2.77"} { // no address, and one for documentation
			if out := refused(t, "HOST=127.0.0.1", name+"="+value); !strings.Contains(out, name+": must be ") || !strings.Contains(out, `got "`+value+`"`) {
				t.Errorf("%s=%s: %s", name, value, out)
			}
		}
	}
}
