package config

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	durations "github.com/backstage/functions/internal/duration"
)

// day is for limits.
const day = 24 * time.Hour

// duration reads a time with units.
func duration(least, most time.Duration, target func(*Config) *time.Duration) parser {
	return past(func(c *Config, text string) error {
		d, err := durations.Parse(text)
		if err != nil || d < least || d > most {
			return fmt.Errorf("must be a duration from %s to %s with its unit, such as 500ms, 10s or 1m30s",
				durations.Text(least), durations.Text(most))
		}
		*target(c) = d
		return nil
	}, []string{least.String(), most.String(), " " + strings.ToUpper(durations.Text(most)) + " "},
		[]string{(least - 1).String(), (most + 1).String(), "1", "-1", "soon", "10s x", "1e3s", "5 parsecs"})
}

// millis reads a time in milliseconds, or with units. The original knew only milliseconds and read the leading digits.
func millis(least, most time.Duration, target func(*Config) *time.Duration) parser {
	bare := func(d time.Duration) string { return strconv.FormatInt(d.Milliseconds(), 10) }
	return parser{
		read: func(c *Config, text string) error {
			d, err := readMillis(text)
			if err != nil || d < least || d > most {
				return fmt.Errorf("must be a number of milliseconds from %s to %s, or a duration with its unit, such as 500ms, "+
					"10s or 1m30s",
					bare(least), bare(most))
			}
			*target(c) = d
			if before, err := parseInt(text); err == nil && time.Duration(before)*time.Millisecond != d {
				return noticef("is read as %s; Backstage Functions read it as %d milliseconds", durations.Text(d), before)
			}
			return nil
		},
		within: []string{bare(least), bare(most), bare(least) + "ms", bare(most) + " ms"},
		beyond: []string{
			(least - 1).String(), (most + 1).String(), bare(most) + "1", "0", "-1", "soon", "5x", "5 parsecs",
			"1,000", "0x10", "NaN",
		},
		warned: []string{most.String(), "1e3", durations.Text(most)},
	}
}

// readMillis reads a duration; a bare number is milliseconds.
func readMillis(text string) (time.Duration, error) {
	f, err := readDecimal(strings.TrimSpace(text))
	if err != nil {
		return durations.Parse(text)
	}
	if f < 0 || f > float64(1000*day/time.Millisecond) {
		return 0, errors.New("out of range")
	}
	return time.Duration(f * float64(time.Millisecond)), nil
}
