package config

import (
	"crypto/sha256"
	"maps"
	"slices"
)

// sums are checksums of the values that were set, by variable: with them a change of a secret can be reported.
type sums map[string][sha256.Size]byte

func (s sums) add(name, text string) { s[name] = sha256.Sum256([]byte(text)) }

// Changes names the variables that next sets differently from c: those that SIGHUP applies to a running server, and
// those that need a restart.
func (c *Config) Changes(next *Config) (live, restart []string) {
	changed := map[string]bool{}
	for name, sum := range c.given {
		if next.given[name] != sum {
			changed[name] = true
		}
	}
	for name := range next.given {
		if _, ok := c.given[name]; !ok {
			changed[name] = true
		}
	}
	for _, name := range slices.Sorted(maps.Keys(changed)) {
		if slices.ContainsFunc(variables, func(v Variable) bool { return v.Name == name && v.Live }) {
			live = append(live, name)
		} else {
			restart = append(restart, name)
		}
	}
	return live, restart
}
