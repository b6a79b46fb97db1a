package config

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
)

// readElsewhere are names that mean something to Go, to systemd or to OpenTelemetry, and are like some of ours.
var readElsewhere = []string{
	"HOME", "HOSTTYPE", "SSL_CERT_DIR", "HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "GOGC", "GOMEMLIMIT", "GOMAXPROCS", "TMPDIR",
	"LISTEN_FDS", "LISTEN_PID", "LISTEN_FDNAMES", "OTEL_LOGS_EXPORTER", "OTEL_METRICS_EXPORTER", "OTEL_LOG_LEVEL",
	"OTEL_EXPORTER_OTLP_METRICS_ENDPOINT", "OTEL_EXPORTER_OTLP_LOGS_ENDPOINT",
}

// ownPrefix begins names that nobody else is likely to use.
var ownPrefix = regexp.MustCompile(`^(EGRESS|WORKER|POOL|QUEUE|CODE|ISOLATION|SHUTDOWN|FUNCTION_LOGS|MAX_CONCURRENCY|MAX_CONNECTIONS|BODY_PARSER)(_|$)`)

// serviceLink is what Kubernetes and Docker set for a service by the name of worker, say.
var serviceLink = regexp.MustCompile(`_SERVICE_(HOST|PORT(_.*)?)$|_PORT(_[0-9]+_(TCP|UDP|SCTP)(_.*)?)?$|_ENV_|_NAME$`)

// misspelt warns of variables in environ that are like a known one and are not. A name that means nothing has no effect, and a policy that
// has no effect lets everything out.
func misspelt(environ []string) []string {
	names := knownNames()
	var warnings []string
	for _, entry := range environ {
		name, value, _ := strings.Cut(entry, "=")
		if value == "" || slices.Contains(names, name) || slices.Contains(readElsewhere, name) || strings.HasPrefix(name, exposePrefix) {
			continue
		}
		like, distance := nearest(strings.ToUpper(name), names)
		if distance <= allowedSlips(name) || ownPrefix.MatchString(name) && !serviceLink.MatchString(name) {
			warnings = append(warnings, fmt.Sprintf("%s is set and means nothing to this server: did you mean %s?", name, like))
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

// allowedSlips is how many letters of a name may be wrong, missing, too many or swapped before it is another name.
func allowedSlips(name string) int {
	switch {
	case len(name) <= 5:
		return 1
	case len(name) <= 12:
		return 2
	default:
		return 3
	}
}

// didYouMean names the known name that is like name, if there is one.
func didYouMean(name string, known []string) string {
	if like, distance := nearest(name, known); distance <= allowedSlips(name) {
		return fmt.Sprintf(": did you mean %q?", like)
	}
	return ""
}

// like is didYouMean for the names of variables.
func like(name string, known []string) string { return didYouMean(strings.ToUpper(name), known) }

// nearest is the one of known that is least unlike name, and how many slips lie between.
func nearest(name string, known []string) (like string, distance int) {
	for i, candidate := range known {
		if d := slips(name, candidate); i == 0 || d < distance {
			like, distance = candidate, d
		}
	}
	return like, distance
}

// slips is the number of letters to change, add, leave out or swap with their neighbour to turn a into b (optimal string alignment).
func slips(a, b string) int {
	before, last, row := make([]int, len(b)+1), make([]int, len(b)+1), make([]int, len(b)+1)
	for j := range last {
		last[j] = j
	}
	for i := 1; i <= len(a); i++ {
		row[0] = i
		for j := 1; j <= len(b); j++ {
			changed := 1
			if a[i-1] == b[j-1] {
				changed = 0
			}
			row[j] = min(last[j]+1, row[j-1]+1, last[j-1]+changed)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				row[j] = min(row[j], before[j-2]+1)
			}
		}
		before, last, row = last, row, before
	}
	return last[len(b)]
}
