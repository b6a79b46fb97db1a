package server

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"syscall"
	"text/tabwriter"

	"github.com/backstage/functions/internal/config"
	"github.com/backstage/functions/internal/runtimes"
	"github.com/backstage/functions/sandbox"
)

// RuntimesOptions are those of the commands that install runtimes.
type RuntimesOptions struct {
	// Environ are the variables of the environment, as os.Environ has them.
	Environ []string
	// Catalog is what can be installed.
	Catalog runtimes.Catalog
	// Out gets what the command has to say, Progress how far it is.
	Out, Progress io.Writer
	// Terminal says that Progress is one, whose last line can be written again.
	Terminal bool
}

// afterwards is what the commands say of a server that runs.
const afterwards = "A running server with this DATA_DIR notices within a few seconds; SIGHUP makes it look at once."

// listedRuntime is one that functions can ask for, or that can be installed.
type listedRuntime struct {
	Name    string `json:"name"`
	Version string `json:"version"`
	// State is configured, built in, installed, outdated, unused, available or broken.
	State string `json:"state"`
	// Node is the path of the binary, empty for one that is not there.
	Node string `json:"node,omitempty"`
	Note string `json:"note,omitempty"`
}

// ListRuntimes lists what the server with this environment has, and what can be added.
func ListRuntimes(ctx context.Context, o RuntimesOptions, asJSON bool) error {
	cfg, err := loader(o.Environ)()
	if err != nil {
		return err
	}
	list, err := listRuntimes(ctx, cfg, o.Catalog)
	if err != nil {
		return err
	}
	if asJSON {
		text, err := json.MarshalIndent(map[string]any{"runtimes": list}, "", "  ")
		if err != nil {
			return err
		}
		_, err = fmt.Fprintln(o.Out, string(text))
		return err
	}
	table := tabwriter.NewWriter(o.Out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "NAME\tVERSION\tSTATE\tNOTE")
	for _, rt := range list {
		note := rt.Note
		if note == "" {
			note = rt.Node
		}
		fmt.Fprintf(table, "%s\t%s\t%s\t%s\n", rt.Name, rt.Version, rt.State, note)
	}
	return table.Flush()
}

func listRuntimes(ctx context.Context, cfg *config.Config, catalog runtimes.Catalog) ([]listedRuntime, error) {
	dirs := []runtimes.Dir{runtimes.In(cfg.DataDir)}
	var list []listedRuntime
	there := map[string]bool{}
	node, err := findNode(ctx, cfg)
	if err != nil {
		list = append(list, listedRuntime{Name: "-", Version: "-", State: "broken", Note: err.Error()})
	} else {
		dirs = runtimeDirs(cfg, node.runner)
		for i, rt := range node.runtimes {
			if isInstalled(dirs, rt) {
				continue
			}
			list = append(list, listedRuntime{Name: rt.Name, Version: node.versions[i], State: "configured", Node: rt.Node})
			there[rt.Name] = true
		}
	}
	installed, err := runtimes.List(dirs...)
	if err != nil {
		return nil, err
	}
	for _, rt := range installed {
		one := listedRuntime{Name: rt.Name, Version: "v" + rt.Version, State: "installed", Node: rt.Node}
		if !isInstalled(dirs[:1], sandbox.Runtime{Node: absolute(rt.Node)}) {
			one.State = "built in"
		}
		if pin, err := catalog.Find(rt.Name); err == nil && pin.Version != rt.Version {
			one.State, one.Note = "outdated", "functions runtimes add "+rt.Name+" replaces it by v"+pin.Version
		}
		if there[rt.Name] {
			one.State, one.Note = "unused", "RUNTIMES or NODE_BINARY names another "+rt.Name
		}
		list, there[rt.Name] = append(list, one), true
	}
	for _, pin := range catalog {
		if !there[pin.Name] {
			list = append(list, listedRuntime{
				Name: pin.Name, Version: "v" + pin.Version, State: "available", Note: "functions runtimes add " + pin.Name,
			})
		}
	}
	return list, nil
}

// absolute is path from the root of the file system; path itself where there is no working directory.
func absolute(path string) string {
	if abs, err := filepath.Abs(path); err == nil {
		return abs
	}
	return path
}

// AddRuntimes installs the runtimes of these names. One that fails does not keep the others from being installed.
func AddRuntimes(ctx context.Context, o RuntimesOptions, names []string) error {
	var pins []runtimes.Pin
	for _, name := range names {
		pin, err := o.Catalog.Find(name)
		if err != nil {
			return err
		}
		pins = append(pins, pin)
	}
	cfg, err := loader(o.Environ)()
	if err != nil {
		return err
	}
	registry, err := openRegistry(ctx, cfg, o.Environ)
	if err != nil {
		return err
	}
	dir, changed := runtimes.In(cfg.DataDir), false
	var faults []error
	for _, pin := range pins {
		fmt.Fprintf(o.Out, "%s: fetching Node.js %s from %s\n", pin.Name, pin.Version, registry.shown)
		bar := &progress{out: o.Progress, name: pin.Name, again: o.Terminal}
		rt, err := dir.Install(ctx, pin, registry.options.Tarball, bar.tell)
		bar.end()
		switch {
		case errors.Is(err, runtimes.ErrInstalled):
			fmt.Fprintf(o.Out, "%s: v%s is installed already\n", pin.Name, pin.Version)
		case err != nil:
			faults = append(faults, fmt.Errorf("%s: %w", pin.Name, withAdvice(ctx, err)))
		default:
			changed = true
			fmt.Fprintf(o.Out, "%s: installed v%s at %s\n", pin.Name, rt.Version, rt.Node)
		}
		if ctx.Err() != nil {
			break
		}
	}
	if changed {
		fmt.Fprintln(o.Out, afterwards)
	}
	return errors.Join(faults...)
}

// withAdvice is an error of an installation with what to do.
func withAdvice(ctx context.Context, err error) error {
	_, isRegistry := errors.AsType[*runtimes.RegistryError](err)
	switch {
	case ctx.Err() != nil:
		return fmt.Errorf("%w: nothing of it was installed", context.Cause(ctx))
	case errors.Is(err, syscall.ENOSPC):
		return fmt.Errorf("%w: make room for about 200 MB, a third of which is needed only meanwhile", err)
	case errors.Is(err, runtimes.ErrHash):
		return fmt.Errorf("%w: try another registry by NPM_REGISTRY, and look at what is between it and this machine", err)
	case isRegistry:
		return fmt.Errorf("%w: is NPM_REGISTRY, or npm's own registry, the address of one that this machine reaches?", err)
	}
	return err
}

// RemoveRuntimes removes the installed runtimes of these names.
func RemoveRuntimes(ctx context.Context, o RuntimesOptions, names []string) error {
	cfg, err := loader(o.Environ)()
	if err != nil {
		return err
	}
	dir := runtimes.In(cfg.DataDir)
	node, err := findNode(ctx, cfg)
	if err != nil { // of what is configured, nothing can be in use
		node = &nodeInstall{runtimes: []sandbox.Runtime{{}}}
	}
	var faults []error
	removed := false
	for _, name := range names {
		err := errFirst
		if first := node.runtimes[0]; first.Name != name || !isInstalled([]runtimes.Dir{dir}, first) {
			err = dir.Remove(name)
		}
		if errors.Is(err, runtimes.ErrNotInstalled) {
			err = whyNotInstalled(cfg, node, name)
		}
		if err != nil {
			faults = append(faults, fmt.Errorf("%s: %w", name, err))
			continue
		}
		removed = true
		fmt.Fprintf(o.Out, "%s: removed. A running server finishes its calls; later calls of functions that ask for it are "+
			"answered 501 until it is added again\n", name)
	}
	if removed {
		fmt.Fprintln(o.Out, afterwards)
	}
	return errors.Join(faults...)
}

// whyNotInstalled says where a runtime is from that was not installed in DATA_DIR.
func whyNotInstalled(cfg *config.Config, node *nodeInstall, name string) error {
	if indexOf(node.runtimes, name) >= 0 {
		return errors.New("it is named by RUNTIMES or NODE_BINARY and was not installed by this command")
	}
	if rt, ok, err := runtimeDirs(cfg, node.runner)[1].Find(name); err == nil && ok {
		return fmt.Errorf("it came with the program, in %s, and stays", filepath.Dir(filepath.Dir(absolute(rt.Node))))
	}
	return runtimes.ErrNotInstalled
}

var errFirst = errors.New("functions that ask for no runtime run on it, and the server has no other for them: " +
	"set NODE_BINARY or RUNTIMES first")
