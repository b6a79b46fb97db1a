package config

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/backstage/functions/internal/spelling"
)

// readElsewhere are names that Go, systemd or OpenTelemetry read and that resemble ours.
var readElsewhere = []string{
	"HOME", "HOSTTYPE", "SSL_CERT_DIR", "HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "GOGC", "GOMEMLIMIT", "GOMAXPROCS",
	"TMPDIR",
	"LISTEN_FDS", "LISTEN_PID", "LISTEN_FDNAMES", "OTEL_LOGS_EXPORTER", "OTEL_METRICS_EXPORTER", "OTEL_LOG_LEVEL",
	"OTEL_EXPORTER_OTLP_METRICS_ENDPOINT", "OTEL_EXPORTER_OTLP_LOGS_ENDPOINT",
}

// ownPrefix matches names that nobody else is likely to use.
var ownPrefix = regexp.MustCompile(`^(EGRESS|WORKER|POOL|QUEUE|CODE|ISOLATION|SHUTDOWN|FUNCTION_LOGS|MAX_CONCURRENCY|` +
	`MAX_CONNECTIONS|BODY_PARSER)(_|$)`)

// serviceLink matches variables that Kubernetes and Docker set for a service, such as one named worker.
var serviceLink = regexp.MustCompile(`_SERVICE_(HOST|PORT(_.*)?)$|_PORT(_[0-9]+_(TCP|UDP|SCTP)(_.*)?)?$|_ENV_|_NAME$`)

// misspelt warns of variables in environ that resemble a known one. An unknown name has no effect, and a policy without
// effect lets everything out.
func misspelt(environ []string) []string {
	names := knownNames()
	var warnings []string
	for _, entry := range environ {
		name, value, _ := strings.Cut(entry, "=")
		if value == "" || slices.Contains(names, name) || slices.Contains(readElsewhere, name) ||
			strings.HasPrefix(name, exposePrefix) {
			continue
		}
		like, distance := spelling.Nearest(strings.ToUpper(name), names)
		if distance <= spelling.Allowed(name) || ownPrefix.MatchString(name) && !serviceLink.MatchString(name) {
			warnings = append(warnings, fmt.Sprintf("%s is set but unknown to this server: did you mean %s?", name, like))
		}
	}
	slices.Sort(warnings)
	return warnings
}

func knownNames() []string {
	var names []string
	for _, v := range variables {
		names = append(names, v.Name)
	}
	for _, v := range unused {
		names = append(names, v.Name)
	}
	return names
}

// like is spelling.DidYouMean for the names of variables.
func like(name string, known []string) string {
	return spelling.DidYouMean(strings.ToUpper(name), known)
}
