package sandbox

import "fmt"

// Runtime is one version of Node.js that functions may run on.
type Runtime struct {
	// Name is what an Invocation asks for; Node is the path of the binary.
	Name, Node string
}

// of is the configuration of the i-th runtime by itself. Those after the first keep one worker ready, if any.
func (c Config) of(i int) Config {
	c.Node = c.Runtimes[i].Node
	if i > 0 {
		c.Prewarmed = min(c.Prewarmed, 1)
	}
	return c
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
