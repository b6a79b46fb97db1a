package config

import (
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
)

const comingFrom = "../../docs/coming-from.md"

// named finds what looks like a variable in code of a page: FIRST_SECOND, with or without a value.
var named = regexp.MustCompile("`([A-Z][A-Z0-9]*(?:_[A-Z0-9]+)+)(?:=[^`]*)?`")

// TestComingFromNamesVariablesThatExist holds for those of this server, and for those of the original and of Node.js that
// have no effect.
func TestComingFromNamesVariablesThatExist(t *testing.T) {
	text, err := os.ReadFile(comingFrom)
	if err != nil {
		t.Fatal(err)
	}
	var known []string
	for _, v := range Variables() {
		known = append(known, v.Name, v.Default) // CLIENT_SECRET is both a default and a name
	}
	for _, v := range UnusedVariables() {
		known = append(known, v.Name)
	}
	found := named.FindAllStringSubmatch(string(text), -1)
	if len(found) == 0 {
		t.Error("names no variable")
	}
	for _, match := range found {
		if !slices.Contains(known, match[1]) && !strings.HasPrefix(match[1], "EXPOSE_ENV_") && !ofNode(match[1], "0") {
			t.Errorf("%s is no variable", match[1])
		}
	}
}

// TestComingFromHasAPartForEachVersion checks the headings to which other pages and messages point.
func TestComingFromHasAPartForEachVersion(t *testing.T) {
	text, err := os.ReadFile(comingFrom)
	if err != nil {
		t.Fatal(err)
	}
	for _, part := range []string{"How to move", "What answers differently", "From 0.2", "From 0.3", "From 0.4"} {
		if !strings.Contains(string(text), "\n## "+part+"\n") {
			t.Errorf("no part %q", part)
		}
	}
}
