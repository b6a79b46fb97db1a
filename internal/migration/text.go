package migration

import (
	"fmt"
	"net"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/backstage/functions/internal/function"
)

// Code is read as text: a guess that shows where to look, and misses what is built at run time.

// maxPerFunction is the most findings of one kind per function, maxMatches the most matches to check.
const (
	maxPerFunction = 20
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

// ports are the default ports of the schemes to look for.
var ports = map[string]uint16{
	"http": 80, "https": 443, "ws": 80, "wss": 443, "redis": 6379, "rediss": 6379, "mongodb": 27017, "mongodb+srv": 27017,
	"amqp": 5672, "amqps": 5671, "postgres": 5432, "postgresql": 5432, "mysql": 3306, "ftp": 21, "smtp": 25,
}

var (
	urls = regexp.MustCompile("(?i)\\b(https?|wss?|rediss?|mongodb(?:\\+srv)?|amqps?|postgres(?:ql)?|mysql|ftp|smtp)://" +
		"(?:[^\\s\"'`<>/@]{1,200}@)?(\\[[0-9a-f:.]{2,60}\\]|[a-z0-9_.-]{1,253})(?::(\\d{1,5}))?(?:[/?#\\s\"'`,;)<>\\\\]|$)")
	hosts = regexp.MustCompile("(?i)\\bhost(?:name)?[\"']?\\s*[:=]\\s*[\"'`]([a-z0-9_.-]{1,253})(?::(\\d{1,5}))?[\"'`]")
)

// target is what code may want to reach.
type target struct {
	host string
	port uint16
}

func (t target) String() string { return net.JoinHostPort(t.host, strconv.Itoa(int(t.port))) }

// newTarget is a port of a host, the scheme's default if there is none.
func newTarget(host, port string, usual uint16) target {
	if n, err := strconv.ParseUint(port, 10, 16); err == nil && n > 0 {
		usual = uint16(n)
	}
	return target{strings.ToLower(strings.Trim(host, "[]")), usual}
}

// targets are the targets in a text.
func targets(text string) (found []target) {
	add := func(host, port string, usual uint16) {
		t := newTarget(host, port, usual)
		if !slices.Contains(found, t) && len(found) < maxPerFunction {
			found = append(found, t)
		}
	}
	for _, m := range urls.FindAllStringSubmatch(text, maxMatches) {
		add(m[2], m[3], ports[strings.ToLower(m[1])])
	}
	for _, m := range hosts.FindAllStringSubmatch(text, maxMatches) {
		add(m[1], m[2], ports["https"])
	}
	return found
}
