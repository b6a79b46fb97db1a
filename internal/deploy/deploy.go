// Package deploy makes what workers run of what a deploy brings, and makes it anew where a function is to run on an
// older runtime than it was built for.
package deploy

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"strings"
	"time"

	"github.com/backstage/functions/internal/build"
	"github.com/backstage/functions/internal/function"
	"github.com/backstage/functions/internal/npm"
	"github.com/backstage/functions/sandbox"
)

// Packages fetches the npm packages that the lock file in files names. *npm.Client is one.
type Packages interface {
	Packages(ctx context.Context, files map[string][]byte) (*npm.Set, error)
}

// Options configure a Deployer. All are required.
type Options struct {
	Builder  build.Builder
	Packages Packages
	Modules  Modules
	// Limit is how many bytes the files of a function and its shared modules may have together.
	Limit int64
	// Runtimes are those that there are at the moment, the first one first. It must be safe for concurrent use.
	Runtimes func() []sandbox.Runtime
	// External are the modules that functions of a runtime may require. It must be safe for concurrent use.
	External func(runtime string) []string
	// Owner is whose share of the builds those for a namespace use. It must be safe for concurrent use.
	Owner func(namespace string) string
}

// Deployer builds functions. It is safe for concurrent use.
type Deployer struct{ Options }

// New returns a Deployer.
func New(o Options) *Deployer { return &Deployer{o} }

// Built tells of a build.
type Built struct {
	// Took is how long it took, with the packages, 0 if nothing was built.
	Took time.Duration
	// Warnings is a list in JSON of what the author should look at, nil for none.
	Warnings json.RawMessage
}

// Build gives f its artefact, and its source the source map: f has the source of a function of files, or code, and the
// options that it will run with. Code that names no shared module runs as it is and gets none. Errors say what they
// mean, as outcome.Teller does; that of files that cannot be built has details.
func (d *Deployer) Build(ctx context.Context, f *function.Function) (Built, error) {
	from := given(f)
	modules, err := d.shared(ctx, f.Namespace, from.Files, "")
	if err != nil || f.Source == nil && len(modules) == 0 {
		return Built{}, err
	}
	start := time.Now()
	artefact, source, warnings, err := d.build(ctx, f, from, modules)
	built := Built{Took: time.Since(start), Warnings: details(warnings)}
	if err != nil {
		return built, err
	}
	f.Artefact, f.Source = artefact, source
	return built, nil
}

// given is what the author of f has written: its files, or its code as a file.
func given(f *function.Function) *function.Source {
	if f.Source != nil {
		return f.Source
	}
	return &function.Source{
		Entry: function.ModuleFile, Files: map[string][]byte{function.ModuleFile: []byte(f.Code)},
	}
}

// build makes an artefact of source and modules for the runtime of f, and returns source as it is to be stored.
func (d *Deployer) build(
	ctx context.Context, f *function.Function, source *function.Source, modules []*function.Module,
) (*function.Artefact, *function.Source, []build.Message, error) {
	runtime, newest, err := d.runtimeOf(f)
	if err != nil {
		return nil, nil, nil, err
	}
	packages, err := d.Packages.Packages(ctx, source.Files)
	if err != nil {
		return nil, nil, nil, fmt.Errorf("packages of %s: %w", f.Ref, err)
	}
	defer packages.Close()
	shared, release, err := d.inputOf(ctx, modules)
	if err != nil {
		return nil, nil, nil, err
	}
	defer release()
	out, err := d.Builder.Build(ctx, build.Input{
		Owner: d.Owner(f.Namespace),
		Files: source.Files, Entry: source.Entry, Packages: packages.Packages, Modules: shared,
		Target:   build.Target{Runtime: runtime.Name, Node: runtime.Version, Newest: newest},
		External: d.External(runtime.Name),
	})
	if fault, ok := errors.AsType[*build.Error](err); ok {
		nameCode(f, fault.Messages)
	}
	if err != nil {
		return nil, nil, nil, fmt.Errorf("build %s: %w", f.Ref, explain(err))
	}
	nameCode(f, out.Warnings)
	artefact := &function.Artefact{
		Code: string(out.Code), Runtime: runtime.Name, Node: strings.TrimPrefix(runtime.Version, "v"),
	}
	next := &function.Source{Files: map[string][]byte{}, Map: out.Map}
	if f.Code == "" {
		artefact.Entry, artefact.Files = source.Entry, source.List()
		next.Entry, next.Files = source.Entry, maps.Clone(source.Files)
	}
	artefact.Modules = pin(next, modules)
	return artefact.Seal(), next, out.Warnings, nil
}

// nameCode names the file of a function of code as its stacks do.
func nameCode(f *function.Function, messages []build.Message) {
	for i := range messages {
		if f.Code != "" && messages[i].File == function.ModuleFile {
			messages[i].File = f.Filename()
		}
	}
}

// runtimeOf is the runtime that f runs on, and the name of the newest, empty if there is no newer one.
func (d *Deployer) runtimeOf(f *function.Function) (runtime sandbox.Runtime, newest string, err error) {
	all := d.Runtimes()
	name := ""
	if f.Options.Runtime != nil {
		name = *f.Options.Runtime
	}
	var names []string
	for i, rt := range all {
		if rt.Name == name || name == "" && i == 0 {
			if best := sandbox.Newest(all); best.Major() > rt.Major() {
				newest = best.Name
			}
			return rt, newest, nil
		}
		names = append(names, rt.Name)
	}
	return sandbox.Runtime{}, "", &sandbox.RuntimeError{Name: name, Known: names}
}
