package migration

import (
	"fmt"
	"regexp"

	"github.com/backstage/functions/internal/function"
)

// Code is read as text: a guess that shows where to look, and misses unusual forms and what is built at run time.

// maxPerFunction is the most findings of one kind per function, maxLooks the most hosts to look up for them, maxMatches
// the most matches to check.
const (
	maxPerFunction = 20
	maxLooks       = 200
	maxMatches     = 1000
)

// oddities are ways to answer that differ.
var oddities = []struct {
	in   *regexp.Regexp
	text string
}{
	{
		regexp.MustCompile(`\.(?:set|header|append)\(\s*["'][^"'\n]{1,100}["']\s*,\s*\[`),
		"a list as the value of a header is a line for each element here, joined by commas there",
	},
	{
		regexp.MustCompile("\\bthrow\\s+[\"'`]"),
		"a thrown string is the answer's error here, {} there",
	},
	{
		regexp.MustCompile(`\.status\(\s*(?:\d{1,2}|\d{4,}|[1-9]\d{2}[.\d]+)\s*\)`),
		"a status that HTTP does not have is answered 500 here, by closing the connection there",
	},
	{
		regexp.MustCompile(`\binstanceof\s+Error\b`),
		"new BadRequest() and the like are instanceof Error here, not there",
	},
}

func answers(code string) (texts []string) {
	for _, odd := range oddities {
		if odd.in.MatchString(code) {
			texts = append(texts, odd.text)
		}
	}
	return texts
}

// zone finds a variable TZ, which had no effect in Backstage Functions.
func (c *Check) zone(env *function.Env) []string {
	name, _ := env.Get("TZ")
	switch {
	case name == "" || name == c.TimeZone || c.IsZone == nil:
		return nil
	case c.IsZone(name):
		return []string{fmt.Sprintf("its variable TZ sets its time zone here: dates are in %s, there in that of the server",
			name)}
	}
	return []string{fmt.Sprintf("its variable TZ is %q, which is not a name of the time zone database: the zone of the "+
		"server applies, "+
		"and a line of its output says so", name)}
}
