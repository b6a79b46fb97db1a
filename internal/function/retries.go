package function

import (
	"encoding/json"
	"fmt"
	"time"

	"github.com/backstage/functions/internal/duration"
	"github.com/backstage/functions/internal/members"
	"github.com/backstage/functions/sandbox/rawjson"
)

// What holds where Retries say nothing.
const (
	DefaultAttempts = 3
	DefaultBackoff  = time.Second
	DefaultMaxAge   = 6 * time.Hour
)

// Limits of Retries.
const (
	MaxAttempts = 100
	maxBackoff  = time.Hour
	maxMaxAge   = 14 * 24 * time.Hour
)

// Retries say how often asynchronous calls of a function are tried. Zero fields stand for the defaults.
type Retries struct {
	// Attempts is how often a call is tried; 1 tries it once.
	Attempts int
	// Backoff is the longest wait after the first failure. It doubles with each one.
	Backoff time.Duration
	// MaxAge is how long after it was accepted an attempt may begin.
	MaxAge time.Duration
}

// WithDefaults is r with the defaults in place of zero fields.
func (r Retries) WithDefaults() Retries {
	if r.Attempts == 0 {
		r.Attempts = DefaultAttempts
	}
	if r.Backoff == 0 {
		r.Backoff = DefaultBackoff
	}
	if r.MaxAge == 0 {
		r.MaxAge = DefaultMaxAge
	}
	return r
}

// retries is an option that is a Retries: an object, {} for the defaults.
func retries(name string, at func(*Options) **Retries) Option {
	option := newOption(name, at, Retries.json, func(text string) (Retries, bool) {
		r, err := parseRetries([]byte(text))
		return r, err == nil
	})
	option.JSON = true
	option.sample = `{"attempts":5,"backoff":"2s","maxAge":"1h"}`
	option.fault = func(text string) string {
		_, err := parseRetries([]byte(text))
		return err.Error()
	}
	return option
}

// json is the inverse of parseRetries, without white space.
func (r Retries) json() string {
	o := rawjson.NewObject(nil)
	if r.Attempts > 0 {
		o.Raw("attempts", fmt.Append(nil, r.Attempts))
	}
	if r.Backoff > 0 {
		o.String("backoff", duration.Text(r.Backoff))
	}
	if r.MaxAge > 0 {
		o.String("maxAge", duration.Text(r.MaxAge))
	}
	return string(o.End())
}

// parseRetries reads the option. Its error is the end of a sentence that begins with its name.
func parseRetries(text []byte) (r Retries, err error) {
	given, err := members.Of(text, "")
	if err != nil {
		return r, err
	}
	if err := members.Set(given, r.set); err != nil {
		return Retries{}, err
	}
	return r, nil
}

// set reads one member.
func (r *Retries) set(name string, value json.RawMessage) error {
	known := []string{"attempts", "backoff", "maxAge"}
	switch name {
	case "attempts":
		if json.Unmarshal(value, &r.Attempts) != nil || r.Attempts < 1 || r.Attempts > MaxAttempts {
			return fmt.Errorf(".attempts is not a whole number from 1 to %d", MaxAttempts)
		}
		return nil
	case "backoff":
		return setPeriod(&r.Backoff, name, value, maxBackoff)
	case "maxAge":
		return setPeriod(&r.MaxAge, name, value, maxMaxAge)
	}
	return members.Unknown(name, known...)
}

func setPeriod(to *time.Duration, name string, value json.RawMessage, most time.Duration) error {
	var text string
	if json.Unmarshal(value, &text) == nil {
		if d, err := duration.Parse(text); err == nil && d > 0 && d <= most {
			*to = d
			return nil
		}
	}
	return fmt.Errorf(`.%s is not a duration with its unit of at most %s, such as "1s"`, name, duration.Text(most))
}
