package archtest

// sandboxRoot is the package that could be lifted out of this module: it and what is below it import nothing beside it
// but the runner, which is the program inside its workers.
const (
	sandboxRoot = "sandbox"
	runnerRoot  = "runner-js"
)

// homes names, for the beginning of a library's path, the packages that may import it. Every library has one or a few
// of them; golang.org/x may be used anywhere.
var homes = map[string][]string{
	"github.com/coder/websocket":              {"internal/httpd/sockets"},
	"github.com/containerd/cgroups/":          {"sandbox/internal/cgroup"},
	"github.com/opencontainers/runtime-spec/": {"sandbox/internal/cgroup"},
	"github.com/coreos/go-oidc/":              {"internal/identity/oidc"},
	"github.com/go-jose/go-jose/":             {"internal/identity/oidc"},
	"github.com/coreos/go-systemd/":           {"internal/server"},
	"github.com/elastic/go-seccomp-bpf":       {"sandbox/internal/seccomp"},
	"github.com/evanw/esbuild/":               {"internal/build/bundle"},
	"github.com/getsentry/sentry-go":          {"internal/observe/sentry"},
	"github.com/go-json-experiment/json/":     {"sandbox/rawjson"},
	"github.com/google/uuid": {
		"internal/httpd/api", "internal/function", "internal/observe/sentry", "internal/records",
		"internal/store/storetest",
	},
	"github.com/go-sourcemap/": {"internal/stacktrace"},
	"github.com/gorilla/mux":   {"internal/httpd/api"},
	"github.com/miekg/dns":     {"internal/egress"},
	"github.com/prometheus/":   {"internal/observe/metrics"},

	"github.com/standard-webhooks/": {"internal/callbacks"},
	"github.com/tink-crypto/":       {"internal/secrets"},
	"github.com/spf13/cobra":        {"cmd/functions"},
	"github.com/tidwall/btree":      {"internal/store/line", "internal/store/recent"},
	"github.com/redis/go-redis/":    {"internal/store/redis", "internal/testenv"},
	"go.etcd.io/bbolt":              {"internal/store/bolt"},
	"github.com/go-logr/logr":       {"internal/observe/trace"},
	"go.opentelemetry.io/":          {"internal/observe/trace"},
	"golang.org/x/":                 nil,
}

// linuxOnly are libraries that only files named *_linux.go may import.
var linuxOnly = []string{"github.com/containerd/cgroups/"}
