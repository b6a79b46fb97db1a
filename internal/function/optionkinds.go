package function

import (
	"errors"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/backstage/functions/internal/bytesize"
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
	option.sample = choices[0]
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
		n, _ := strconv.Atoi(value)
		return n, CountFault(value) == ""
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

// period is an option of a duration with its unit.
func period(name string, at func(*Options) **time.Duration) Option {
	option := withUnit(name, at, duration.Text, duration.Parse)
	option.sample = "1m30s"
	option.fault = func(string) string { return " is not a duration with its unit, such as 500ms, 10s or 1m30s" }
	return option
}

// size is an option of a number of bytes with its unit.
func size(name string, at func(*Options) **int64) Option {
	option := withUnit(name, at, bytesize.Text, bytesize.Parse)
	option.sample = "64mb"
	option.fault = func(string) string { return " is not a number of bytes with its unit, such as 64mb" }
	return option
}

// withUnit is an option of a number over 0 with its unit; empty stands for the server's own, and is kept as 0.
func withUnit[T ~int64](
	name string,
	at func(*Options) **T,
	write func(T) string,
	parse func(string) (T, error),
) Option {
	return newOption(name, at, func(value T) string {
		if value == 0 {
			return ""
		}
		return write(value)
	}, func(text string) (T, bool) {
		if text == "" {
			return 0, true
		}
		value, err := parse(text)
		return value, err == nil && value > 0
	})
}

// amount is an option of a number, which may have a fraction; 0 stands for the server's own.
func amount(name string, at func(*Options) **float64) Option {
	option := newOption(name, at, decimal, func(text string) (float64, bool) {
		f, err := strconv.ParseFloat(text, 64)
		return f, err == nil && f >= 0 && f <= MaxCount // NaN is neither
	})
	option.JSON, option.sample = true, "0.25"
	option.fault = amountFault
	return option
}

// decimal is f without an exponent, as short as it reads the same.
func decimal(f float64) string { return strconv.FormatFloat(f, 'f', -1, 64) }

func amountFault(text string) string {
	f, err := strconv.ParseFloat(text, 64)
	switch {
	case err != nil && !errors.Is(err, strconv.ErrRange):
		return " is not of a type(s) number"
	case f < 0:
		return " must have a minimum value of 0"
	}
	return " must have a maximum value of " + strconv.Itoa(MaxCount)
}
