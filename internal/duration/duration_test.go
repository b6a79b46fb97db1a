package duration_test

import (
	"testing"
	"time"

	"github.com/backstage/functions/internal/duration"
)

func TestDurationsAreReadWithSpacesAndInAnyCase(t *testing.T) {
	for text, want := range map[string]time.Duration{
		"500ms": 500 * time.Millisecond, " 1M 30S ": 90 * time.Second, "1.5h": 90 * time.Minute, "0s": 0, "-1s": -time.Second,
	} {
		if got, err := duration.Parse(text); err != nil || got != want {
			t.Errorf("%q is read as %v, %v", text, got, err)
		}
	}
	for _, text := range []string{"", "1", "soon", "1e3s", "5 parsecs", "10s x"} {
		if got, err := duration.Parse(text); err == nil {
			t.Errorf("%q is read as %v", text, got)
		}
	}
}

func TestDurationsAreWrittenShortAndReadTheSame(t *testing.T) {
	for d, want := range map[time.Duration]string{
		time.Hour: "1h", time.Minute: "1m", 90 * time.Second: "1m30s", time.Millisecond: "1ms", 0: "0s",
		time.Hour + time.Second: "1h0m1s", 1500 * time.Millisecond: "1.5s", 10 * time.Minute: "10m", 100 * time.Hour: "100h",
	} {
		got := duration.Text(d)
		if back, err := duration.Parse(got); got != want || err != nil || back != d {
			t.Errorf("%v is written %q, which is read as %v, %v", d, got, back, err)
		}
	}
}
