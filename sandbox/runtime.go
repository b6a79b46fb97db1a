package sandbox

import (
	"fmt"
	"slices"
)

// Runtime is one version of Node.js that functions may run on.
type Runtime struct {
	// Name is what an Invocation asks for; Node is the path of the binary.
	Name, Node string
	// Version is what the binary reports, such as "v24.21.0". A pool finds it out.
	Version string
	// Modules and ModulesDir are those of Config for this runtime alone. Nil and empty stand for Config's.
	Modules    []string
	ModulesDir string
}

// Major is the major version of Node.js, such as 24; 0 while Version is not known.
func (r Runtime) Major() int { return r.number()[0] }

// number is the version as numbers, zeros while it is not known.
func (r Runtime) number() (n [3]int) {
	_, _ = fmt.Sscanf(r.Version, "v%d.%d.%d", &n[0], &n[1], &n[2]) // what cannot be read stays 0
	return n
}

// Newest is the one of runtimes with the newest Node.js, the first of several; the zero Runtime if there are none.
func Newest(runtimes []Runtime) Runtime {
	var newest Runtime
	for _, rt := range runtimes {
		found, best := rt.number(), newest.number()
		if newest.Name == "" || slices.Compare(found[:], best[:]) > 0 {
			newest = rt
		}
	}
	return newest
}

// firstFetch is the major version of Node.js that has fetch first.
const firstFetch = 18

// of is the configuration of a runtime by itself. Those that are not the first keep one worker ready, if any.
func (c Config) of(rt Runtime, first bool) Config {
	c.Node, c.Modules, c.hasFetch = rt.Node, c.modulesOf(rt), rt.Major() >= firstFetch
	c.later = !first
	if rt.ModulesDir != "" {
		c.ModulesDir = rt.ModulesDir
	}
	if !first {
		c.Prewarmed = min(c.Prewarmed, 1)
	}
	return c
}

// modulesOf are the names that functions on rt may require.
func (c Config) modulesOf(rt Runtime) []string {
	if rt.Modules != nil {
		return rt.Modules
	}
	return c.Modules
}

// checkRuntimes says what is wrong with the names and paths of runtimes.
func checkRuntimes(runtimes []Runtime) (faults []error) {
	seen := map[string]bool{}
	for i, rt := range runtimes {
		switch {
		case rt.Name == "" || rt.Node == "":
			faults = append(faults, fmt.Errorf("sandbox: config: Runtimes[%d] has no Name or no Node", i))
		case seen[rt.Name]:
			faults = append(faults, fmt.Errorf("sandbox: config: Runtimes[%d] has the Name of another, %s", i, rt.Name))
		}
		seen[rt.Name] = true
	}
	return faults
}
