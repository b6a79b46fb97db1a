package config

import (
	"errors"
	"slices"
	"strings"
	"testing"
)

// alone reads one variable and nothing else.
func alone(t *testing.T, v *Variable, text string) error {
	t.Helper()
	c := &Config{texts: map[string]string{}, Environment: map[string]string{}, machine: machine{cpus: 4, memory: 0}}
	return v.parse.read(c, text)
}

func isNotice(err error) bool {
	_, ok := errors.AsType[notice](err)
	return ok
}

// texts are those within and beyond the limits of v.
func (v *Variable) texts() (within, beyond []string) {
	within, beyond = slices.Clone(v.parse.within), slices.Clone(v.parse.beyond)
	if v.parse.largest != nil {
		in, out := v.parse.largest()
		within, beyond = append(within, in), append(beyond, out)
	}
	return within, beyond
}

func TestEveryVariableHasBoundsAndHoldsThem(t *testing.T) {
	for _, v := range Variables() {
		t.Run(v.Name, func(t *testing.T) {
			within, beyond := v.texts()
			if len(within) == 0 || len(beyond) == 0 {
				t.Fatal("it has no bounds: give its parser texts that it takes and texts that it refuses")
			}
			for _, text := range within {
				if err := alone(t, &v, text); err != nil {
					t.Errorf("%.100q: %v", text, err)
				}
			}
			for _, text := range beyond {
				if err := alone(t, &v, text); err == nil || isNotice(err) {
					t.Errorf("%.100q was taken: %v", text, err)
				} else if !strings.HasPrefix(err.Error(), "must be ") && !strings.HasPrefix(err.Error(), "must hold ") && !strings.HasPrefix(err.Error(), "must name ") {
					t.Errorf("%.100q: the fault does not say what is taken: %v", text, err)
				}
			}
			for _, text := range v.parse.warned {
				if err := alone(t, &v, text); !isNotice(err) {
					t.Errorf("%.100q was read without a warning: %v", text, err)
				}
			}
		})
	}
}

func TestAFaultNamesVariableAndValue(t *testing.T) {
	for _, v := range Variables() {
		_, beyond := v.texts()
		for _, text := range beyond {
			if strings.TrimSpace(text) == "" {
				continue
			}
			_, err := from(v.Name + "=" + text)
			if err == nil {
				t.Errorf("%s=%.100q was taken", v.Name, text)
				continue
			}
			line, _, _ := strings.Cut(err.Error(), "\n")
			if !strings.HasPrefix(line, v.Name+": ") || !strings.Contains(line, ", got ") || len(line) > 1200 {
				t.Errorf("%s=%.100q: %.1500s", v.Name, text, line)
			}
		}
	}
}

func TestAFaultIsOfVariablesThatWereSetAlone(t *testing.T) {
	for _, v := range Variables() {
		_, beyond := v.texts()
		for _, text := range beyond {
			_, err := from(v.Name + "=" + text)
			failed, ok := errors.AsType[*LoadError](err)
			if !ok || strings.TrimSpace(text) == "" {
				continue
			}
			all, _ := failed.Faults.(interface{ Unwrap() []error })
			for _, fault := range all.Unwrap() {
				if names, _, _ := strings.Cut(fault.Error(), ": "); !strings.Contains(names, v.Name) {
					t.Errorf("%s=%.100q: %.500v", v.Name, text, fault)
				}
			}
		}
	}
}

func TestMemoryMustBeThere(t *testing.T) {
	for _, setting := range []string{"WORKER_MEMORY_LIMIT=999gb", "WORKER_MEMORY_LIMIT=17gb", "FUNCTION_LOGS_MEMORY=17gb"} {
		name, _, _ := strings.Cut(setting, "=")
		_, err := from(setting) // on a machine of 16gb
		if err == nil || !strings.HasPrefix(err.Error(), name+": must be a number of bytes from ") || !strings.Contains(err.Error(), "to 16gb, all the memory of this machine") {
			t.Errorf("%s: %v", setting, err)
		}
	}
	if c := mustLoad(t, "WORKER_MEMORY_LIMIT=16gb", "POOL_SIZE=1", "POOL_PREWARMED=1"); c.MemoryLimit != 16*gib {
		t.Errorf("got %d", c.MemoryLimit)
	}
}

func TestWhatIsReadOtherwiseThanBeforeIsTold(t *testing.T) {
	for setting, want := range map[string]string{
		"CODE_ASYNC_TIMEOUT=5s":        `CODE_ASYNC_TIMEOUT="5s" is read as 5s; Backstage Functions read it as 5 milliseconds`,
		"CODE_SYNC_TIMEOUT=1e3":        `CODE_SYNC_TIMEOUT="1e3" is read as 1s; Backstage Functions read it as 1 milliseconds`,
		"CODE_SYNC_TIMEOUT=250ms":      "",
		"NUM_CPUS=1.5":                 `NUM_CPUS="1.5" should be a whole number, and is read as 1`,
		"METRICS_PORT= 9000/tcp":       `METRICS_PORT=" 9000/tcp" should be a whole number, and is read as 9000`,
		"PORT=1e3":                     `PORT="1e3" should be a whole number, and is read as 1000`,
		"HTTP_KEEP_ALIVE=1":            `HTTP_KEEP_ALIVE="1" is read as true; Backstage Functions read it as false`,
		"HTTP_KEEP_ALIVE=perhaps":      `HTTP_KEEP_ALIVE="perhaps" should be true or false, and is read as false`,
		"USE_NODE_CLUSTER=Yes":         `USE_NODE_CLUSTER="Yes" is read as true; Backstage Functions read it as false`,
		"USE_NODE_CLUSTER=no":          "",
		"LOG_TYPE=file":                `LOG_TYPE="file" should be local or gelf, and is read as local`,
		"LOG_TYPE=GELF":                "",
		"OPENTRACING_ENGINE=lightstep": `OPENTRACING_ENGINE="lightstep" should be jaeger, none or no-op, and is read as none`,
		"TRACE_ENGINE=x":               `TRACE_ENGINE="x" should be opentracing or opentelemetry, and is read as opentracing`,
		"JAEGER_PROPAGATION=w3c":       `JAEGER_PROPAGATION="w3c" should be jaeger or b3, and is read as jaeger`,
		"PPROF=1":                      "",
		"CANCEL_ON_DISCONNECT=yes":     "",
	} {
		got := strings.Join(mustLoad(t, setting).Warnings, "\n")
		if got != want {
			t.Errorf("%s: warnings %q, want %q", setting, got, want)
		}
	}
}

func TestWrongSecretsAreNotPrinted(t *testing.T) {
	for _, setting := range []string{
		"SENTRY_DSN=hunter2:/secret", "SENTRY_DSN=https://host/hunter2", "OTEL_EXPORTER_OTLP_ENDPOINT=ftp://u:hunter2@h",
		"OTEL_EXPORTER_OTLP_HEADERS=hunter2", "NPM_REGISTRY_TOKEN=hunter2 x", "NPM_REGISTRY=ftp://:hunter2@h", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT=h/hunter2", "REDIS_ENDPOINT=redis://:hunter2\n",
	} {
		if _, err := from(setting); err == nil || strings.Contains(err.Error(), "hunter2") {
			t.Errorf("%s: %v", setting, err)
		}
	}
}
