package runnerjs_test

import (
	"io/fs"
	"os"
	"path"
	"slices"
	"testing"

	runnerjs "github.com/backstage/functions/runner-js"
)

// notCarried are the folders with nothing that a worker reads, or with what make setup puts there.
var notCarried = []string{"build", "native", "node_modules", "test"}

func TestEveryFileOfTheRunnerIsCarried(t *testing.T) {
	tree, found := os.DirFS("."), 0
	err := fs.WalkDir(tree, ".", func(name string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if entry.IsDir() && slices.Contains(notCarried, name) {
			return fs.SkipDir
		}
		if ext := path.Ext(name); ext != ".js" && ext != ".res" || name == "icu/extract.js" {
			return nil
		}
		found++
		want, err := fs.ReadFile(tree, name)
		if err != nil {
			return err
		}
		if got, err := runnerjs.Files.ReadFile(name); err != nil || string(got) != string(want) {
			t.Errorf("%s is not carried as it is: %v", name, err)
		}
		return nil
	})
	if err != nil || found == 0 {
		t.Fatalf("looked at %d files: %v", found, err)
	}
}
