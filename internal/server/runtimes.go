package server

import (
	"context"
	"errors"
	"log/slog"
	"maps"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"time"

	"github.com/backstage/functions/internal/config"
	"github.com/backstage/functions/internal/runtimes"
	"github.com/backstage/functions/sandbox"
)

// lookEvery is how often a running server looks for runtimes that were installed or removed.
const lookEvery = 2 * time.Second

// runtimePool is the part of a sandbox.Pool that changes while it runs.
type runtimePool interface {
	Runtimes() []sandbox.Runtime
	Add(ctx context.Context, rt sandbox.Runtime) error
	Remove(name string) error
	Snapshot() sandbox.Snapshot
}

// runtimeKeeper keeps the runtimes of a running server as RUNTIMES and the directories of installed ones say. A runtime
// of RUNTIMES takes precedence over an installed one of the same name. Its methods are called by one goroutine at a
// time.
type runtimeKeeper struct {
	pool runtimePool
	dirs []runtimes.Dir // of installed ones
	node *nodeInstall
	log  *slog.Logger
	// changed is told what has happened: added, replaced, removed, failed.
	changed func(what string)

	given   []sandbox.Runtime // of RUNTIMES, or of NODE_BINARY
	modules map[string]config.RuntimeModules
	failed  map[string]sandbox.Runtime // those that do not start, by name; they are tried again when something changes
	fault   string                     // the last one of the directories
}

// reload has RUNTIMES and RUNTIME_MODULES apply as cfg has them, and tries what has failed again.
func (k *runtimeKeeper) reload(ctx context.Context, cfg *config.Config) {
	first := k.pool.Runtimes()[0]
	given := slices.Clone(cfg.Runtimes)
	switch i := indexOf(given, first.Name); {
	case len(given) == 0:
		given = k.node.runtimes[:1]
	case i < 0:
		k.log.Warn("RUNTIMES: " + first.Name + " is what functions without a runtime have run on since the start; it stays " +
			"until a restart")
		given = append([]sandbox.Runtime{first}, given...)
	case i > 0:
		k.log.Warn("RUNTIMES: the first one is " + first.Name + " until a restart")
	}
	k.given, k.modules = given, cfg.RuntimeModules
	clear(k.failed)
	k.sync(ctx)
	k.warnOfModules()
}

// warnOfModules tells of modules for runtimes that are not there: these may come later, or their names are mistyped.
func (k *runtimeKeeper) warnOfModules() {
	has := k.pool.Runtimes()
	for _, name := range slices.Sorted(maps.Keys(k.modules)) {
		if _, fails := k.failed[name]; !fails && indexOf(has, name) < 0 {
			k.log.Warn("RUNTIME_MODULES: there is no runtime " + name + " yet, only " + namesOf(has))
		}
	}
}

// run looks every now and then, and at once when a configuration comes.
func (k *runtimeKeeper) run(ctx context.Context, configs <-chan *config.Config) {
	look := time.NewTicker(lookEvery)
	defer look.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case cfg := <-configs:
			k.reload(ctx, cfg)
		case <-look.C:
			k.sync(ctx)
		}
	}
}

// sync adds, replaces and removes runtimes until the pool has those that there should be. What fails is logged once.
func (k *runtimeKeeper) sync(ctx context.Context) {
	wanted, err := k.wanted()
	if err != nil {
		if fault := err.Error(); fault != k.fault {
			k.fault = fault
			k.log.Error("Runtimes stay as they are", "error", err)
		}
		return
	}
	k.fault = ""
	has := k.pool.Runtimes()
	for _, rt := range wanted {
		i := indexOf(has, rt.Name)
		if i >= 0 && sameRuntime(has[i], rt) || sameRuntime(k.failed[rt.Name], rt) {
			continue
		}
		k.add(ctx, rt, i >= 0)
	}
	for name := range k.failed {
		if indexOf(wanted, name) < 0 {
			delete(k.failed, name)
		}
	}
	for _, rt := range has[1:] {
		if indexOf(wanted, rt.Name) < 0 {
			k.remove(rt.Name)
		}
	}
}

// wanted are the runtimes that there should be, with absolute paths.
func (k *runtimeKeeper) wanted() ([]sandbox.Runtime, error) {
	installed, err := runtimes.List(k.dirs...)
	if err != nil {
		return nil, err
	}
	wanted := slices.Clone(k.given)
	for _, rt := range installed {
		node, err := filepath.Abs(rt.Node)
		if err != nil {
			return nil, err
		}
		switch i := indexOf(wanted, rt.Name); {
		case i < 0:
			wanted = append(wanted, sandbox.Runtime{Name: rt.Name, Node: node})
		case isInstalled(k.dirs, wanted[i]): // in another version by now
			wanted[i].Node = node
		}
	}
	for i := range wanted {
		if wanted[i].Node, err = filepath.Abs(wanted[i].Node); err != nil {
			return nil, err
		}
		if wanted[i], err = withModules(wanted[i], k.modules); err != nil {
			return nil, err
		}
	}
	return wanted, nil
}

func (k *runtimeKeeper) add(ctx context.Context, rt sandbox.Runtime, replaces bool) {
	_, _, err := probeNode(ctx, &rt)
	if err == nil {
		err = k.pool.Add(ctx, rt)
	}
	if ctx.Err() != nil || errors.Is(err, sandbox.ErrClosed) {
		return // the server stops
	}
	if err != nil {
		k.failed[rt.Name] = rt
		k.changed("failed")
		k.log.Error("A runtime cannot be used; it is tried again when it changes and at SIGHUP", "runtime", rt.Name,
			"error", err)
		return
	}
	delete(k.failed, rt.Name)
	snapshot := k.pool.Snapshot().Runtimes[rt.Name]
	what, text := "added", "Runtime added: functions can ask for it"
	if replaces {
		what, text = "replaced", "Runtime replaced: calls in progress finish on the one before"
	}
	k.changed(what)
	k.log.Info(text, "runtime", rt.Name, "version", snapshot.Runtime.Version)
	one := map[string]sandbox.RuntimeSnapshot{rt.Name: snapshot}
	logMissing(k.log, one)
	logModules(k.log, one, k.node)
}

func (k *runtimeKeeper) remove(name string) {
	if err := k.pool.Remove(name); err != nil {
		return // the server stops
	}
	k.changed("removed")
	k.log.Info("Runtime removed: calls in progress finish, later calls of functions that ask for it are answered 501",
		"runtime", name)
}

// indexOf is where the runtime of that name is, -1 for nowhere.
func indexOf(all []sandbox.Runtime, name string) int {
	return slices.IndexFunc(all, func(rt sandbox.Runtime) bool { return rt.Name == name })
}

// sameRuntime says whether both are the same but for the version, which only one may know.
func sameRuntime(a, b sandbox.Runtime) bool {
	a.Version, b.Version = "", ""
	return reflect.DeepEqual(a, b)
}

// isInstalled says whether the binary of rt is in one of dirs.
func isInstalled(dirs []runtimes.Dir, rt sandbox.Runtime) bool {
	return slices.ContainsFunc(dirs, func(dir runtimes.Dir) bool {
		path, err := filepath.Abs(string(dir))
		return err == nil && strings.HasPrefix(rt.Node, path+string(filepath.Separator))
	})
}

// runtimeDirs are where installed runtimes are: in DATA_DIR, and beside the runner those that came with it, as in the
// image.
func runtimeDirs(cfg *config.Config, runner string) []runtimes.Dir {
	return []runtimes.Dir{runtimes.In(cfg.DataDir), runtimes.In(filepath.Dir(filepath.Dir(runner)))}
}

// withModules is rt with the modules that are for it alone.
func withModules(rt sandbox.Runtime, modules map[string]config.RuntimeModules) (sandbox.Runtime, error) {
	own := modules[rt.Name]
	rt.Modules = own.Modules
	dir, err := modulesDir("RUNTIME_MODULES: "+rt.Name, own.Dir)
	rt.ModulesDir = dir
	return rt, err
}
