package config

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
)

// Variable describes one environment variable.
type Variable struct {
	// Group is what the variable is about, a heading.
	Group string
	Name  string
	// Default is the value when the variable is not set, or in words how it comes about.
	Default string
	// Meaning is one sentence or a few.
	Meaning string

	// Live says that SIGHUP gives a running server the value that CONFIG_FILE has now.
	Live bool

	// secret keeps the value out of what is printed, as far as it is one.
	secret bool
	parse  parser
	// derive makes the default when that depends on other variables, which stand before this one, or on the machine. Empty
	// text is none. Default is in words then.
	derive func(*Config, machine) string
}

// Variables returns all variables that have an effect, in the order in which they are documented.
func Variables() []Variable { return slices.Clone(variables) }

// textOf is the value that was set, or else the one that stands for it.
func (v *Variable) textOf(getenv func(string) (string, bool), c *Config, m machine) (text string, given bool) {
	if text, _ = getenv(v.Name); text != "" {
		return text, true
	}
	if v.derive != nil {
		return v.derive(c, m), false
	}
	return v.Default, false
}

// read has c take text. What is merely to be told is kept for a warning.
func (v *Variable) read(c *Config, text string, given bool) error {
	if !given {
		machine := c.machine
		c.machine.memory = 0
		defer func() { c.machine = machine; delete(c.Environment, v.Name) }()
	} else if strings.HasPrefix(v.Name, sdkPrefix) {
		c.Environment[v.Name] = text
	}
	err := v.parse.read(c, text)
	if err == nil {
		return nil
	}
	if n, ok := errors.AsType[notice](err); ok {
		c.Warnings = append(c.Warnings, fmt.Sprintf("%s=%q %s", v.Name, v.showWrong(text), n))
		return nil
	}
	return fmt.Errorf("%s: %w, got %q", v.Name, err, v.showWrong(text))
}

// maxShown is the most bytes of a wrong value that are printed.
const maxShown = 200

// showWrong is show for a value that was not understood: which part of it is secret is not known then.
func (v *Variable) showWrong(text string) string {
	if v.secret && !publicAddress.MatchString(text) {
		return mask
	}
	if len(text) > maxShown {
		return text[:maxShown] + "…"
	}
	return text
}

// publicAddress is an address that can hold no password.
var publicAddress = regexp.MustCompile(`^([a-z0-9+]+:)?(//)?[A-Za-z0-9.-]*(:[0-9]{1,5})?/?$`)

// show returns text as it may be printed.
func (v *Variable) show(text string) string {
	if v.secret {
		return Secret(text).String()
	}
	return text
}

// Unused is a variable of the original that has no effect here.
type Unused struct{ Name, Reason string }

// UnusedVariables returns the variables of the original that have no effect.
func UnusedVariables() []Unused { return slices.Clone(unused) }

// ignored lists those of them that are set.
func ignored(getenv func(string) (string, bool)) []string {
	var names []string
	for _, v := range unused {
		if value, _ := getenv(v.Name); value != "" {
			names = append(names, v.Name)
		}
	}
	return names
}
