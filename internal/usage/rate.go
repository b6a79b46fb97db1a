package usage

import (
	"errors"
	"strconv"
	"strings"
	"time"
)

// maxCalls is the most calls of a Rate.
const maxCalls = 1_000_000_000

// Rate is how many calls may begin in a time. The zero value sets no limit.
//
// It stands for a bucket of Calls tokens that fills up evenly within Per: that many may begin at once after a pause.
type Rate struct {
	Calls int
	// Per is a second, a minute or an hour.
	Per time.Duration
}

// units are the times that a Rate may be for, by the text that stands for each.
var units = []struct {
	text, name string
	per        time.Duration
}{{"s", "second", time.Second}, {"m", "minute", time.Minute}, {"h", "hour", time.Hour}}

// errRate is the end of a sentence.
var errRate = errors.New(` is not a number of calls per second, minute or hour, such as "100/s", "600/m" or "5000/h"`)

// ParseRate reads a text such as "100/s"; an empty one is the zero value. Its error is the end of a sentence.
func ParseRate(text string) (Rate, error) {
	if text == "" {
		return Rate{}, nil
	}
	number, unit, _ := strings.Cut(strings.ReplaceAll(text, " ", ""), "/")
	calls, err := strconv.Atoi(number)
	if err != nil || calls < 1 || calls > maxCalls {
		return Rate{}, errRate
	}
	for _, u := range units {
		if strings.EqualFold(unit, u.text) {
			return Rate{calls, u.per}, nil
		}
	}
	return Rate{}, errRate
}

// IsSet says whether r sets a limit.
func (r Rate) IsSet() bool { return r.Calls > 0 }

// PerSecond is how many tokens the bucket gets in a second.
func (r Rate) PerSecond() float64 { return float64(r.Calls) / r.Per.Seconds() }

// within returns the Rate nearest to r that exceeds neither of the two: not in what may begin at once after a pause,
// nor in the long run. Both are set.
func (r Rate) within(other Rate) Rate {
	switch {
	case r.allowsNoMore(other):
		return r
	case other.allowsNoMore(r):
		return other
	}
	// One may begin more at once, the other more in the long run.
	slower, most := r, float64(min(r.Calls, other.Calls))
	if other.PerSecond() < r.PerSecond() {
		slower = other
	}
	var best Rate
	var nearest float64 // what it allows of both, as a part
	for _, u := range units {
		next := Rate{min(r.Calls, other.Calls, slower.Calls*int(u.per/time.Second)/int(slower.Per/time.Second)), u.per}
		if near := min(float64(next.Calls)/most, next.PerSecond()/slower.PerSecond()); near > nearest {
			best, nearest = next, near
		}
	}
	return best
}

// allowsNoMore says whether r allows nothing that other does not.
func (r Rate) allowsNoMore(other Rate) bool {
	return r.Calls <= other.Calls && r.PerSecond() <= other.PerSecond()
}

// String is the text that ParseRate reads; empty for the zero value.
func (r Rate) String() string {
	for _, u := range units {
		if r.IsSet() && r.Per == u.per {
			return strconv.Itoa(r.Calls) + "/" + u.text
		}
	}
	return ""
}

// Words is r as a part of a sentence, such as "100 calls per second".
func (r Rate) Words() string {
	for _, u := range units {
		if r.Per == u.per {
			return plural(int64(r.Calls), "call") + " per " + u.name
		}
	}
	return "any number of calls"
}

// CallsWords is a number of calls as a part of a sentence.
func CallsWords(n int64) string { return plural(n, "call") }

func plural(n int64, noun string) string {
	if n != 1 {
		noun += "s"
	}
	return strconv.FormatInt(n, 10) + " " + noun
}
