package deploy

import (
	"context"
	"fmt"
	"maps"
	"net/http"
	"path"
	"slices"
	"strings"

	"github.com/backstage/functions/internal/build"
	"github.com/backstage/functions/internal/bytesize"
	"github.com/backstage/functions/internal/function"
	"github.com/backstage/functions/internal/outcome"
)

// Modules keeps the shared modules of namespaces.
type Modules interface {
	// Modules returns those of a namespace, without their files.
	Modules(ctx context.Context, namespace string) ([]function.Module, error)
	// Module returns one with its files, or function.ErrModuleNotFound.
	Module(ctx context.Context, ref function.ModuleRef) (*function.Module, error)
}

// shared are the shared modules of namespace that files name, and those that these name in turn, in the order of their
// names. Without is not among them, nor is what files bring themselves. No more is read than may be stored together.
func (d *Deployer) shared(
	ctx context.Context, namespace string, files map[string][]byte, without string,
) ([]*function.Module, error) {
	search := importsOf(namespace)
	if !importable(namespace) || !search.mentioned(files) {
		return nil, nil
	}
	listed, err := d.Modules.Modules(ctx, namespace)
	if err != nil {
		return nil, fmt.Errorf("shared modules of %q: %w", namespace, err)
	}
	for _, m := range listed {
		if m.Name != without && !brings(files, m.String()) {
			search.left[m.Name] = true
		}
	}
	names := search.take(files)
	var found []*function.Module
	size, count := sizeOf(files), len(files)
	for len(names) > 0 {
		name := names[len(names)-1]
		names = names[:len(names)-1]
		ref := function.ModuleRef{Namespace: namespace, Name: name}
		m, err := d.Modules.Module(ctx, ref)
		if err != nil {
			return nil, fmt.Errorf("shared module %s: %w", ref, err)
		}
		size, count = size+sizeOf(m.Source.Files), count+len(m.Source.Files)
		if size > d.Limit || count > function.MaxFiles {
			return nil, d.tooLarge()
		}
		found = append(found, m)
		names = append(names, search.take(m.Source.Files)...)
	}
	slices.SortFunc(found, func(a, b *function.Module) int { return strings.Compare(a.Name, b.Name) })
	return found, nil
}

// folder is where the files of a module are, whose name is such as "@ns/name", as if it were a package.
func folder(name string) string { return "node_modules/" + name + "/" }

// brings says whether files have the module of that name themselves.
func brings(files map[string][]byte, name string) bool {
	for path := range files {
		if strings.HasPrefix(path, folder(name)) {
			return true
		}
	}
	return false
}

// pin puts the files of modules beside those of source, so that what is built anew later has the same versions, and
// returns the versions.
func pin(source *function.Source, modules []*function.Module) (versions []function.ModuleVersion) {
	for _, m := range modules {
		versions = append(versions, function.ModuleVersion{Name: m.String(), Hash: m.Hash, Entry: m.Source.Entry})
		for path, content := range m.Source.Files {
			source.Files[folder(m.String())+path] = content
		}
	}
	return versions
}

func (d *Deployer) tooLarge() error {
	return outcome.New(outcome.Outcome{
		Status: http.StatusRequestEntityTooLarge, Fault: outcome.FaultFunction,
		Message: fmt.Sprintf("the files and the shared modules that they name are more than %s, which is CODE_LIMIT of "+
			"this server, or more than %d files", bytesize.Text(d.Limit), function.MaxFiles),
	})
}

// sizeOf is how many bytes files have together.
func sizeOf(files map[string][]byte) (size int64) {
	for _, content := range files {
		size += int64(len(content))
	}
	return size
}

// unpin takes the files of modules out of what pin has stored, for building it anew: files are the author's.
func unpin(source *function.Source, ref function.Ref, versions []function.ModuleVersion) (
	files map[string][]byte, modules []*function.Module,
) {
	files = maps.Clone(source.Files)
	for _, version := range versions {
		m := &function.Module{
			ModuleRef: function.ModuleRef{Namespace: ref.Namespace, Name: path.Base(version.Name)}, Hash: version.Hash,
			Source: &function.Source{Entry: version.Entry, Files: map[string][]byte{}},
		}
		for path, content := range source.Files {
			if inside, ok := strings.CutPrefix(path, folder(version.Name)); ok {
				m.Source.Files[inside] = content
				delete(files, path)
			}
		}
		modules = append(modules, m)
	}
	return files, modules
}

// inputOf are modules as a build takes them, with the packages of their lock files. Release is to be called when the
// build is over.
func (d *Deployer) inputOf(
	ctx context.Context, modules []*function.Module,
) (in []build.Module, release func(), err error) {
	var closers []func()
	release = func() {
		for _, done := range closers {
			done()
		}
	}
	for _, m := range modules {
		packages, err := d.Packages.Packages(ctx, m.Source.Files)
		if err != nil {
			release()
			return nil, nil, fmt.Errorf("packages of %s: %w", m, err)
		}
		closers = append(closers, packages.Close)
		in = append(in, build.Module{
			Name: m.String(), Files: m.Source.Files, Entry: m.Source.Entry, Packages: packages.Packages,
		})
	}
	return in, release, nil
}
