package server

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"

	"github.com/backstage/functions/internal/migration"
	"github.com/backstage/functions/sandbox"
)

// runtimeFaults are modules that a runtime cannot load.
type runtimeFaults struct {
	runtime sandbox.Runtime
	listed  []string
	faults  []migration.ModuleFault
}

func (r *runtimeFaults) of(module string) *migration.ModuleFault {
	i := slices.IndexFunc(r.faults, func(f migration.ModuleFault) bool { return f.Module == module })
	if i < 0 {
		return nil
	}
	return &r.faults[i]
}

// modules lists modules that runtimes cannot load.
func (m *migrationCheck) modules(ctx context.Context, tell func(migration.Kind, string) error) error {
	var all []*runtimeFaults
	var names []string
	for _, rt := range m.node.runtimes {
		found, err := m.load(ctx, rt)
		if err != nil {
			return err
		}
		all = append(all, found)
		for _, name := range append(slices.Clone(found.listed), "") {
			if !slices.Contains(names, name) {
				names = append(names, name)
			}
		}
	}
	for _, name := range names {
		none := lackedByAll(all[:m.given], name)
		for i, r := range all {
			fault := r.of(name)
			if fault == nil {
				continue
			}
			ends := i < m.given && (none || fault.Fatal)
			if err := tell(migration.Modules, m.node.moduleFinding(r.runtime, fault, ends)); err != nil {
				return err
			}
		}
	}
	return nil
}

// lackedByAll says whether no runtime that lists a module can load it, which ends the start.
func lackedByAll(given []*runtimeFaults, name string) bool {
	listed, lacking := 0, 0
	for _, r := range given {
		if slices.Contains(r.listed, name) {
			listed++
		}
		if r.of(name) != nil {
			lacking++
		}
	}
	return lacking > 0 && lacking == listed
}

// nobody is the user that owns nothing.
const nobody = 65534

// open says whether every user may enter all directories above a path, and read it if it is one, too.
func open(path string) bool {
	for at := path; ; at = filepath.Dir(at) {
		info, err := os.Stat(at)
		if err != nil || info.IsDir() && info.Mode()&0o001 == 0 {
			return false
		}
		if at == filepath.Dir(at) {
			break
		}
	}
	info, err := os.Stat(path)
	return err == nil && info.Mode()&0o005 == 0o005
}

// load loads the modules of a runtime.
func (m *migrationCheck) load(ctx context.Context, rt sandbox.Runtime) (*runtimeFaults, error) {
	found := &runtimeFaults{runtime: rt, listed: rt.Modules}
	if found.listed == nil {
		found.listed = m.cfg.Modules
	}
	dir := m.node.modulesOf(rt)
	runner := filepath.Dir(m.node.runner)
	loader := &migration.Loader{Binary: rt.Node, Script: filepath.Join(runner, "loadmodules.js")}
	// Workers are then of users of their own, who may not do what the check may.
	apart := os.Geteuid() == 0 && m.cfg.Isolation == sandbox.IsolationStrict
	if apart && open(rt.Node) && open(runner) && (dir == "" || open(dir)) {
		loader.User = nobody
	}
	var err error
	if found.faults, err = loader.Faults(ctx, found.listed, dir); err != nil {
		return nil, err
	}
	if dir == "" || !apart {
		return found, nil
	}
	for _, name := range found.listed {
		if _, err := os.Stat(filepath.Join(runner, "node_modules", packageOf(name))); err == nil {
			continue // taken from there
		}
		if found.of(name) == nil && unreadable(dir, name) != "" {
			found.faults = append(found.faults, migration.ModuleFault{Module: name, Cause: cannotFind(name)})
		}
	}
	return found, nil
}

// moduleFinding says that a runtime cannot load a module, and what to do.
func (n *nodeInstall) moduleFinding(rt sandbox.Runtime, fault *migration.ModuleFault, ends bool) string {
	name := fault.Module
	if name == "" {
		return fmt.Sprintf("%s: the modules cannot be loaded together on %s, each alone can: %s, which ends the start",
			modulesVariable(rt), rt.Name, fault.Cause)
	}
	if !ends {
		return fmt.Sprintf("%s: %s", modulesVariable(rt), n.lacking(rt, name, fault.Cause))
	}
	if fault.Fatal {
		return fmt.Sprintf("%s: %s cannot be loaded on %s, which ends the start: %s. Install another version (%s), or take "+
			"it out of the list", modulesVariable(rt), name, rt.Name, fault.Cause, n.install(rt, packageOf(name)+"@VERSION"))
	}
	return fmt.Sprintf("%s: %s cannot be loaded on %s, which ends the start: %s. %s, or take it out of the list",
		modulesVariable(rt), name, rt.Name, fault.Cause, n.remedy(rt, name, fault.Cause))
}
