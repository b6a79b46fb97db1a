package archtest

import (
	"slices"
	"strings"
	"testing"
)

// TestImportsAreDrawn holds the drawing of docs/architecture.md: a package that it does not name, and an import that it
// does not show, is a fault. Draw it there first, and see that it points inward.
func TestImportsAreDrawn(t *testing.T) {
	arrows := drawn(t)
	for _, f := range sources(t) {
		for _, fault := range faults(&f, arrows) {
			t.Error(fault)
		}
	}
}

func TestEveryLibraryHasItsHome(t *testing.T) {
	used := map[string]bool{}
	for _, f := range sources(t) {
		for _, imported := range f.imports {
			if library := libraryOf(imported); library != "" {
				used[library] = true
			}
		}
	}
	for library := range homes {
		if !used[library] {
			t.Errorf("nothing imports %s", library)
		}
	}
}

func TestFaultsAreFound(t *testing.T) {
	arrows := drawn(t)
	for _, row := range []struct {
		name, imported string
		ok             bool
	}{
		{"internal/httpd/api/run.go", module + "/internal/invoke", true},
		{"internal/invoke/run.go", module + "/internal/httpd/api", false},
		{"internal/observe/trace/x.go", module + "/internal/observe/sentry", false},
		{"internal/new/x.go", "fmt", false},
		{"sandbox/pool.go", module + "/sandbox/internal/wire", true},
		{"sandbox/internal/new/x.go", module + "/sandbox/internal/wire", false},
		{"sandbox/internal/worker/x.go", module + "/sandbox/internal/wire", true},
		{"sandbox/pool.go", module + "/internal/function", false},
		{"sandbox/resolve_linux.go", module + "/runner-js", true},
		{"internal/server/node.go", module + "/runner-js", false},
		{"sandbox/internal/wire/x.go", module + "/internal/function", false},
		{"internal/httpd/api/x.go", module + "/sandbox/internal/wire", false},
		{"internal/function/x.go", module + "/sandbox", false},
		{"internal/invoke/x.go", "github.com/prometheus/client_golang/prometheus", false},
		{"internal/httpd/api/x.go", "github.com/redis/go-redis/v9", false},
		{"sandbox/internal/cgroup/v2_linux.go", "github.com/containerd/cgroups/v3", true},
		{"sandbox/internal/cgroup/v2.go", "github.com/containerd/cgroups/v3", false},
		{"internal/httpd/api/x.go", "example.com/new", false},
		{"internal/httpd/api/x.go", "golang.org/x/net/http2", true},
		{"internal/httpd/api/x.go", "net/http", true},
	} {
		f := &file{name: row.name, imports: []string{row.imported}}
		if got := faults(f, arrows); (len(got) == 0) != row.ok {
			t.Errorf("%s imports %s: faults %q", row.name, row.imported, got)
		}
	}
}

// faults says what f imports that it may not.
func faults(f *file, arrows map[string][]string) []string {
	var list []string
	if _, known := arrows[short(f.pkg())]; !known {
		list = append(list, f.name+": "+drawing+" does not draw its package")
	}
	for _, imported := range f.imports {
		own, isOwn := strings.CutPrefix(imported, module+"/")
		switch {
		case isOwn && !slices.Contains(arrows[short(f.pkg())], short(own)):
			list = append(list, f.name+": "+drawing+" draws no arrow to "+imported)
		case isOwn && inSandbox(f.pkg()) && !inSandbox(own) && own != runnerRoot, !isOwn && !mayUse(f, imported):
			list = append(list, f.name+": may not import "+imported)
		}
	}
	return list
}

func inSandbox(pkg string) bool {
	return pkg == sandboxRoot || strings.HasPrefix(pkg, sandboxRoot+"/")
}

// libraryOf is the key of homes under which a package is; empty for the standard library.
func libraryOf(imported string) string {
	first, _, _ := strings.Cut(imported, "/")
	if !strings.Contains(first, ".") {
		return ""
	}
	for library := range homes {
		if strings.HasPrefix(imported, library) {
			return library
		}
	}
	return imported
}

func mayUse(f *file, imported string) bool {
	library := libraryOf(imported)
	if library == "" {
		return true
	}
	if slices.Contains(linuxOnly, library) && !strings.HasSuffix(f.name, "_linux.go") {
		return false
	}
	pkgs, known := homes[library]
	return known && (pkgs == nil || slices.Contains(pkgs, f.pkg()))
}
