package redis

import (
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// TestNoClockOfAServerReachesTheQueue holds that what is written about calls has the time of Redis alone: the code for
// them asks for its own time nowhere but where it decides when to look.
func TestNoClockOfAServerReachesTheQueue(t *testing.T) {
	looking := []string{"due", "stale", "fullest", "noRoom", "refreshTotals"}
	files, err := filepath.Glob("call*.go")
	check(t, err)
	for _, file := range files {
		if strings.HasSuffix(file, "_test.go") {
			continue
		}
		tree, err := parser.ParseFile(token.NewFileSet(), file, nil, 0)
		check(t, err)
		for _, declared := range tree.Decls {
			f, ok := declared.(*ast.FuncDecl)
			if !ok || slices.Contains(looking, f.Name.Name) {
				continue
			}
			ast.Inspect(f, func(n ast.Node) bool {
				if of, ok := n.(*ast.SelectorExpr); ok && isClock(of) {
					t.Errorf("%s: %s asks for the time of this server", file, f.Name.Name)
				}
				return true
			})
		}
	}
	scripts, err := filepath.Glob("lua/call_*.lua")
	check(t, err)
	if len(files) < 5 || len(scripts) < 7 {
		t.Errorf("found %v and %v", files, scripts)
	}
}

func isClock(of *ast.SelectorExpr) bool {
	name, ok := of.X.(*ast.Ident)
	return ok && name.Name == "time" && slices.Contains([]string{"Now", "Since", "Until"}, of.Sel.Name)
}
