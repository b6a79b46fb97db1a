package config

import (
	"errors"
	"strings"
)

// words are the values of a switch, in upper or lower case.
var words = map[string]bool{
	"true": true, "1": true, "yes": true, "on": true,
	"false": false, "0": false, "no": false, "off": false,
}

var errNoSwitch = errors.New("must be true, 1, yes or on, or else false, 0, no or off")

// boolean reads a switch.
func boolean(target func(*Config) *bool) parser {
	return past(func(c *Config, text string) error {
		value, ok := words[strings.ToLower(strings.TrimSpace(text))]
		if !ok {
			return errNoSwitch
		}
		*target(c) = value
		return nil
	}, []string{"true", "1", "YES", "On", "false", "0", "No", "OFF"}, []string{"2", "-1", "maybe", "truetrue", "enabled"})
}

// booleanOr reads a switch of the original, which read only "true" as true and everything else as false. Unknown words
// are false too, which opens nothing. A word that the original read differently is a notice.
func booleanOr(target func(*Config) *bool) parser {
	p := boolean(target)
	strict := p.read
	p.within, p.warned, p.beyond = []string{"true", "false", "0", "No", "off"}, []string{"1", "YES", "on", "maybe"},
		[]string{"a\nb"}
	p.read = func(c *Config, text string) error {
		if err := checkText(text); err != nil {
			return err
		}
		if err := strict(c, text); err != nil {
			*target(c) = false
			return noticef("should be true or false, and is read as false")
		}
		if *target(c) && text != "true" {
			return noticef("is read as true; Backstage Functions read it as false")
		}
		return nil
	}
	return p
}
