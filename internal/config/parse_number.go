package config

import (
	"errors"
	"fmt"
	"math"
	"regexp"
	"strconv"
	"strings"
)

// whole reads the whole text as a number.
func whole(least, most int, target func(*Config) *int) parser {
	return past(func(c *Config, text string) error {
		n, err := strconv.Atoi(strings.TrimSpace(text))
		if err != nil || n < least || n > most {
			return fmt.Errorf("must be a whole number from %d to %d", least, most)
		}
		*target(c) = n
		return nil
	}, around(least, most), append(outside(least, most), "x", "1.5", "1 x", "1e1", "0x1"))
}

// optional is p for a variable that may be unset: given tells whether it was set.
func optional(p parser, given func(*Config) *bool) parser {
	read := p.read
	p.read = func(c *Config, text string) error {
		err := read(c, text)
		*given(c) = err == nil
		return err
	}
	return p
}

func around(least, most int) []string { return []string{strconv.Itoa(least), strconv.Itoa(most)} }
func outside(least, most int) []string {
	return []string{strconv.Itoa(least - 1), strconv.Itoa(most + 1)}
}

// leading reads a number of the original, which read the leading digits and ignored the rest. If the meaning is clear,
// the number is accepted, with a notice if the text is not just a number. Otherwise it is refused.
func leading(least, most int, target func(*Config) *int) parser {
	p := whole(least, most, target)
	strict := p.read
	p.beyond = append(outside(least, most), "x", "-", strconv.Itoa(most)+"k", "0x1", strconv.Itoa(least)+"_000", "1,5",
		"10.0.0.1", "NaN", "Infinity")
	p.warned = []string{strconv.Itoa(most) + "/tcp", strconv.Itoa(least) + ".5", strconv.Itoa(most) + ".0"}
	p.read = func(c *Config, text string) error {
		err := strict(c, text)
		if err == nil {
			return nil
		}
		n, readErr := meantNumber(text)
		if readErr != nil || n < least || n > most {
			return err
		}
		*target(c) = n
		return noticef("should be a whole number, and is read as %d", n)
	}
	return p
}

var (
	decimal = regexp.MustCompile(`^[+-]?\d+(\.\d+)?([eE][+-]?\d+)?$`)
	// digitsFirst matches a number followed by something that is neither a unit nor more digits.
	digitsFirst = regexp.MustCompile(`^([+-]?\d+)[^\pL\pN.,_'+-][^\pN]*$`)
)

var errNoNumber = errors.New("not a number")

// meantNumber is the meaning of a text that is not quite a whole number; a fraction is dropped.
func meantNumber(text string) (int, error) {
	text = strings.TrimSpace(text)
	if match := digitsFirst.FindStringSubmatch(text); match != nil {
		return strconv.Atoi(match[1])
	}
	f, err := readDecimal(text)
	if err != nil || math.Abs(f) > math.MaxInt32 {
		return 0, errNoNumber
	}
	return int(f), nil
}

// readDecimal reads a decimal number; other bases are refused.
func readDecimal(text string) (float64, error) {
	if !decimal.MatchString(text) {
		return 0, errNoNumber
	}
	return strconv.ParseFloat(text, 64)
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

func fraction(least, most float64, target func(*Config) *float64) parser {
	write := func(f float64) string { return strconv.FormatFloat(f, 'f', -1, 64) }
	return past(func(c *Config, text string) error {
		f, err := readDecimal(strings.TrimSpace(text))
		if err != nil || !(f >= least && f <= most) { // NaN is refused too
			return fmt.Errorf("must be a number from %s to %s", write(least), write(most))
		}
		*target(c) = f
		return nil
	}, []string{write(least), write(most)},
		[]string{
			write(math.Nextafter(least, math.Inf(-1))), write(math.Nextafter(most, math.Inf(1))), "NaN", "Inf", "x",
			"50%", "0x1p-2", "1,5",
		})
}
