package config

import "slices"

// Variable describes one environment variable.
type Variable struct {
	// Group is what the variable is about, a heading.
	Group string
	Name  string
	// Default is the value when the variable is not set, or in words how it comes about.
	Default string
	// Meaning is one sentence or a few.
	Meaning string

	// secret keeps the value out of what is printed, as far as it is one.
	secret bool
	parse  parser
	// derive makes the default when that depends on other variables, which stand before this one, or on the machine. Empty
	// text is none. Default is in words then.
	derive func(*Config, machine) string
}

// Variables returns all variables that have an effect, in the order in which they are documented.
func Variables() []Variable { return slices.Clone(variables) }

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
