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
	// Group is the heading under which the variable is documented.
	Group string
	Name  string
	// Default is the value if the variable is not set, or words that say how it is derived.
	Default string
	// Meaning is one sentence or more.
	Meaning string

	// Live says that SIGHUP applies a new value from CONFIG_FILE to a running server.
	Live bool

	// secret keeps the secret part of the value, an address, out of what is printed; masked keeps all of it out.
	secret, masked bool
	parse          parser
	// derive computes a default that depends on variables before this one, or on the machine. Empty text is none. Default
	// is in words then.
	derive func(*Config, machine) string
}

// Variables returns all variables that have an effect, in the order in which they are documented.
func Variables() []Variable { return slices.Clone(variables) }

// textOf is the value that was set, otherwise the default.
func (v *Variable) textOf(getenv func(string) (string, bool), c *Config, m machine) (text string, given bool) {
	if text, _ = getenv(v.Name); text != "" {
		return text, true
	}
	if v.derive != nil {
		return v.derive(c, m), false
	}
	return v.Default, false
}

// read stores text in c. A notice becomes a warning.
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

// showWrong is show for a value that was not understood: it is not known which part of it is secret.
func (v *Variable) showWrong(text string) string {
	if v.masked || v.secret && !publicAddress.MatchString(text) {
		return mask
	}
	if len(text) > maxShown {
		return text[:maxShown] + "…"
	}
	return text
}

// publicAddress matches an address that cannot contain a password.
var publicAddress = regexp.MustCompile(`^([a-z0-9+]+:)?(//)?[A-Za-z0-9.-]*(:[0-9]{1,5})?/?$`)

// show returns the printable form of text.
func (v *Variable) show(text string) string {
	if v.masked {
		return mask
	}
	if v.secret {
		return Secret(text).String()
	}
	return text
}

// Unused is a variable of the original without effect here.
type Unused struct{ Name, Reason string }

// UnusedVariables returns the variables of the original that have no effect.
func UnusedVariables() []Unused { return slices.Clone(unused) }

// ignored lists those that are set.
func ignored(getenv func(string) (string, bool)) []string {
	var names []string
	for _, v := range unused {
		if value, _ := getenv(v.Name); value != "" {
			names = append(names, v.Name)
		}
	}
	return names
}
