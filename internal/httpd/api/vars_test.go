package api

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// The variables of a path are in a context of this package: what gorilla/mux would say of them is always nothing, and a
// function would be taken for its namespace.
func TestVariablesOfPathsAreReadWithVarsOf(t *testing.T) {
	files, err := filepath.Glob("*.go")
	if err != nil || len(files) < 50 {
		t.Fatal(files, err)
	}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if name := "mux" + ".Vars("; strings.Contains(string(text), name) {
			t.Errorf("%s uses %s: use varsOf or varOf", file, name)
		}
	}
}
