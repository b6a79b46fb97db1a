package config

import (
	"fmt"
	"log/slog"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/backstage/functions/internal/egress"
	"github.com/backstage/functions/internal/observe/logs"
	"github.com/backstage/functions/sandbox"
)

// testMachine has four processors and room for 96 workers of 128 MiB.
var testMachine = machine{cpus: 4, memory: 16 << 30}

// from loads a configuration from lines NAME=value.
func from(environ ...string) (*Config, error) {
	getenv := func(name string) (string, bool) {
		for _, entry := range environ {
			if value, ok := strings.CutPrefix(entry, name+"="); ok {
				return value, true
			}
		}
		return "", false
	}
	return load(getenv, environ, testMachine)
}

func mustLoad(t *testing.T, environ ...string) *Config {
	t.Helper()
	c, err := from(environ...)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestDefaults(t *testing.T) {
	c := mustLoad(t)
	env := c.ExposeEnv
	c.ExposeEnv, c.texts, c.machine, c.given = nil, nil, machine{}, nil
	want := &Config{
		Port: 8100, MetricsPort: 8101, Metrics: true, MetricsFunctions: "all", NumCPUs: 4,
		BodyLimit: 1 << 20, CodeLimit: 8 << 20, BuildMemory: 512 << 20, BuildConcurrency: 4, BodyDepth: 1000, ResponseLimit: 8 << 20,
		Storage: StorageEmbedded, DataDir: "./data", Auth: AuthOff, MetricsAuth: AuthOff, AdminKeyFile: "data/admin.key", SecretsKeysetFile: "data/secrets.keyset", RedisKeyPrefix: "local", RedisDialTimeout: time.Second,
		Audit:       Audit{Kept: 10_000, TTL: 90 * 24 * time.Hour},
		SyncTimeout: 100 * time.Millisecond, AsyncTimeout: 5 * time.Second,
		StreamIdle: time.Minute, StreamTotal: 15 * time.Minute, StreamUnread: 10 * time.Second,
		FunctionTimeoutMax: 5 * time.Second, FunctionSyncTimeoutMax: 100 * time.Millisecond, FunctionMemoryMax: 128 << 20, FunctionCPUMax: 1,
		PipelineMaxSteps: 100, PipelineTimeout: time.Minute,
		HiddenEnv:   []string{"CLIENT_SECRET"},
		Packages:    Packages{CacheSize: 1 << 30, Limit: 50 << 20, Timeout: time.Minute},
		Modules:     []string{"lodash", "async", "request", "uuid", "node-fetch"},
		PoolReserve: 4, PoolSize: 3072, PoolActive: 32, PoolPrewarmed: 4, PoolSpare: 163, IdleTimeout: 10 * time.Minute, Reuse: "worker", RollbackAudit: 10_000, AfterAnswer: "finish", MemoryLimit: 128 << 20, CPULimit: 1,
		TmpSize:   16 << 20,
		QueueSize: 1000, QueueTimeout: 10 * time.Second, Isolation: sandbox.IsolationStrict,
		MaxConnections: 10_000, MetricsMaxConnections: 100, ShutdownTimeout: 20 * time.Second,
		HTTP: HTTP{
			Header: 10 * time.Second, Read: time.Minute, Body: 20 * time.Second, Write: 30 * time.Second, Idle: 2 * time.Minute,
			HeaderLimit: 128 << 10, BodyMemory: 128 << 20, AnswerMemory: 128 << 20,
		},
		Calls: Calls{
			Most: 10_000, Memory: 64 << 20, MostOfAll: 100_000, MemoryOfAll: 512 << 20, ResultLimit: 8 << 20, Workers: 16, Keep: 24 * time.Hour, KeepDead: 336 * time.Hour,
			Lease: 30 * time.Second, Kept: KeepFailures, KeptFor: 168 * time.Hour, KeptMost: 1000, KeptMemory: 64 << 20, CallbackTimeout: 15 * time.Second,
		},
		BatchInputs: 10_000, BatchParallel: 32,
		Limits:    Limits{Kept: 9600 * time.Hour},
		WebSocket: WebSocket{Message: 128 << 10, Memory: 64 << 20, Idle: 10 * time.Minute, Ping: 30 * time.Second},
		Egress: Egress{
			Policy: egress.Policy{Mode: egress.Public}, Namespaces: map[string]egress.Policy{}, Limits: egress.Limits{
				PerCall: 32, Total: 1024, Attempts: 1000, Bytes: 256 << 20, Connect: 5 * time.Second, Idle: time.Minute,
			},
		},
		LogLevel: "info", LogAppFormat: "text", AccessFormat: "tiny", Access: AccessOn, LogType: "local",
		Environment: map[string]string{}, LogHosts: []string{"localhost"}, LogPort: 12201, LogFields: c.LogFields, LogHeaderFields: map[string]string{},
		LogMaxMessage: 3000, LogMaxChunk: 32766, Trace: c.Trace,
		Kept: Kept{Lines: 1000, MaxLine: 4096, Memory: 64 << 20, Namespace: 16 << 20, TTL: 7 * 24 * time.Hour},
	}
	if !reflect.DeepEqual(c, want) {
		t.Errorf("defaults\n%#v\nwant\n%#v", c, want)
	}
	if env == nil || env.Len() != 0 || len(want.LogFields) != 0 {
		t.Errorf("env %v, fields %v", env, want.LogFields)
	}
}

func TestEmptyIsUnset(t *testing.T) {
	var environ []string
	for _, v := range Variables() {
		environ = append(environ, v.Name+"=")
	}
	if got, want := mustLoad(t, environ...), mustLoad(t); !reflect.DeepEqual(got, want) {
		t.Errorf("got\n%+v\nwant\n%+v", got, want)
	}
}

func TestValuesAreRead(t *testing.T) {
	for _, row := range []struct {
		environ string // lines with | between
		get     func(*Config) any
		want    any
	}{
		{"HOST=127.0.0.1", func(c *Config) any { return c.Host }, "127.0.0.1"},
		{"PORT=80", func(c *Config) any { return c.Port }, 80},
		{"PORT=0", func(c *Config) any { return c.Port }, 0},
		{"METRICS_PORT= 9000/tcp", func(c *Config) any { return c.MetricsPort }, 9000},
		{"USE_NODE_CLUSTER=true", func(c *Config) any { return c.Metrics }, true},
		{"USE_NODE_CLUSTER=false", func(c *Config) any { return c.Metrics }, false},
		{"USE_NODE_CLUSTER=TRUE", func(c *Config) any { return c.Metrics }, true},
		{"USE_NODE_CLUSTER=1", func(c *Config) any { return c.Metrics }, true},
		{"USE_NODE_CLUSTER=Off", func(c *Config) any { return c.Metrics }, false},
		{"USE_NODE_CLUSTER=maybe", func(c *Config) any { return c.Metrics }, false},
		{"PPROF=1|CANCEL_ON_DISCONNECT=yes|HTTP_KEEP_ALIVE=On", func(c *Config) any {
			return c.PProf && c.CancelOnDisconnect && c.Egress.KeepAlive
		}, true},
		{"HOST=[::1]", func(c *Config) any { return c.Host + " " + c.MetricsHost }, "::1 ::1"},
		{"HOST=127.0.0.1|METRICS_HOST=10.0.0.1", func(c *Config) any { return c.Host + " " + c.MetricsHost }, "127.0.0.1 10.0.0.1"},
		{"CODE_ASYNC_TIMEOUT=5s", func(c *Config) any { return c.AsyncTimeout }, 5 * time.Second},
		{"OTEL_BSP_SCHEDULE_DELAY=2s|OTEL_EXPORTER_OTLP_INSECURE=YES|OTEL_TRACES_SAMPLER=Always_Off", func(c *Config) any {
			return fmt.Sprint(c.Environment)
		}, "map[OTEL_BSP_SCHEDULE_DELAY:2000 OTEL_EXPORTER_OTLP_INSECURE:true OTEL_TRACES_SAMPLER:always_off]"},
		{"BUILD_CONCURRENCY=3", func(c *Config) any { return c.BuildConcurrency }, 3},
		{"CODE_LIMIT=1mb", func(c *Config) any { return c.CodeLimit }, int64(1 << 20)},
		{"BODY_PARSER_LIMIT=500kb", func(c *Config) any { return c.BodyLimit }, int64(512000)},
		{"NPM_REGISTRY=https://u:p@npm/x|NPM_REGISTRY_TOKEN=t", func(c *Config) any {
			return string(c.Packages.Registry) + " " + string(c.Packages.Token)
		}, "https://u:p@npm/x t"},
		{"CODE_SYNC_TIMEOUT=250", func(c *Config) any { return c.SyncTimeout }, 250 * time.Millisecond},
		{"CODE_SYNC_TIMEOUT=250ms", func(c *Config) any { return c.SyncTimeout }, 250 * time.Millisecond},
		{"STREAM_IDLE_TIMEOUT=2m", func(c *Config) any { return c.StreamIdle }, 2 * time.Minute},
		{"STREAM_TIMEOUT=0s", func(c *Config) any { return c.StreamTotal }, time.Duration(0)},
		{"CODE_ASYNC_TIMEOUT=9s", func(c *Config) any { return c.FunctionTimeoutMax }, 9 * time.Second},
		{"FUNCTION_TIMEOUT_MAX=1m", func(c *Config) any { return c.FunctionTimeoutMax }, time.Minute},
		{"WORKER_MEMORY_LIMIT=64mb", func(c *Config) any { return c.FunctionMemoryMax }, int64(64 << 20)},
		{"FUNCTION_MEMORY_MAX=256mb", func(c *Config) any { return c.FunctionMemoryMax }, int64(256 << 20)},
		{"FUNCTION_SYNC_TIMEOUT_MAX=1s", func(c *Config) any { return c.FunctionSyncTimeoutMax }, time.Second},
		{"CODE_ASYNC_TIMEOUT=1e3", func(c *Config) any { return c.AsyncTimeout }, time.Second},
		{"DEFAULT_GLOBAL_MODULES= a , b,c", func(c *Config) any { return strings.Join(c.Modules, "|") }, "a|b|c"},
		{"STORAGE=redis", func(c *Config) any { return string(c.RedisEndpoint) }, defaultRedis},
		{"STORAGE=inmemory", func(c *Config) any { return c.Storage }, StorageInMemory},
		{"STORAGE=embedded|REDIS_ENDPOINT=redis://h", func(c *Config) any { return c.Storage }, StorageEmbedded},
		{"REDIS_ENDPOINT=redis://h", func(c *Config) any { return c.Storage }, StorageRedis},
		{"DBAAS_SENTINEL_ENDPOINT=sentinel://h", func(c *Config) any { return c.Storage + " " + string(c.RedisEndpoint) }, "redis sentinel://h"},
		{"DBAAS_SENTINEL_ENDPOINT=sentinel://h|REDIS_ENDPOINT=redis://r", func(c *Config) any { return string(c.RedisEndpoint) }, "redis://r"},
		{"REDIS_ENDPOINT=redis://h|LOGS_REDIS_ENDPOINT=redis://l", func(c *Config) any { return string(c.RedisEndpoint + c.LogsRedisEndpoint) }, "redis://hredis://l"},
		{"REDIS_KEY_PREFIX=prod:", func(c *Config) any { return c.RedisKeyPrefix }, "prod:"},
		{"DATA_DIR=/data", func(c *Config) any { return c.DataDir }, "/data"},
		{"ISOLATION=none", func(c *Config) any { return c.Isolation }, sandbox.IsolationNone},
		{"WORKER_MEMORY_LIMIT=1.5GB", func(c *Config) any { return c.MemoryLimit }, int64(3 << 29)},
		{"WORKER_CPU_LIMIT=0.5", func(c *Config) any { return c.CPULimit }, 0.5},
		{"WORKER_MAX_INVOCATIONS=1", func(c *Config) any { return c.MaxInvocations }, 1},
		{"REUSE=rollback", func(c *Config) any { return c.Reuse }, "rollback"},
		{"ROLLBACK_AUDIT=50", func(c *Config) any { return c.RollbackAudit }, 50},
		{"AFTER_ANSWER=cut", func(c *Config) any { return c.AfterAnswer }, "cut"},
		{"WORKER_IDLE_TIMEOUT=90s", func(c *Config) any { return c.IdleTimeout }, 90 * time.Second},
		{"QUEUE_SIZE=0", func(c *Config) any { return c.QueueSize }, 0},
		{"QUEUE_TIMEOUT=1m30s", func(c *Config) any { return c.QueueTimeout }, 90 * time.Second},
		{"RATE_FUNCTION=1/s|RATE_NAMESPACE=2/m|RATE_KEY=3/h|USAGE_KEPT=48h", func(c *Config) any {
			return fmt.Sprint(c.Limits.Function.Rate, c.Limits.Namespace.Rate, c.Limits.Key.Rate, c.Limits.Kept)
		}, "1/s 2/m 3/h 48h0m0s"},
		{`QUOTAS_FUNCTION={"calls":1}|QUOTAS_NAMESPACE={"cpu":"1h"}|QUOTAS_KEY={"egress":"1kb"}`, func(c *Config) any {
			return fmt.Sprint(c.Limits.Function.Quotas, c.Limits.Namespace.Quotas, c.Limits.Key.Quotas)
		}, "{1 0s 0} {0 1h0m0s 0} {0 0s 1024}"},
		{"MAX_CONCURRENCY_FUNCTION=3|MAX_CONCURRENCY_NAMESPACE=4", func(c *Config) any {
			return fmt.Sprint(c.MaxConcurrencyFunction, c.MaxConcurrencyNamespace)
		}, "3 4"},
		{"MAX_CONNECTIONS=0", func(c *Config) any { return c.MaxConnections }, 0},
		{"METRICS_MAX_CONNECTIONS=7", func(c *Config) any { return c.MetricsMaxConnections }, 7},
		{"HTTP_HEADER_TIMEOUT=1s|HTTP_READ_TIMEOUT=2s|HTTP_BODY_TIMEOUT=5s|HTTP_WRITE_TIMEOUT=3s|HTTP_IDLE_TIMEOUT=4s|" +
			"HTTP_HEADER_LIMIT=8kb|HTTP_BODY_MEMORY=20mb|HTTP_ANSWER_MEMORY=9mb", func(c *Config) any {
			return c.HTTP
		}, HTTP{time.Second, 2 * time.Second, 5 * time.Second, 3 * time.Second, 4 * time.Second, 8 << 10, 20 << 20, 9 << 20}},
		{"BODY_PARSER_LIMIT=32mb", func(c *Config) any { return c.HTTP.BodyMemory }, int64(512 << 20)},
		{"CANCEL_ON_DISCONNECT=true", func(c *Config) any { return c.CancelOnDisconnect }, true},
		{"SHUTDOWN_DELAY=5s|SHUTDOWN_TIMEOUT=1m", func(c *Config) any { return c.ShutdownDelay + c.ShutdownTimeout }, 65 * time.Second},
		{"CODE_ASYNC_TIMEOUT=90000", func(c *Config) any { return c.PipelineTimeout }, 90 * time.Second},
		{"QUEUE_TIMEOUT=1s|CODE_ASYNC_TIMEOUT=2000", func(c *Config) any { return c.ShutdownTimeout }, 8 * time.Second},
		{"NODE_BINARY=/node|RUNNER_DIR=/r", func(c *Config) any { return c.NodeBinary + c.RunnerDir }, "/node/r"},
		{"EGRESS=off|EGRESS_ALLOW=a.example, *.b.example:443,10.0.0.0/8", func(c *Config) any {
			return fmt.Sprint(c.Egress.Policy.Mode, c.Egress.Policy.Allow)
		}, "off[a.example *.b.example:443 10.0.0.0/8]"},
		{`EGRESS_DENY=x|EGRESS_NAMESPACES={"n":{"egress":"all","allow":"y","deny":"z"},"m":{}}`, func(c *Config) any {
			return fmt.Sprint(c.Egress.Namespaces)
		}, "map[m:{public [] [x]} n:{all [y] [z x]}]"},
		{"HTTP_KEEP_ALIVE=true|FUNCTIONS_USE_SSL_CERT_FILE=true|SSL_CERT_FILE=/ca", func(c *Config) any {
			return fmt.Sprintln(c.Egress.KeepAlive, c.Egress.UseCertFile, c.Egress.CertFile)
		}, "true true /ca\n"},
		{"EGRESS_CONNECTION_BYTES=1mb", func(c *Config) any { return c.Egress.Limits.Bytes }, int64(1 << 20)},
		{"LOG_LEVEL=silly", func(c *Config) any { return c.LogLevel }, "silly"},
		{"LOG_APP_FORMAT=json", func(c *Config) any { return c.LogAppFormat }, LogAppJSON},
		{"LOG_APP_FORMAT=console", func(c *Config) any { return c.LogAppFormat }, LogAppText},
		{"LOG_APP_FORMAT=CONSOLE", func(c *Config) any { return c.LogAppFormat }, LogAppText},
		{"LOG_APP_FORMAT=JSON", func(c *Config) any { return c.LogAppFormat }, LogAppJSON},
		{"RESPONSE_NOT_ALLOWED_FIELDS=A, b-c", func(c *Config) any { return strings.Join(c.HiddenEnv, "|") }, "A|b-c"},
		{"REDIS_CONNECTION_TIMEOUT=2500", func(c *Config) any { return c.RedisDialTimeout }, 2500 * time.Millisecond},
		{"METRICS_FUNCTIONS=namespace", func(c *Config) any { return c.MetricsFunctions }, "namespace"},
		{"LOG_ACCESS=no-probes", func(c *Config) any { return c.Access }, AccessNoProbes},
		{"TRUSTED_PROXIES=10.1.2.3/8, 192.0.2.7,2001:db8::/32", func(c *Config) any { return fmt.Sprint(c.TrustedProxies) }, "[10.0.0.0/8 192.0.2.7/32 2001:db8::/32]"},
		{"LOG_TYPE=gelf", func(c *Config) any { return c.LogType }, LogTypeGELF},
		{"LOG_HOSTS=a, b", func(c *Config) any { return strings.Join(c.LogHosts, "|") }, "a|b"},
		{`LOG_FIELDS={"a":1,"b":"c"}`, func(c *Config) any { return string(c.LogFields["a"]) + string(c.LogFields["b"]) }, `1"c"`},
		{`LOG_FIELDS_FROM_HTTP_HEADERS={"f":"x-h"}`, func(c *Config) any { return c.LogHeaderFields["f"] }, "x-h"},
		{"LOG_MAX_FULL_MESSAGE=10", func(c *Config) any { return c.LogMaxMessage }, 10},
		{"LOG_MAX_CHUNK_SIZE=1420", func(c *Config) any { return c.LogMaxChunk }, 1420},
	} {
		t.Run(row.environ, func(t *testing.T) {
			if got := row.get(mustLoad(t, strings.Split(row.environ, "|")...)); got != row.want {
				t.Errorf("got %#v, want %#v", got, row.want)
			}
		})
	}
}

func TestFaultsNameTheirVariable(t *testing.T) {
	for setting, want := range map[string]string{
		"POOL_SIZE=x":                          "must be a whole number from 1 to 10000",
		"POOL_SIZE=8 workers":                  "must be a whole number from 1 to 10000",
		"POOL_SIZE=0":                          "must be a whole number from 1 to 10000",
		"POOL_PREWARMED=-1":                    "must be a whole number from 0 to 10000",
		"POOL_SPARE=-1":                        "must be a whole number from 0 to 10000",
		"PORT=65536":                           "must be a whole number from 0 to 65535",
		"PORT=eighty":                          "must be a whole number from 0 to 65535",
		"PORT=-":                               "must be a whole number from 0 to 65535",
		"NUM_CPUS=0":                           "must be a whole number from 1 to 1024",
		"BODY_PARSER_LIMIT=10tb":               "must be a number of bytes from 1b to 1gb, with or without a unit (b, kb, mb, gb)",
		"BODY_PARSER_LIMIT=0":                  "must be a number of bytes from 1b to 1gb, with or without a unit (b, kb, mb, gb)",
		"HTTP_HEADER_LIMIT=1":                  "must be a number of bytes from 1kb to 16mb, with or without a unit (b, kb, mb, gb)",
		"PPROF=maybe":                          "must be true, 1, yes or on, or else false, 0, no or off",
		"FUNCTIONS_USE_SSL_CERT_FILE=maybe":    "must be true, 1, yes or on, or else false, 0, no or off",
		"HOST=http://h":                        "must be a host name or an IP address, without scheme and port",
		"OTEL_COLLECTOR_HOST=http://h":         "must be a host name or an IP address, without scheme and port",
		"OTEL_EXPORTER_OTLP_ENDPOINT=h:4317":   "must be a URL with its scheme, such as http://host:4318 or https://host",
		"OTEL_TRACES_SAMPLER_ARG=1.5":          "must be a number from 0 to 1",
		"CODE_SYNC_TIMEOUT=soon":               "must be a number of milliseconds from 1 to 3600000, or a duration with its unit, such as 500ms, 10s or 1m30s",
		"CODE_SYNC_TIMEOUT=0":                  "must be a number of milliseconds from 1 to 3600000, or a duration with its unit, such as 500ms, 10s or 1m30s",
		"CODE_ASYNC_TIMEOUT=3600001":           "must be a number of milliseconds from 1 to 3600000, or a duration with its unit, such as 500ms, 10s or 1m30s",
		"STORAGE=postgres":                     "must be redis, embedded or inmemory",
		"ISOLATION=some":                       "must be strict, process or none",
		"WORKER_MEMORY_LIMIT=16mb":             "must be a number of bytes from 32mb to 16gb, all the memory of this machine or container, with or without a unit (b, kb, mb, gb)",
		"WORKER_CPU_LIMIT=NaN":                 "must be a number from 0.01 to 1024",
		"RUNTIMES=node8":                       "must be name=path pairs separated by commas, names of letters, digits, dots and dashes",
		"RUNTIMES=a=/x,a=/y":                   "must name a once",
		"WORKER_CPU_LIMIT=0":                   "must be a number from 0.01 to 1024",
		"WORKER_IDLE_TIMEOUT=10":               "must be a duration from 1ms to 720h with its unit, such as 500ms, 10s or 1m30s",
		"QUEUE_TIMEOUT=-1s":                    "must be a duration from 1ms to 1h with its unit, such as 500ms, 10s or 1m30s",
		"MAX_CONNECTIONS=-1":                   "must be a whole number from 0 to 1000000",
		"SHUTDOWN_DELAY=-1s":                   "must be a duration from 0s to 1h with its unit, such as 500ms, 10s or 1m30s",
		"LOG_LEVEL=loud":                       "must be error, warn, info, verbose, debug or silly",
		"LOG_APP_FORMAT=xml":                   "must be text or json",
		"LOG_FIELDS=[]":                        "must be a JSON object: it does not begin as an object",
		"LOG_FIELDS=null":                      "must be a JSON object: it does not begin as an object",
		"LOG_FIELDS_FROM_HTTP_HEADERS={1":      "must be a JSON object of texts: invalid character '1'",
		`LOG_FIELDS_FROM_HTTP_HEADERS={"a":1}`: `must be a JSON object of texts: "a" does not name a request header`,
		"LOG_ACCESS=some":                      "must be on, no-probes, all or off",
		"TRUSTED_PROXIES=10.0.0.0/8,host":      `must be from 1 to 1000 addresses or networks such as 10.0.0.0/8,192.0.2.7, and "host" is neither`,
		"LOG_MAX_CHUNK_SIZE=65508":             "must be a whole number from 64 to 65507",
	} {
		name, value, _ := strings.Cut(setting, "=")
		_, err := from(setting)
		if want := fmt.Sprintf("%s: %s, got %q", name, want, value); err == nil || err.Error() != want {
			t.Errorf("error %v, want %s", err, want)
		}
	}
}

func TestAllFaultsAreTold(t *testing.T) {
	_, err := from("PORT=x", "STORAGE=y", "WORKER_MEMORY_LIMIT=z", "NUM_CPUS=0")
	if err == nil {
		t.Fatal("no error")
	}
	for _, name := range []string{"PORT: ", "STORAGE: ", "WORKER_MEMORY_LIMIT: ", "NUM_CPUS: "} {
		if !strings.Contains("\n"+err.Error(), "\n"+name) {
			t.Errorf("no fault of %s in\n%v", name, err)
		}
	}
	if lines := strings.Count(err.Error(), "\n") + 1; lines != 4 {
		t.Errorf("%d faults in\n%v", lines, err)
	}
}

func TestPoolFitsTheMachine(t *testing.T) {
	for _, row := range []struct {
		m            machine
		environ      []string
		size, active int
		prewarmed    int
		spare        int
		memory       int64
	}{
		{machine{cpus: 4, memory: 16 << 30}, nil, 3072, 32, 4, 163, 12 << 30},
		{machine{cpus: 4, memory: 1 << 30}, nil, 192, 6, 4, 10, 768 << 20},
		{machine{cpus: 4, memory: 256 << 20}, nil, 48, 2, 2, 2, 192 << 20},
		{machine{cpus: 4}, nil, 32, 32, 4, 0, 0},
		{machine{cpus: 4, memory: 16 << 30}, []string{"WORKER_MEMORY_LIMIT=1gb"}, 3072, 12, 4, 163, 12 << 30},
		{machine{cpus: 4, memory: 16 << 30}, []string{"NUM_CPUS=1"}, 3072, 8, 1, 163, 12 << 30},
		{machine{cpus: 4, memory: 16 << 30}, []string{"POOL_SIZE=3"}, 3, 3, 3, 0, 0},
		{machine{cpus: 4, memory: 16 << 30}, []string{"POOL_SIZE=3", "POOL_PREWARMED=0"}, 3, 3, 0, 0, 0},
		{machine{cpus: 4, memory: 16 << 30}, []string{"POOL_SIZE=300", "POOL_ACTIVE=8"}, 300, 8, 4, 73, 12 << 30},
		{machine{cpus: 4, memory: 16 << 30}, []string{"POOL_PREWARMED=2"}, 3072, 32, 2, 0, 12 << 30},
		{machine{cpus: 4, memory: 16 << 30}, []string{"POOL_PREWARMED=2", "POOL_SPARE=9"}, 3072, 32, 2, 9, 12 << 30},
		{machine{cpus: 1024, memory: 1 << 50}, []string{"WORKER_MEMORY_LIMIT=32mb"}, 10_000, 8192, 1024, 452, 3 << 48},
	} {
		c, err := load(func(name string) (string, bool) {
			for _, entry := range row.environ {
				if value, ok := strings.CutPrefix(entry, name+"="); ok {
					return value, true
				}
			}
			return "", false
		}, nil, row.m)
		if err != nil {
			t.Error(err)
			continue
		}
		if c.PoolSize != row.size || c.PoolActive != row.active || c.PoolPrewarmed != row.prewarmed || c.PoolSpare != row.spare || c.PoolMemory() != row.memory {
			t.Errorf("%+v %v: size %d, active %d, prewarmed %d, spare %d, memory %d, want %+v",
				row.m, row.environ, c.PoolSize, c.PoolActive, c.PoolPrewarmed, c.PoolSpare, c.PoolMemory(), row)
		}
	}
}

func TestOnlyAPoolSizeThatNobodySetIsLimited(t *testing.T) {
	for _, row := range []struct {
		environ           []string
		most, want, spare int
	}{
		{nil, 500, 500, 117},
		{nil, 50_000, 3072, 163},
		{nil, 1, 32, 0},
		{[]string{"POOL_SIZE=200"}, 100, 200, 0},
		{[]string{"POOL_ACTIVE=4"}, 1, 4, 0},
		{[]string{"POOL_SPARE=400"}, 500, 500, 400},
		{[]string{"POOL_SPARE=400"}, 300, 300, 296},
	} {
		c := mustLoad(t, row.environ...)
		if c.LimitPool(row.most); c.PoolSize != row.want || c.PoolSpare != row.spare {
			t.Errorf("%v limited to %d: %d and %d spare, want %d and %d", row.environ, row.most, c.PoolSize, c.PoolSpare, row.want, row.spare)
		}
	}
}

func TestMorePrewarmedThanWorkersIsAFault(t *testing.T) {
	_, err := from("POOL_SIZE=2", "POOL_PREWARMED=3")
	if want := "POOL_PREWARMED: 3 is more than POOL_SIZE, which is 2"; err == nil || err.Error() != want {
		t.Errorf("error %v, want %s", err, want)
	}
	_, err = from("POOL_SIZE=4", "POOL_PREWARMED=3", "POOL_SPARE=2")
	if want := "POOL_SPARE: 2 and POOL_PREWARMED, which is 3, are more than POOL_SIZE, which is 4"; err == nil || err.Error() != want {
		t.Errorf("error %v, want %s", err, want)
	}
}

func TestAnswerThatIsLargerThanTheMemoryOfAllIsAFault(t *testing.T) {
	_, err := from("RESPONSE_LIMIT=17mb", "HTTP_ANSWER_MEMORY=16mb")
	want := "RESPONSE_LIMIT: 17mb is more than HTTP_ANSWER_MEMORY, which is 16mb: one answer could cut off all others"
	if err == nil || err.Error() != want {
		t.Errorf("error %v, want %s", err, want)
	}
	for _, settings := range [][]string{{"RESPONSE_LIMIT=16mb", "HTTP_ANSWER_MEMORY=16mb"}, {"HTTP_ANSWER_MEMORY=1mb"}} {
		mustLoad(t, settings...)
	}
}

func TestExposedVariablesLoseTheirPrefix(t *testing.T) {
	c := mustLoad(t, "EXPOSE_ENV_B=1=2", "EXPOSE_ENV_A=", "EXPOSE_ENV_=", "NOT_EXPOSE_ENV_C=3", "PATH=/bin")
	text, err := c.ExposeEnv.MarshalJSON()
	if err != nil {
		t.Fatal(err)
	}
	if want := `{"B":"1=2","A":""}`; string(text) != want {
		t.Errorf("exposed %s, want %s", text, want)
	}
}

func TestSecretsAreNotPrinted(t *testing.T) {
	for given, want := range map[string]string{
		"redis://:hunter2@h:6379/0":                     "redis://***@h:6379/0",
		"redis://user:hunter2@h":                        "redis://***@h",
		"redis://:hunter2?hunter2@hunter2/@h":           "redis://***@h",
		"sentinel://:hunter2@a:1,b:2/service_name:NAME": "sentinel://***@a:1,b:2/service_name:NAME",
		"redis://h?password=hunter2":                    "redis://h?***",
		"redis://:hunter2@h?password=hunter2":           "redis://***@h?***",
		"redis://h?password=hunter2@hunter2":            "redis://***",
		"redis://:hunter2?a=hunter2@h":                  "redis://***",
		"redis://:hunter2@h?password=hunter2@hunter2":   "redis://***@h?***",
		":hunter2@h:6379":                               "***@h:6379",
		"redis://h:6379":                                "redis://h:6379",
	} {
		c := mustLoad(t, "REDIS_ENDPOINT="+given, "LOGS_REDIS_ENDPOINT="+given, "DBAAS_SENTINEL_ENDPOINT="+given, "EXPOSE_ENV_TOKEN=hunter2",
			"NPM_REGISTRY=https://hunter2@npm", "NPM_REGISTRY_TOKEN=hunter2")
		if string(c.RedisEndpoint) != given {
			t.Errorf("the endpoint itself became %q", string(c.RedisEndpoint))
		}
		var logged strings.Builder
		slog.New(slog.NewJSONHandler(&logged, nil)).Info("m", "endpoint", c.RedisEndpoint)
		for _, text := range []string{
			c.String(), c.RedisEndpoint.String(), logged.String(),
			fmt.Sprintf("%v %+v %#v %s", c.RedisEndpoint, c.RedisEndpoint, c.RedisEndpoint, c),
			fmt.Sprintf("%+v %#v", c.Packages, c.Packages) + want,
			fmt.Sprintf("%+v", *c),
		} {
			if strings.Contains(text, "hunter2") || !strings.Contains(text, want) {
				t.Errorf("%s prints as %s", given, text)
			}
		}
	}
}

func TestStringTellsWhatIsUsed(t *testing.T) {
	text := mustLoad(t, "STORAGE=redis", "PORT=80", "EXPOSE_ENV_A=b", "OTEL_EXPORTER_OTLP_HEADERS=a=b",
		"NPM_REGISTRY_TOKEN=t").String()
	for _, line := range []string{
		"OTEL_EXPORTER_OTLP_HEADERS=***", "NPM_REGISTRY_TOKEN=***",
		"PORT=80", "METRICS_PORT=8101", "POOL_SIZE=3072", "POOL_ACTIVE=32", "STORAGE=redis", "EXPOSE_ENV_A=***",
		"REDIS_ENDPOINT=sentinel://***@127.0.0.1:16380,127.0.0.1:16381,127.0.0.1:16382/service_name:redis-cluster",
	} {
		if !strings.Contains("\n"+text, "\n"+line+"\n") {
			t.Errorf("no line %s in\n%s", line, text)
		}
	}
}

func TestARedisForLinesAloneIsRefused(t *testing.T) {
	getenv := func(name string) (string, bool) {
		if name == "LOGS_REDIS_ENDPOINT" {
			return "redis://:hunter2@h", true
		}
		return "", false
	}
	_, err := Load(getenv, nil)
	if err == nil || !strings.HasPrefix(err.Error(), "LOGS_REDIS_ENDPOINT: is for STORAGE=redis") || strings.Contains(err.Error(), "hunter2") {
		t.Errorf("got %v", err)
	}
}

func TestVariablesWithoutEffectAreNamed(t *testing.T) {
	c := mustLoad(t, "METRIC_CLIENT=x", "REDIS_HEARTBEAT_SECS=5", "JAEGER_SAMPLER_TYPE=")
	if want := []string{"REDIS_HEARTBEAT_SECS", "METRIC_CLIENT"}; !slices.Equal(c.Ignored, want) {
		t.Errorf("ignored %v, want %v", c.Ignored, want)
	}
}

func TestLogLevelsAreThoseOfTheLog(t *testing.T) {
	for _, name := range []string{"error", "warn", "info", "verbose", "debug", "silly"} {
		if _, err := logs.ParseLevel(mustLoad(t, "LOG_LEVEL="+name).LogLevel); err != nil {
			t.Error(err)
		}
	}
}

func TestLoadFitsThisMachine(t *testing.T) {
	c, err := Load(func(string) (string, bool) { return "", false }, nil)
	if err != nil {
		t.Fatal(err)
	}
	if c.NumCPUs < 1 || c.PoolSize < 2 || c.PoolPrewarmed < 1 {
		t.Errorf("%d processors, %d workers, %d prewarmed", c.NumCPUs, c.PoolSize, c.PoolPrewarmed)
	}
}
