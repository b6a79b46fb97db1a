package config

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/backstage/functions/internal/smallfile"
)

// fileVariable names a file of variables.
const fileVariable = "CONFIG_FILE"

// maxFile is the most bytes of that file.
const maxFile = 1 << 20

// settings are the variables of a file.
type settings struct {
	names  []string // in the order of the file; functions see this order in Backstage.env
	values map[string]string
}

// readSettings reads a file of lines NAME=value. Empty lines and those that begin with # are skipped; quotes around a
// value are removed. The file belongs to the server, so an unknown name is an error. With an error it also returns the
// settings without errors.
func readSettings(path string) (settings, error) {
	text, err := smallfile.Read(path, maxFile)
	if err != nil {
		return settings{}, err
	}
	return parseSettings(path, string(text))
}

func parseSettings(path, text string) (settings, error) {
	found, known := settings{values: map[string]string{}}, knownNames()
	var faults []error
	number := 0
	for line := range strings.Lines(text) {
		number++
		line = strings.TrimSpace(line)
		if line == "" || line[0] == '#' {
			continue
		}
		if err := found.add(line, known); err != nil {
			faults = append(faults, fmt.Errorf("%s: line %d %w", path, number, err))
		}
	}
	return found, errors.Join(faults...)
}

func (s *settings) add(line string, known []string) error {
	name, value, ok := strings.Cut(line, "=")
	name = strings.TrimSpace(name)
	switch _, twice := s.values[name]; {
	case !ok || name == "":
		return errors.New("must be NAME=value")
	case name == fileVariable:
		return errors.New("sets " + fileVariable + ", which names this file")
	case !slices.Contains(known, name) && !isExposed(name):
		return fmt.Errorf("sets %q, which is not a variable of this server%s", name, like(name, known))
	case twice:
		return fmt.Errorf("sets %s a second time", name)
	}
	value, err := fileValue(value)
	if err != nil {
		return fmt.Errorf("sets %s to a value that %w", name, err)
	}
	s.names = append(s.names, name)
	s.values[name] = value
	return nil
}

func isExposed(name string) bool {
	return strings.HasPrefix(name, exposePrefix) && name != exposePrefix
}

// inlineComment matches what begins a comment after a value in other formats.
var inlineComment = regexp.MustCompile(`\s#`)

// fileValue is the value that text after the = stands for. A # after a space is an error: it may be meant as a comment.
func fileValue(text string) (string, error) {
	value := strings.TrimSpace(text)
	if value == "" || value[0] != '"' && value[0] != '\'' {
		if inlineComment.MatchString(text) {
			return "", errors.New("holds a # after a space: put quotes around the whole value, or the comment on a line of " +
				"its own")
		}
		return value, nil
	}
	inner, rest, closed := strings.Cut(value[1:], value[:1])
	switch {
	case !closed:
		return "", errors.New("has no closing quote: put one at its end, or quotes of the other kind around all of it")
	case rest != "":
		return "", errors.New("goes on after the closing quote: put quotes of the other kind around all of it, or a " +
			"comment on a line of its own")
	}
	return inner, nil
}

// below is the environment, completed by variables that only the file sets.
func (s settings) below(getenv func(string) (string, bool), environ []string) (func(string) (string, bool), []string) {
	both := slices.Clone(environ)
	for _, name := range s.names {
		if value, _ := getenv(name); value == "" {
			both = append(both, name+"="+s.values[name])
		}
	}
	return func(name string) (string, bool) {
		if value, ok := getenv(name); value != "" {
			return value, ok
		}
		value, ok := s.values[name]
		return value, ok
	}, both
}

// hidden warns of variables that the environment sets to another value.
func (s settings) hidden(getenv func(string) (string, bool)) []string {
	var warnings []string
	for _, name := range slices.Sorted(slices.Values(s.names)) {
		if value, _ := getenv(name); value != "" && value != s.values[name] {
			warnings = append(warnings, name+" in "+fileVariable+" has no effect: the environment sets it too and takes "+
				"precedence")
		}
	}
	return warnings
}
