package config

import (
	"strings"
	"testing"
)

func TestMisspeltVariablesAreNamed(t *testing.T) {
	for given, like := range map[string]string{
		"POOL_SIZ=4": "POOL_SIZE", "EGRES=off": "EGRESS", "ERGESS=off": "EGRESS", "egress=off": "EGRESS", "EGRESS_DENIED=x": "EGRESS_DENY",
		"EGRESS_NAMESPACE={}": "EGRESS_NAMESPACES", "WORKER_MEMORY=1gb": "WORKER_MEMORY_LIMIT", "ISOLATON=none": "ISOLATION", "PORTS=1": "PORT",
		"REDIS_ENDPOIN=x": "REDIS_ENDPOINT", "CODE_ASYNC_TIMOUT=1": "CODE_ASYNC_TIMEOUT", "OTEL_TRACE_SAMPLER=x": "OTEL_TRACES_SAMPLER",
	} {
		name, value, _ := strings.Cut(given, "=")
		warnings := strings.Join(mustLoad(t, given).Warnings, "\n")
		if want := name + " is set but unknown to this server: did you mean " + like + "?"; warnings != want {
			t.Errorf("%s: %q, want %q", given, warnings, want)
		}
		if len(value) > 1 && strings.Contains(warnings, value) && value != "off" {
			t.Errorf("%s: the value is shown: %q", given, warnings)
		}
	}
}

func TestOtherVariablesAreNotTakenForMisspelt(t *testing.T) {
	environ := []string{
		"HOME=/root", "PATH=/bin", "HOSTNAME=h", "LANG=C", "PWD=/", "SHLVL=1", "TERM=xterm", "USER=root", "TMPDIR=/tmp", "LOGNAME=root",
		"HTTP_PROXY=x", "NO_PROXY=x", "http_proxy=x", "SSL_CERT_DIR=/x", "GOGC=100", "GOMEMLIMIT=1GiB", "NODE_VERSION=24.1.0",
		"KUBERNETES_SERVICE_HOST=1", "KUBERNETES_PORT=tcp://1", "REDIS_PORT=tcp://1:1", "REDIS_SERVICE_HOST=1", "REDIS_PORT_6379_TCP_ADDR=1",
		"WORKER_SERVICE_HOST=1", "WORKER_PORT=tcp://1", "WORKER_PORT_80_TCP_PROTO=tcp", "LISTEN_FDS=2", "INVOCATION_ID=x", "JOURNAL_STREAM=1:2",
		"EXPOSE_ENV_POOL_SIZ=1", "POOL_SIZE=8", "OTEL_METRICS_EXPORTER=none", "POOL_SIZ=", "_=/bin/x", "=",
	}
	if warnings := mustLoad(t, environ...).Warnings; len(warnings) > 0 {
		t.Errorf("%s", strings.Join(warnings, "\n"))
	}
}
