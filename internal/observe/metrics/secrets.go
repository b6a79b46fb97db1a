package metrics

import (
	"github.com/prometheus/client_golang/prometheus"

	"github.com/backstage/functions/internal/secrets"
)

// secretErrors counts secrets that functions do not get.
type secretErrors struct{ reasons map[string]prometheus.Counter }

func newSecretErrors(registry *prometheus.Registry) *secretErrors {
	f := factory{registry}
	vec := f.counters("secret_errors_total", "Calls that failed since a secret was not to be had, by why.", "reason")
	return &secretErrors{children(vec.WithLabelValues, secrets.Reasons...)}
}

// SecretFailed counts a call that did not get a secret. It is safe for concurrent use.
func (s *secretErrors) SecretFailed(reason string) {
	if counter, ok := s.reasons[reason]; ok {
		counter.Inc()
	}
}
