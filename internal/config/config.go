// Package config reads the server's configuration from the environment.
//
// Every variable is described once, in variables.go: its name, its default and its meaning. What the server reads, what
// `functions serve --help` prints and docs/configuration.md are all made from there.
package config

import (
	"encoding/json"
	"fmt"
	"net/netip"
	"strconv"
	"strings"
	"time"

	"github.com/backstage/functions/internal/function"
	"github.com/backstage/functions/internal/identity"
	"github.com/backstage/functions/sandbox"
)

// The values of Storage.
const (
	StorageRedis    = "redis"
	StorageEmbedded = "embedded"
	StorageInMemory = "inmemory"
)

// The values of LogType and of LogAppFormat.
const (
	LogTypeGELF  = "gelf"
	LogTypeLocal = "local"
	LogAppText   = "text"
	LogAppJSON   = "json"
)

// The values of Access.
const (
	AccessOn       = "on"
	AccessNoProbes = "no-probes"
	AccessAll      = "all"
	AccessOff      = "off"
)

// Config is the configuration of the server. Each field names its variable, which is described in Variables.
type Config struct {
	// File is CONFIG_FILE, which has been read; empty for none.
	File string
	// Host is the address to listen on, HOST; empty means all. Port and MetricsPort are PORT and METRICS_PORT.
	Host string
	Port int
	// Run says whether to listen at RUN_HOST and RUN_PORT too, which are RunHost and RunPort.
	Run     bool
	RunHost string
	RunPort int
	// MetricsHost is the same for the metrics, METRICS_HOST.
	MetricsHost string
	MetricsPort int
	// Metrics says whether to listen on MetricsPort at all, USE_NODE_CLUSTER.
	Metrics bool
	// MetricsFunctions says which series functions have of their own, METRICS_FUNCTIONS: all, namespace or off.
	MetricsFunctions string
	// PProf says whether to serve profiles on the metrics port, PPROF.
	PProf bool
	// NumCPUs is the number of processors to plan with, NUM_CPUS.
	NumCPUs int
	// BodyLimit is the largest request body in bytes, BODY_PARSER_LIMIT.
	BodyLimit int64
	// CodeLimit is the most bytes of the files of a function, and of what is built of them, CODE_LIMIT.
	CodeLimit int64
	// BuildConcurrency is how many functions of files are built at the same time, BUILD_CONCURRENCY, and BuildMemory the
	// memory of each build in bytes, BUILD_MEMORY_LIMIT.
	BuildConcurrency int
	BuildMemory      int64
	// BodyDepth is how deep a body may nest, BODY_PARSER_DEPTH. ResponseLimit is the largest answer of a function in
	// bytes, RESPONSE_LIMIT.
	BodyDepth     int
	ResponseLimit int64

	// Storage is one of the Storage constants, STORAGE. DataDir is where the embedded one keeps its file, DATA_DIR.
	Storage string
	DataDir string
	// AllowedHosts are the hosts that callers may ask for, ALLOWED_HOSTS; nil if it is not set. AllowedOrigins are those
	// whose pages may change things, ALLOWED_ORIGINS.
	AllowedHosts   []string
	AllowedOrigins []string
	// MetricsAuth is METRICS_AUTH, AuthOff or AuthOn.
	MetricsAuth string
	// Auth is one of the Auth constants, AUTH, and AdminKeyFile ADMIN_KEY_FILE.
	Auth         string
	AdminKeyFile string
	// Issuers are those of OIDC_ISSUERS.
	Issuers []identity.Issuer
	// Audit says where records of writes and refusals go; see its fields.
	Audit Audit
	// SecretsKeysetFile and SecretsDir are SECRETS_KEYSET_FILE and SECRETS_DIR; an empty SecretsDir stands for none.
	SecretsKeysetFile, SecretsDir string
	// RedisEndpoint is REDIS_ENDPOINT or DBAAS_SENTINEL_ENDPOINT, and RedisVariable the name of the one that is set.
	// LogsRedisEndpoint is LOGS_REDIS_ENDPOINT, empty for the same Redis. RedisKeyPrefix is REDIS_KEY_PREFIX.
	RedisEndpoint     Secret
	RedisVariable     string
	RedisTLS          RedisTLS
	RedisDialTimeout  time.Duration // REDIS_CONNECTION_TIMEOUT
	LogsRedisEndpoint Secret
	RedisKeyPrefix    string

	// SyncTimeout and AsyncTimeout are CODE_SYNC_TIMEOUT and CODE_ASYNC_TIMEOUT.
	SyncTimeout  time.Duration
	AsyncTimeout time.Duration
	// StreamIdle, StreamTotal and StreamUnread are STREAM_IDLE_TIMEOUT, STREAM_TIMEOUT and STREAM_UNREAD_TIMEOUT; no
	// StreamTotal sets no limit.
	StreamIdle, StreamTotal, StreamUnread time.Duration
	// FunctionTimeoutMax and FunctionSyncTimeoutMax are the longest that functions may ask for, FUNCTION_TIMEOUT_MAX and
	// FUNCTION_SYNC_TIMEOUT_MAX.
	FunctionTimeoutMax     time.Duration
	FunctionSyncTimeoutMax time.Duration
	// FunctionMemoryMax is FUNCTION_MEMORY_MAX, in bytes; FunctionCPUMax is FUNCTION_CPU_MAX, in processors.
	FunctionMemoryMax int64
	FunctionCPUMax    float64
	// PipelineMaxSteps and PipelineTimeout are PIPELINE_MAX_STEPS and PIPELINE_TIMEOUT.
	PipelineMaxSteps int
	PipelineTimeout  time.Duration
	// TimeZone is TZ; empty if workers get none and see UTC.
	TimeZone string
	// Modules are the modules that functions may require, DEFAULT_GLOBAL_MODULES. ExposeEnv has the variables of the
	// server that all functions see, EXPOSE_ENV_*, without the prefix; never nil.
	Modules []string
	// ModulesDir is MODULES_DIR, empty for none.
	ModulesDir string
	ExposeEnv  *function.Env
	// HiddenEnv are RESPONSE_NOT_ALLOWED_FIELDS.
	HiddenEnv []string

	// Packages says where npm packages come from; see its fields.
	Packages Packages

	// OwnerSeparator is NAMESPACE_OWNER_SEPARATOR.
	OwnerSeparator string
	// These are POOL_RESERVE, POOL_SIZE, POOL_ACTIVE, POOL_PREWARMED and POOL_SPARE.
	PoolReserve   int
	PoolSize      int
	PoolActive    int
	PoolPrewarmed int
	PoolSpare     int
	// TmpSize is WORKER_TMP_SIZE, in bytes; 0 for no /tmp.
	TmpSize int64
	// MaxInvocations, IdleTimeout, MemoryLimit (bytes) and CPULimit (processors) are those of one worker, WORKER_*.
	MaxInvocations int
	IdleTimeout    time.Duration
	MemoryLimit    int64
	CPULimit       float64
	// QueueSize and QueueTimeout are QUEUE_SIZE and QUEUE_TIMEOUT.
	QueueSize    int
	QueueTimeout time.Duration
	// MaxConcurrencyFunction and MaxConcurrencyNamespace are MAX_CONCURRENCY_FUNCTION and MAX_CONCURRENCY_NAMESPACE; 0 for
	// none.
	MaxConcurrencyFunction  int
	MaxConcurrencyNamespace int
	// Isolation is the tier, ISOLATION.
	Isolation sandbox.Isolation
	// NodeBinary and RunnerDir are NODE_BINARY and RUNNER_DIR; empty if the server must find them.
	NodeBinary string
	// Runtimes is RUNTIMES; nil if it is not set. RuntimeModules is RUNTIME_MODULES, by the runtime's name.
	Runtimes       []sandbox.Runtime
	RuntimeModules map[string]RuntimeModules
	RunnerDir      string
	// ICUData is NODE_ICU_DATA; empty for the data that each Node.js has built in.
	ICUData string

	// MaxConnections is MAX_CONNECTIONS, 0 for any number. MetricsMaxConnections is METRICS_MAX_CONNECTIONS. HTTP limits
	// each connection.
	MaxConnections        int
	MetricsMaxConnections int
	HTTP                  HTTP
	// Limits are those of what calls may use; see its fields.
	Limits Limits
	// WebSocket limits connections that functions hold; see its fields.
	WebSocket WebSocket
	// Calls are asynchronous calls; see its fields.
	Calls Calls
	// BatchInputs and BatchParallel are BATCH_INPUTS and BATCH_PARALLEL.
	BatchInputs, BatchParallel int
	// TLSCertFile and TLSKeyFile are TLS_CERT_FILE and TLS_KEY_FILE, both empty for no TLS.
	TLSCertFile, TLSKeyFile string
	// HTTP2 is HTTP2, Compression is HTTP_COMPRESSION.
	HTTP2, Compression bool
	// Reuse is REUSE: function.ReuseWorker or ReuseRollback.
	Reuse string
	// RollbackAudit is ROLLBACK_AUDIT.
	RollbackAudit int
	// AfterAnswer is AFTER_ANSWER: function.AfterAnswerFinish or AfterAnswerCut.
	AfterAnswer string
	// CancelOnDisconnect is CANCEL_ON_DISCONNECT.
	CancelOnDisconnect bool
	// ShutdownDelay and ShutdownTimeout are SHUTDOWN_DELAY and SHUTDOWN_TIMEOUT.
	ShutdownDelay   time.Duration
	ShutdownTimeout time.Duration

	// Egress says what functions may reach; see its fields.
	Egress Egress

	// LogLevel is the name of the lowest level that is written, LOG_LEVEL. LogAppFormat is LOG_APP_FORMAT, AccessFormat is
	// LOG_MONGAN_FORMAT, Access is one of the Access constants, LOG_ACCESS.
	LogLevel     string
	LogAppFormat string
	AccessFormat string
	Access       string
	// TrustedProxies are those whose X-Forwarded-For is believed, TRUSTED_PROXIES; nil for none.
	TrustedProxies []netip.Prefix
	// LogType is LOG_TYPE. The rest is for LogTypeGELF: LOG_HOSTS and LOG_PORT, LOG_FIELDS (values as JSON),
	// LOG_FIELDS_FROM_HTTP_HEADERS (field to header), LOG_MAX_FULL_MESSAGE (characters), LOG_MAX_CHUNK_SIZE (bytes).
	LogType         string
	LogHosts        []string
	LogPort         int
	LogFields       map[string]json.RawMessage
	LogHeaderFields map[string]string
	LogMaxMessage   int
	LogMaxChunk     int

	// Kept says how much output of functions is kept; see its fields.
	Kept Kept

	// SentryDSN is the server's own Sentry project, SENTRY_DSN; empty for none.
	SentryDSN Secret
	// Trace says where spans go; see its fields.
	Trace Trace

	// Ignored names variables that are set and that the original read, but that have no effect here.
	Ignored []string

	// Warnings are sentences about variables for the operator: values that are read differently from the original, and
	// names that look misspelt.
	Warnings []string
	// Environment has the variables that OpenTelemetry's SDK reads from the process by itself, with values that it
	// understands.
	Environment map[string]string

	// texts are the values as given or derived, by variable; of secrets only the printable part.
	texts map[string]string
	given sums
	// machine is what limits depend on; defaults are within them by definition.
	machine machine
}

// HTTP has the limits of one connection; see the variables HTTP_*.
type HTTP struct {
	// Header is the time for the headers of a request, Read for all of it, Body for each part of its body, Write for each
	// part of an answer, Idle the time between requests.
	Header, Read, Body, Write, Idle time.Duration
	// HeaderLimit, BodyMemory and AnswerMemory are in bytes; the last two limit all connections together.
	HeaderLimit, BodyMemory, AnswerMemory int64
}

// WebSocket has the limits of WebSocket connections; see the variables WEBSOCKET_*.
type WebSocket struct {
	// Connections is how many there may be, 0 for none.
	Connections int
	// Message is the longest message, Memory what may wait to be sent, in bytes.
	Message, Memory int64
	// Idle is the longest time without a message, Ping that until a caller must show that it is there.
	Idle, Ping time.Duration
}

// Memory is that of the machine, or the limit of the container or service if that is less, in bytes; 0 if unknown.
func (c *Config) Memory() int64 { return c.machine.memory }

// PoolMemory is the most that all workers together may take, in bytes, if there may be more workers than may compute,
// or some with more memory than others; otherwise, and if the memory is unknown, 0.
func (c *Config) PoolMemory() int64 {
	if c.PoolActive >= c.PoolSize && c.FunctionMemoryMax <= c.MemoryLimit {
		return 0
	}
	return c.machine.poolMemory()
}

// LimitPool lowers POOL_SIZE, if it is not set, to that many, but not below POOL_ACTIVE, and POOL_SPARE with it.
func (c *Config) LimitPool(most int) {
	if c.isGiven("POOL_SIZE") {
		return
	}
	c.PoolSize = max(min(c.PoolSize, most), c.PoolActive)
	c.texts["POOL_SIZE"] = strconv.Itoa(c.PoolSize)
	most = c.PoolSize - c.PoolPrewarmed
	if !c.isGiven("POOL_SPARE") {
		most = c.mostSpare()
	}
	c.PoolSpare = max(min(c.PoolSpare, most), 0)
	c.texts["POOL_SPARE"] = strconv.Itoa(c.PoolSpare)
}

// mostSpare is the most that POOL_SPARE is by itself.
func (c *Config) mostSpare() int { return (c.PoolSize - c.PoolActive) / 4 }

// exposePrefix marks the variables that functions see.
const exposePrefix = "EXPOSE_ENV_"

// exposed collects the variables that functions see, without their prefix.
func exposed(environ []string) *function.Env {
	env := function.NewEnv()
	for _, entry := range environ {
		name, value, _ := strings.Cut(entry, "=")
		if name, ok := strings.CutPrefix(name, exposePrefix); ok && name != "" {
			env.Set(name, value)
		}
	}
	return env
}

// String lists the variables that have a value, one per line, without the values of secrets and of variables that
// functions see.
func (c *Config) String() string {
	var out strings.Builder
	for _, v := range variables {
		if text, ok := c.texts[v.Name]; ok {
			fmt.Fprintf(&out, "%s=%s\n", v.Name, text)
		}
	}
	for _, v := range c.ExposeEnv.Vars() {
		fmt.Fprintf(&out, "%s%s=%s\n", exposePrefix, v.Name, mask)
	}
	return out.String()
}
