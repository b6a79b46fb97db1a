package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// packageLock is the lock file of all packages of the tests, by paths.
type packageLock map[string]json.RawMessage

// readPackageLock also returns the version of each package that the tests name.
func readPackageLock(t testing.TB) (packageLock, map[string]string) {
	t.Helper()
	var manifest struct{ Dependencies map[string]string }
	var lock struct{ Packages packageLock }
	for name, value := range map[string]any{"package.json": &manifest, "package-lock.json": &lock} {
		text, err := os.ReadFile(filepath.Join(packagesDir, name))
		if err != nil {
			t.Fatal(err)
		}
		if err := json.Unmarshal(text, value); err != nil {
			t.Fatal(err)
		}
	}
	return lock.Packages, manifest.Dependencies
}

// of is the lock file of a function that depends on these packages alone.
func (l packageLock) of(names ...string) string {
	wanted := packageLock{"": json.RawMessage(`{}`)}
	for _, name := range names {
		l.add(wanted, "", name)
	}
	text, err := json.Marshal(map[string]any{"lockfileVersion": 3, "packages": wanted})
	if err != nil {
		panic(err)
	}
	return string(text)
}

// add adds the package that code at a path finds under a name, and what that depends on.
func (l packageLock) add(wanted packageLock, from, name string) {
	path := from
	for {
		at := strings.TrimPrefix(path+"/node_modules/"+name, "/")
		if entry, ok := l[at]; ok {
			if wanted[at] == nil {
				wanted[at] = entry
				l.addOf(wanted, at, entry)
			}
			return
		}
		if path == "" {
			return // an optional one
		}
		path = path[:max(0, strings.LastIndex("/"+path, "/node_modules/")-1)]
		path = strings.TrimSuffix(path, "/")
	}
}

func (l packageLock) addOf(wanted packageLock, at string, entry json.RawMessage) {
	var of struct{ Dependencies, OptionalDependencies, PeerDependencies map[string]string }
	if err := json.Unmarshal(entry, &of); err != nil {
		panic(err)
	}
	for _, names := range []map[string]string{of.Dependencies, of.OptionalDependencies, of.PeerDependencies} {
		for name := range names {
			l.add(wanted, at, name)
		}
	}
}
