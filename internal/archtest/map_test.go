package archtest

// arrows lists for each package which others of this module it may import. A package that is not named here, and an
// arrow that is not, is a fault: draw it here first, and see that it points inward.
//
//	cmd → server                           the program, and the one place that knows all rooms
//	server → api → invoke → function          the way of a call
//	            invoke → sandbox           public, and knows nothing of internal/
//	                     sandbox → runner-js   the program inside its workers, carried in the binary
//	api, invoke → outcome → body, function what an error means
//	all → sandbox/rawjson                  JSON text, read and written without values
//	store/{bolt, mem, redis} → function
//	server → store → store/hook ← metrics, trace   the contract of stores, and who is told of their operations
//	store/{bolt, mem} → store/feed         who is told of a write
//	store/{bolt, redis} → store/keylock    one write of a function, or of an owner, at a time
//	store/{bolt, mem} → store/ring         for what no other server needs to see
//	logs, sentry, trace → invoke           adapters: they do not know each other, and only server knows them
//	metrics → connections, egress, invoke, sandbox   what it counts
//	api, trace → answer                    how an answer is watched
//	api, logs, qs → latin1                 the bytes of headers and URLs as text
var arrows = map[string][]string{
	"cmd/functions": {
		"internal/config", "internal/container", "internal/observe/logs", "internal/server", "internal/store/backup", "internal/store/bolt",
		"sandbox",
	},
	"internal/server": {
		"internal/httpd/api", "internal/config", "internal/httpd/connections", "internal/egress", "internal/function", "internal/httpd/health",
		"internal/invoke", "internal/observe/logs", "internal/metrics", "internal/migration", "internal/observe/sentry", "internal/store",
		"internal/store/backup", "internal/store/bolt", "internal/store/hook", "internal/store/mem", "internal/store/redis", "internal/observe/trace", "sandbox", "sandbox/hostinfo",
	},
	"internal/httpd/answer": {},
	"internal/httpd/api": {
		"internal/httpd/answer", "internal/httpd/body", "internal/function", "internal/invoke", "internal/httpd/latin1", "internal/outcome",
		"internal/httpd/qs", "internal/spelling", "sandbox", "sandbox/rawjson",
	},
	"internal/archtest":   {},
	"internal/httpd/body": {"sandbox/rawjson"},
	"internal/bytesize":   {},
	"internal/config": {
		"internal/bytesize", "internal/egress", "internal/function", "internal/httpd/body", "internal/spelling", "sandbox", "sandbox/hostinfo",
	},
	"internal/httpd/connections": {},
	"internal/container":         {},
	"internal/egress":            {"sandbox"},
	"internal/function":          {"sandbox/rawjson"},
	"internal/httpd/health":      {},
	"internal/invoke":            {"internal/function", "internal/outcome", "sandbox", "sandbox/rawjson"},
	"internal/httpd/latin1":      {},
	"internal/observe/logs":      {"internal/function", "internal/invoke", "internal/httpd/latin1", "sandbox", "sandbox/rawjson"},
	"internal/metrics": {
		"internal/egress", "internal/function", "internal/httpd/connections", "internal/invoke", "internal/store/hook", "sandbox",
	},
	"internal/migration":      {"internal/function", "sandbox/rawjson"},
	"internal/outcome":        {"internal/httpd/body", "internal/function", "sandbox"},
	"internal/httpd/qs":       {"internal/httpd/latin1", "sandbox/rawjson"},
	"internal/observe/sentry": {"internal/function", "internal/invoke", "sandbox", "sandbox/rawjson"},
	"internal/spelling":       {},
	"runner-js":               {},
	"internal/store":          {"internal/function", "internal/store/hook"},
	"internal/store/backup":   {},
	"internal/store/bolt": {
		"internal/function", "internal/store/feed", "internal/store/keylock", "internal/store/ring", "sandbox/rawjson",
	},
	"internal/store/feed":    {"internal/function"},
	"internal/store/hook":    {"internal/function"},
	"internal/store/keylock": {},
	"internal/store/mem":     {"internal/function", "internal/store/feed", "internal/store/ring"},
	"internal/store/redis":   {"internal/function", "internal/store/keylock"},
	"internal/store/ring":    {"internal/function"},
	"internal/observe/trace": {
		"internal/function", "internal/httpd/answer", "internal/invoke", "internal/store/hook", "sandbox",
	},

	// For tests alone: no arrow leads to them.
	"internal/httpd/api/contracttest": {"internal/httpd/latin1"},
	"internal/dockertest":             {},
	"internal/store/storetest":        {"internal/function", "internal/store"},
	"internal/testenv":                {},
}

// sandboxRoot is the package that could be lifted out of this module: it and what is below it import nothing beside it
// but the runner, which is the program inside its workers.
const (
	sandboxRoot = "sandbox"
	runnerRoot  = "runner-js"
)

// homes names the packages that may import a library, all that begin with the path. Every library has one or a few, but
// for golang.org/x, which may be used anywhere.
var homes = map[string][]string{
	"github.com/containerd/cgroups/":          {"sandbox/internal/cgroup"},
	"github.com/opencontainers/runtime-spec/": {"sandbox/internal/cgroup"},
	"github.com/coreos/go-systemd/":           {"internal/server"},
	"github.com/elastic/go-seccomp-bpf":       {"sandbox/internal/seccomp"},
	"github.com/getsentry/sentry-go":          {"internal/observe/sentry"},
	"github.com/go-json-experiment/json/":     {"sandbox/rawjson"},
	"github.com/google/uuid":                  {"internal/httpd/api", "internal/function", "internal/observe/sentry", "internal/store/storetest"},
	"github.com/gorilla/mux":                  {"internal/httpd/api"},
	"github.com/miekg/dns":                    {"internal/egress"},
	"github.com/prometheus/":                  {"internal/metrics"},
	"github.com/spf13/cobra":                  {"cmd/functions"},
	"github.com/redis/go-redis/":              {"internal/store/redis", "internal/testenv"},
	"go.etcd.io/bbolt":                        {"internal/store/bolt"},
	"github.com/go-logr/logr":                 {"internal/observe/trace"},
	"go.opentelemetry.io/":                    {"internal/observe/trace"},
	"golang.org/x/":                           nil,
}

// linuxOnly are libraries that only files named *_linux.go may import.
var linuxOnly = []string{"github.com/containerd/cgroups/"}
