package config

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

// A parser reads the text of one variable and knows its limits: a test takes every variable to its limits and past
// them.
type parser struct {
	// read sets a field of c. Its error begins with "must be" or "must hold" and says the range. A notice is a warning and
	// not an error; the field is set.
	read func(c *Config, text string) error
	// within are texts at the limits, which are accepted. beyond are texts past them, which are refused. warned are
	// accepted with a notice.
	within, beyond, warned []string
	// largest are two more texts, one within and one beyond, that would be too large to make whenever the program starts;
	// nil when there are none.
	largest func() (within, beyond string)
}

// notice is a warning about an accepted value, such as that the original read it differently.
type notice string

func (n notice) Error() string { return string(n) }

func noticef(format string, args ...any) error { return notice(fmt.Sprintf(format, args...)) }

// past makes a parser of a function and of texts that it accepts and refuses.
func past(read func(*Config, string) error, within, beyond []string) parser {
	return parser{read: read, within: within, beyond: beyond}
}

// maxText is the most bytes of a text.
const maxText = 4096

// text accepts one line.
func text(target func(*Config) *string) parser {
	return textOf(func(c *Config, text string) error {
		*target(c) = text
		return nil
	})
}

// textOf is text for a function that stores it.
func textOf(keep func(*Config, string) error) parser {
	return past(func(c *Config, text string) error {
		if err := checkText(text); err != nil {
			return err
		}
		return keep(c, text)
	}, []string{"x", strings.Repeat("x", maxText)}, []string{strings.Repeat("x", maxText+1), "a\nb", "a\x00", "\xff"})
}

func checkText(text string) error {
	if len(text) > maxText || !utf8.ValidString(text) || strings.ContainsFunc(text, unicode.IsControl) {
		return fmt.Errorf("must be at most %d bytes of UTF-8 without control characters", maxText)
	}
	return nil
}

// oneOf accepts one of values, in upper or lower case.
func oneOf[T ~string](target func(*Config) *T, values ...T) parser {
	p := parser{beyond: []string{"nonsense", string(values[0]) + "x", string(values[0]) + "," + string(values[1])}}
	for _, value := range values {
		p.within = append(p.within, string(value), strings.ToUpper(string(value)))
	}
	p.read = func(c *Config, text string) error {
		i := indexFold(values, text)
		if i < 0 {
			return errors.New("must be " + alternatives(values))
		}
		*target(c) = values[i]
		return nil
	}
	return p
}

// alias also accepts word, in upper or lower case, for value.
func alias(word, value string, p parser) parser {
	read := p.read
	p.within = append(p.within, word, strings.ToUpper(word))
	p.read = func(c *Config, text string) error {
		if strings.EqualFold(strings.TrimSpace(text), word) {
			text = value
		}
		return read(c, text)
	}
	return p
}

// oneOfOr is oneOf for a variable of which the original accepted any text and read unknown words as otherwise.
func oneOfOr(otherwise string, target func(*Config) *string, values ...string) parser {
	p := oneOf(target, values...)
	strict := p.read
	p.beyond, p.warned = []string{"a\nb"}, []string{"nonsense", values[0] + "x"}
	p.read = func(c *Config, text string) error {
		if err := checkText(text); err != nil {
			return err
		}
		if err := strict(c, text); err != nil {
			*target(c) = otherwise
			return noticef("should be %s, and is read as %s", alternatives(values), otherwise)
		}
		return nil
	}
	return p
}

func indexFold[T ~string](values []T, text string) int {
	text = strings.TrimSpace(text)
	return slices.IndexFunc(values, func(value T) bool { return strings.EqualFold(string(value), text) })
}

// alternatives lists values as "a, b or c".
func alternatives[T ~string](values []T) string {
	var out strings.Builder
	for i, value := range values {
		switch {
		case i > 0 && i == len(values)-1:
			out.WriteString(" or ")
		case i > 0:
			out.WriteString(", ")
		}
		out.WriteString(string(value))
	}
	return out.String()
}

// maxNames is the most names of a list.
const maxNames = 1000

// list reads names separated by commas, each checked by check; valid is one that it accepts, wrong one that it does
// not.
func list(check func(string) error, valid, wrong string, target func(*Config) *[]string) parser {
	read := func(c *Config, text string) error {
		var names []string
		for name := range strings.SplitSeq(text, ",") {
			if name = strings.TrimSpace(name); name == "" {
				return errors.New("must be names separated by commas, and one is empty")
			}
			if err := check(name); err != nil {
				return fmt.Errorf("must be names separated by commas, and %q %w", name, err)
			}
			names = append(names, name)
		}
		if len(names) > maxNames {
			return fmt.Errorf("must be 1 to %d names separated by commas", maxNames)
		}
		*target(c) = names
		return nil
	}
	many := func(n int) string { return strings.TrimSuffix(strings.Repeat(valid+",", n), ",") }
	return past(read, []string{valid, many(maxNames)}, []string{
		many(maxNames + 1), wrong, valid + "," + wrong, ",", " ",
		valid + ",", valid + ",," + valid,
	})
}
