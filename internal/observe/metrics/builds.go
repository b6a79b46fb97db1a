package metrics

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/backstage/functions/internal/build"
)

// builds counts builds of functions.
type builds struct {
	results map[build.Result]prometheus.Counter
	seconds prometheus.Histogram
}

// buildBuckets are from the build of one small file to the longest that may be.
var buildBuckets = []float64{.02, .05, .1, .2, .5, 1, 2, 5, 10, 30}

func newBuilds(registry *prometheus.Registry) *builds {
	f := factory{registry}
	vec := f.counters("builds_total", "Builds of functions of files, by how they ended.", "result")
	return &builds{
		results: children(vec.WithLabelValues, build.Results...),
		seconds: f.histogram("build_seconds", "Time of builds of functions, with the wait for a place.", buildBuckets),
	}
}

// Built counts a build. It is safe for concurrent use.
func (b *builds) Built(result build.Result, took time.Duration) {
	b.results[result].Inc()
	b.seconds.Observe(took.Seconds())
}
