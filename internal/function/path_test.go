package function_test

import (
	"strings"
	"testing"

	"github.com/backstage/functions/internal/function"
)

func TestPathsOfFilesStayInTheirFolder(t *testing.T) {
	for path, want := range map[string]string{
		"index.ts": "", "lib/a b.js": "", "é/😀": "", ".env": "", "a/..b": "", "...": "", "@scope/x": "", "C:/a": "",
		"": "is empty", "a\xff": "not UTF-8", "a\x00": "control", "a\n": "control", `a\b`: "backslash", `..\a`: "backslash",
		"/a": "absolute", "//a": "absolute", "..": `part ".."`, "a/../b": `part ".."`, "./a": `part "."`, "a//b": `part ""`,
		"a/": `part ""`, strings.Repeat("a/", 300) + "a": "601 bytes", strings.Repeat("a/", 40) + "a": "40 folders",
		strings.Repeat("a", 256): "256 bytes", strings.Repeat("a", 255): "",
	} {
		fault := function.PathFault(path)
		if want == "" && fault != "" || want != "" && !strings.Contains(fault, want) {
			t.Errorf("%.40q: %q, want %q", path, fault, want)
		}
	}
}

func TestFilesAreNoFolders(t *testing.T) {
	for want, paths := range map[string][]string{
		"":          {"a", "b/c", "b/d", "ba"},
		"no file":   {},
		`["b"] is`:  {"b", "b/c"},
		`["b/c"]`:   {"b/c/d/e", "b/c"},
		`["b/c/d"]`: {"b/c/d/e", "b/c/d"},
	} {
		files := map[string][]byte{}
		for _, path := range paths {
			files[path] = nil
		}
		faults := strings.Join(function.FilesFaults(files), "; ")
		if want == "" && faults != "" || !strings.Contains(faults, want) {
			t.Errorf("%q: %q, want %q", paths, faults, want)
		}
	}
}
