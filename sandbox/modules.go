package sandbox

import (
	"fmt"
	"strings"
)

// ModulesError is that modules of Config.Modules can be loaded by no runtime.
type ModulesError struct {
	// Causes has a line for each of them and each runtime: "runtime: name: cause".
	Causes []string
}

// Error tells all causes.
func (e *ModulesError) Error() string {
	return "sandbox: modules that cannot be loaded: " + strings.Join(e.Causes, "; ")
}

// checkModules returns a *ModulesError when there are modules that none of the runtimes can load. Where at least one
// can, the others' functions that require them fail by themselves.
func checkModules(names, modules []string, report func(runtime string) Report) error {
	lacking := map[string][]string{}
	for _, runtime := range names {
		for _, line := range report(runtime).Modules {
			name, _, _ := strings.Cut(line, ": ")
			lacking[name] = append(lacking[name], strings.TrimPrefix(fmt.Sprintf("%s: %s", runtime, line), ": "))
		}
	}
	var causes []string
	for _, module := range modules {
		if len(lacking[module]) == len(names) {
			causes = append(causes, lacking[module]...)
		}
	}
	if causes == nil {
		return nil
	}
	return &ModulesError{causes}
}
