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

// checkModules returns a *ModulesError when there are modules that none of the runtimes whose functions may require
// them can load. Where at least one can, the others' functions that require them fail by themselves.
func (c Config) checkModules(report func(runtime string) Report) error {
	listed, lacking, names := map[string]int{}, map[string][]string{}, []string{}
	for _, runtime := range c.Runtimes {
		for _, name := range c.modulesOf(runtime) {
			if listed[name]++; listed[name] == 1 {
				names = append(names, name)
			}
		}
		for _, line := range report(runtime.Name).Modules {
			name, _, _ := strings.Cut(line, ": ")
			lacking[name] = append(lacking[name], fmt.Sprintf("%s: %s", runtime.Name, line))
		}
	}
	var causes []string
	for _, name := range names {
		if len(lacking[name]) == listed[name] {
			causes = append(causes, lacking[name]...)
		}
	}
	if causes == nil {
		return nil
	}
	return &ModulesError{causes}
}
