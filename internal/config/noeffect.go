package config

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
)

// nodeReads are more names that Node.js, its libraries and ICU read, and so reached all functions of the original.
var nodeReads = []string{
	"UV_THREADPOOL_SIZE", "UV_USE_IO_URING", "OPENSSL_CONF", "SSLKEYLOGFILE", "LC_ALL",
	"LC_MESSAGES", "LANG",
}

var (
	nodeName = regexp.MustCompile(`^NODE_[A-Z0-9_]+$`)
	// notNodes matches names that look like those of Node.js and that images and Kubernetes set.
	notNodes = regexp.MustCompile(`^NODE_(VERSION|NAME|IP|HOST|PORT|POOL|ID|ROLE)$`)
	// english matches locales whose language is that of functions.
	english = regexp.MustCompile(`^(C|POSIX|en)([^A-Za-z]|$)`)
)

// nodeInstead says what to do instead of setting a variable of Node.js, as the end of a sentence.
var nodeInstead = map[string]string{
	"NODE_TLS_REJECT_UNAUTHORIZED": "EGRESS_TLS_INSECURE=true lets functions talk TLS with anybody",
	"NODE_USE_ENV_PROXY":           "EGRESS_PROXY names a proxy for all functions",
	"NODE_ENV":                     "EXPOSE_ENV_NODE_ENV shows it to functions as Backstage.env.NODE_ENV",
	"NODE_PATH":                    "modules lie beside the runner, see DEFAULT_GLOBAL_MODULES",
	"NODE_OPTIONS":                 "WORKER_MEMORY_LIMIT bounds a worker's heap",
	"LC_ALL":                       "functions format in English unless they name a locale",
	"LC_MESSAGES":                  "functions format in English unless they name a locale",
	"LANG":                         "functions format in English unless they name a locale",
}

// WithoutEffect lists the variables in environ (as in os.Environ()) that reached functions of Backstage Functions, or
// that it read, and that have no effect here, sorted by name. Reason says what to do instead, without a full stop;
// empty if there is nothing.
func WithoutEffect(environ []string) []Unused {
	var all []Unused
	for _, entry := range environ {
		name, value, _ := strings.Cut(entry, "=")
		if value == "" {
			continue
		}
		if i := slices.IndexFunc(unused, func(u Unused) bool { return u.Name == name }); i >= 0 {
			all = append(all, unused[i])
		} else if ofNode(name, value) {
			all = append(all, Unused{Name: name, Reason: nodeInstead[name]})
		}
	}
	slices.SortFunc(all, func(a, b Unused) int { return strings.Compare(a.Name, b.Name) })
	return all
}

// ofNode says whether Node.js would read a variable that nothing here reads.
func ofNode(name, value string) bool {
	if slices.ContainsFunc(variables, func(v Variable) bool { return v.Name == name }) {
		return false
	}
	if strings.HasPrefix(name, "LC_") || name == "LANG" {
		return slices.Contains(nodeReads, name) && !english.MatchString(value)
	}
	if name == "NODE_TLS_REJECT_UNAUTHORIZED" && value != "0" { // which is what functions have anyhow
		return false
	}
	if name == "NODE_USE_ENV_PROXY" { // it looks like a variable of a linked container
		return true
	}
	others := notNodes.MatchString(name) || serviceLink.MatchString(name)
	return slices.Contains(nodeReads, name) || nodeName.MatchString(name) && !others
}

// nodeWarning is one line about those of them that Node.js reads, if there are any.
func nodeWarning(environ []string) []string {
	var names, instead []string
	for _, u := range WithoutEffect(environ) {
		if slices.Contains(unused, u) {
			continue // the server warns of each of these itself
		}
		names = append(names, u.Name)
		if u.Reason != "" && !slices.Contains(instead, u.Reason) {
			instead = append(instead, u.Reason)
		}
	}
	if names == nil {
		return nil
	}
	line := fmt.Sprintf("Set, but without effect on functions: %s", strings.Join(names, ", "))
	if instead != nil {
		line += ". " + strings.Join(instead, "; ")
	}
	return []string{line}
}
