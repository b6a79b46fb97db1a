package archtest

import (
	"io/fs"
	"os"
	"slices"
	"strings"
	"testing"
)

const (
	drawing = "docs/architecture.md"
	arrow   = "──►"
	// nothing stands behind the arrow of packages that import none of this module.
	nothing = "nothing"
)

// folders are those whose packages the drawing names without them.
var folders = []string{"internal/httpd/", "internal/observe/", "sandbox/internal/", "internal/"}

// arrowsIn reads the drawing of the document: for each package, by its short name, the short names of what it imports.
// The drawing is the fenced block whose first line has an arrow. A line is "a, b ──► c, d"; what is indented goes on
// with the line before.
func arrowsIn(t *testing.T, document string) map[string][]string {
	t.Helper()
	for _, block := range fenced.FindAllString(document, -1) {
		lines := strings.Split(block, "\n")
		lines = lines[1 : len(lines)-1]
		if strings.Contains(lines[0], arrow) && !strings.HasPrefix(lines[0], " ") {
			return parseArrows(t, lines)
		}
	}
	t.Fatalf("%s has no drawing of the arrows", drawing)
	return nil
}

func parseArrows(t *testing.T, lines []string) map[string][]string {
	t.Helper()
	found := map[string][]string{}
	var from []string
	for _, line := range lines {
		left, right, begins := strings.Cut(line, arrow)
		if begins {
			from = names(left)
		} else {
			right = line
		}
		for _, name := range from {
			if _, twice := found[name]; begins && twice {
				t.Errorf("%s draws %s twice", drawing, name)
			}
			to := found[name]
			if to == nil {
				to = []string{}
			}
			if strings.TrimSpace(right) != nothing {
				to = append(to, names(right)...)
			}
			found[name] = to
		}
	}
	return found
}

func names(list string) (found []string) {
	for name := range strings.SplitSeq(list, ",") {
		if name = strings.TrimSpace(name); name != "" {
			found = append(found, name)
		}
	}
	return found
}

// short is the name of a package in the drawing.
func short(pkg string) string {
	for _, folder := range folders {
		if rest, below := strings.CutPrefix(pkg, folder); below {
			return rest
		}
	}
	return pkg
}

// drawn are the arrows of the document.
func drawn(t *testing.T) map[string][]string {
	t.Helper()
	text, err := fs.ReadFile(os.DirFS(root), drawing)
	if err != nil {
		t.Fatal(err)
	}
	return arrowsIn(t, string(text))
}

// TestEveryArrowOfTheDrawingIsThere finds arrows and packages that are drawn and are gone, and short names that two
// packages have. TestImportsAreDrawn finds what is there and is not drawn.
func TestEveryArrowOfTheDrawingIsThere(t *testing.T) {
	imports := map[string][]string{}
	pkgs := map[string]string{}
	for _, f := range sources(t) {
		name := short(f.pkg())
		if other, taken := pkgs[name]; taken && other != f.pkg() {
			t.Errorf("%s and %s have the same short name", f.pkg(), other)
		}
		pkgs[name] = f.pkg()
		for _, imported := range f.imports {
			if own, isOwn := strings.CutPrefix(imported, module+"/"); isOwn {
				imports[name] = append(imports[name], short(own))
			}
		}
	}
	for name, list := range drawn(t) {
		if _, known := pkgs[name]; !known {
			t.Errorf("%s draws %s, which is not there", drawing, name)
		}
		for _, to := range list {
			if !slices.Contains(imports[name], to) {
				t.Errorf("%s draws an arrow from %s to %s, and no file imports that", drawing, name, to)
			}
		}
	}
}

func TestDrawingIsReadByLines(t *testing.T) {
	const document = "```\nno drawing\n```\n\n```\na, b  ──►  c, d,\n           e\nc     ──►  nothing\n```\n"
	got := arrowsIn(t, document)
	for name, want := range map[string][]string{"a": {"c", "d", "e"}, "b": {"c", "d", "e"}, "c": {}} {
		if list, known := got[name]; !known || !slices.Equal(list, want) {
			t.Errorf("%s: %q, want %q", name, list, want)
		}
	}
	if len(got) != 3 {
		t.Errorf("got %q", got)
	}
}
