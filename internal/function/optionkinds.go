package function

import (
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/backstage/functions/internal/duration"
)

// text is an option of any text; empty stands for the server's own setting.
func text(name string, at func(*Options) **string) Option {
	same := func(value string) string { return value }
	option := newOption(name, at, same, func(value string) (string, bool) { return value, true })
	option.sample = "7"
	return option
}

// choice is an option of one of some texts; empty stands for the server's own setting.
func choice(name string, at func(*Options) **string, choices ...string) Option {
	option := text(name, at)
	option.Choices, option.sample = choices, choices[0]
	set := option.set
	option.set = func(o *Options, value string) bool {
		return (value == "" || slices.Contains(choices, value)) && set(o, value)
	}
	option.fault = func(string) string { return OneOf(choices) }
	return option
}

// OneOf is the end of a sentence that lists what a text may be.
func OneOf(choices []string) string {
	return " is not one of enum values: " + strings.Join(choices, ",")
}

// MaxCount is the largest value of an option that is a whole number.
const MaxCount = 1_000_000_000

// count is an option of a whole number from 0 to MaxCount.
func count(name string, at func(*Options) **int) Option {
	option := newOption(name, at, strconv.Itoa, func(value string) (int, bool) {
		n, err := strconv.Atoi(value)
		return n, err == nil && n >= 0 && n <= MaxCount
	})
	option.JSON, option.fault, option.sample = true, CountFault, "7"
	return option
}

// CountFault is the end of a sentence that says what is wrong with value; empty for a whole number from 0 to MaxCount.
func CountFault(value string) string {
	n, err := strconv.Atoi(value)
	switch {
	case err != nil:
		return " is not of a type(s) integer"
	case n < 0:
		return " must have a minimum value of 0"
	case n > MaxCount:
		return " must have a maximum value of " + strconv.Itoa(MaxCount)
	}
	return ""
}

// period is an option of a duration with its unit; empty stands for the server's own, and is kept as 0.
func period(name string, at func(*Options) **time.Duration) Option {
	option := newOption(name, at, writePeriod, readPeriod)
	option.sample = "1m30s"
	option.fault = func(string) string { return " is not a duration with its unit, such as 500ms, 10s or 1m30s" }
	return option
}

func writePeriod(d time.Duration) string {
	if d == 0 {
		return ""
	}
	return duration.Text(d)
}

func readPeriod(text string) (time.Duration, bool) {
	if text == "" {
		return 0, true
	}
	d, err := duration.Parse(text)
	return d, err == nil && d > 0
}
