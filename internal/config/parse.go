package config

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/backstage/functions/internal/body"
)

// A parser reads the text of one variable into c. Its error begins with "must be" or "must hold".
type parser func(c *Config, text string) error

// The parsers below return one that sets the field that target points to.

func text(target func(*Config) *string) parser {
	return func(c *Config, text string) error {
		*target(c) = text
		return nil
	}
}

func oneOf[T ~string](target func(*Config) *T, values ...T) parser {
	return func(c *Config, text string) error {
		if slices.Contains(values, T(text)) {
			*target(c) = T(text)
			return nil
		}
		must := "must be " + string(values[0])
		for _, value := range values[1 : len(values)-1] {
			must += ", " + string(value)
		}
		return errors.New(must + " or " + string(values[len(values)-1]))
	}
}

// isTrue is the original's rule: "true" is true, all else is false.
func isTrue(target func(*Config) *bool) parser {
	return func(c *Config, text string) error {
		*target(c) = text == "true"
		return nil
	}
}

// whole reads all of the text as a number.
func whole(least, most int, target func(*Config) *int) parser {
	return number(strconv.Atoi, least, most, target)
}

// leading reads the digits that the text begins with, as the original does.
func leading(least, most int, target func(*Config) *int) parser {
	return number(parseInt, least, most, target)
}

func number(parse func(string) (int, error), least, most int, target func(*Config) *int) parser {
	return func(c *Config, text string) error {
		n, err := parse(text)
		if err != nil || n < least || n > most {
			return fmt.Errorf("must be a whole number from %d to %d", least, most)
		}
		*target(c) = n
		return nil
	}
}

// parseInt is JavaScript's parseInt(text, 10), whose NaN is an error here.
func parseInt(text string) (int, error) {
	text = strings.TrimSpace(text)
	end := 0
	for end < len(text) && (text[end] >= '0' && text[end] <= '9' || end == 0 && (text[end] == '-' || text[end] == '+')) {
		end++
	}
	return strconv.Atoi(text[:end])
}

// millis reads a number of milliseconds up to an hour, as leading does.
func millis(target func(*Config) *time.Duration) parser {
	const most = int(time.Hour / time.Millisecond)
	return func(c *Config, text string) error {
		n, err := parseInt(text)
		if err != nil || n < 1 || n > most {
			return fmt.Errorf("must be a whole number of milliseconds from 1 to %d", most)
		}
		*target(c) = time.Duration(n) * time.Millisecond
		return nil
	}
}

func duration(target func(*Config) *time.Duration) parser {
	return func(c *Config, text string) error {
		d, err := time.ParseDuration(text)
		if err != nil || d <= 0 {
			return errors.New("must be a duration above zero such as 500ms, 10s or 1m30s")
		}
		*target(c) = d
		return nil
	}
}

// pause reads a duration that may be none.
func pause(target func(*Config) *time.Duration) parser {
	return func(c *Config, text string) error {
		d, err := time.ParseDuration(text)
		if err != nil || d < 0 {
			return errors.New("must be a duration such as 0s, 500ms or 10s")
		}
		*target(c) = d
		return nil
	}
}

// size reads a number of bytes with a unit, of at least so many megabytes.
func size(leastMB int64, target func(*Config) *int64) parser {
	return func(c *Config, text string) error {
		n, err := body.ParseSize(text)
		if err != nil || n < leastMB<<20 || n == 0 {
			if leastMB > 0 {
				return fmt.Errorf("must be a number of bytes such as 128mb, at least %dmb", leastMB)
			}
			return errors.New("must be a number of bytes above zero such as 1mb")
		}
		*target(c) = n
		return nil
	}
}

func fraction(least, most float64, target func(*Config) *float64) parser {
	return func(c *Config, text string) error {
		f, err := strconv.ParseFloat(text, 64)
		if err != nil || !(f >= least && f <= most) { // NaN is refused too
			return fmt.Errorf("must be a number from %v to %v", least, most)
		}
		*target(c) = f
		return nil
	}
}

// list reads names between commas.
func list(target func(*Config) *[]string) parser {
	return func(c *Config, text string) error {
		var names []string
		for name := range strings.SplitSeq(text, ",") {
			if name = strings.TrimSpace(name); name != "" {
				names = append(names, name)
			}
		}
		*target(c) = names
		return nil
	}
}

// object reads a JSON object whose values fit V.
func object[V any](what string, target func(*Config) *map[string]V) parser {
	return func(c *Config, text string) error {
		var values map[string]V
		if err := json.Unmarshal([]byte(text), &values); err != nil || values == nil {
			return errors.New("must be a JSON object" + what)
		}
		*target(c) = values
		return nil
	}
}
