package runtimes

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// Dir is where runtimes are installed. A runtime is one directory that appears and goes whole:
//
//	runtimes/node24@24.21.0/bin/node   and the licence of Node.js beside bin
//	runtimes/.part-…                   one that is being made, or that a killed command has left
//	runtimes/.gone-…                   one that is being removed
//	runtimes/.lock                     held by the command that changes something
//
// Its methods are safe for concurrent use, by several processes too.
type Dir string

// In is the directory of a server that keeps its data in dataDir.
func In(dataDir string) Dir { return Dir(filepath.Join(dataDir, "runtimes")) }

// Installed is a runtime that is there.
type Installed struct {
	Name, Version string
	// Node is the path of the binary.
	Node string
}

// installedName matches the directory of a runtime: its name and version.
var installedName = regexp.MustCompile(`^(node[0-9]+)@([0-9]+\.[0-9]+\.[0-9]+)$`)

// List is what is installed in any of dirs, oldest version first; nothing in those that are not there. Of several
// versions of one name it has the newest.
func List(dirs ...Dir) ([]Installed, error) {
	var found []Installed
	for _, dir := range dirs {
		some, err := dir.all()
		if err != nil {
			return nil, fmt.Errorf("runtimes: %w", err)
		}
		found = append(found, some...)
	}
	slices.SortStableFunc(found, func(a, b Installed) int {
		return slices.Compare(numbers(a.Version), numbers(b.Version))
	})
	return newestOfEach(found), nil
}

// all is every version of every name, in no order.
func (d Dir) all() (found []Installed, err error) {
	entries, err := os.ReadDir(string(d))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	for _, entry := range entries {
		match := installedName.FindStringSubmatch(entry.Name())
		if match == nil {
			continue
		}
		node := filepath.Join(string(d), entry.Name(), "bin", "node")
		if info, err := os.Stat(node); err != nil || !info.Mode().IsRegular() {
			continue
		}
		found = append(found, Installed{match[1], match[2], node})
	}
	return found, nil
}

// newestOfEach leaves out those of which there is a later one of the same name.
func newestOfEach(sorted []Installed) []Installed {
	var newest []Installed
	for i, rt := range sorted {
		if !slices.ContainsFunc(sorted[i+1:], func(later Installed) bool { return later.Name == rt.Name }) {
			newest = append(newest, rt)
		}
	}
	return newest
}

// numbers are those of a version.
func numbers(version string) []int {
	var all []int
	for part := range strings.SplitSeq(version, ".") {
		n, _ := strconv.Atoi(part) // installedName has digits alone
		all = append(all, n)
	}
	return all
}

// Find is the installed runtime of that name.
func (d Dir) Find(name string) (rt Installed, ok bool, err error) {
	all, err := List(d)
	i := slices.IndexFunc(all, func(rt Installed) bool { return rt.Name == name })
	if i < 0 {
		return Installed{}, false, err
	}
	return all[i], true, nil
}

// ErrNotInstalled means that no runtime of that name is there.
var ErrNotInstalled = errors.New("it is not installed")

// Remove removes all versions of the runtime of that name. The error may be ErrNotInstalled or ErrBusy.
func (d Dir) Remove(name string) error {
	if _, err := os.Stat(string(d)); errors.Is(err, fs.ErrNotExist) {
		return ErrNotInstalled
	}
	unlock, err := d.lock()
	if err != nil {
		return err
	}
	defer unlock()
	removed, err := d.removeVersions(name, "")
	if err == nil && removed == 0 {
		err = ErrNotInstalled
	}
	return errors.Join(err, d.sweep())
}

// removeVersions moves the versions of name aside, except one, so that they go at once.
func (d Dir) removeVersions(name, except string) (removed int, err error) {
	entries, err := os.ReadDir(string(d))
	if err != nil {
		return 0, err
	}
	for _, entry := range entries {
		match := installedName.FindStringSubmatch(entry.Name())
		if match == nil || match[1] != name || match[2] == except {
			continue
		}
		aside, err := os.MkdirTemp(string(d), gone)
		if err == nil {
			err = os.Rename(filepath.Join(string(d), entry.Name()), filepath.Join(aside, entry.Name()))
		}
		if err != nil {
			return removed, err
		}
		removed++
	}
	return removed, nil
}

// Beginnings of the names of what is not a runtime.
const (
	part = ".part-"
	gone = ".gone-"
)

// sweep removes what is half made or half removed. The lock must be held.
func (d Dir) sweep() error {
	entries, err := os.ReadDir(string(d))
	if err != nil {
		return err
	}
	var errs []error
	for _, entry := range entries {
		if strings.HasPrefix(entry.Name(), part) || strings.HasPrefix(entry.Name(), gone) {
			errs = append(errs, os.RemoveAll(filepath.Join(string(d), entry.Name())))
		}
	}
	return errors.Join(errs...)
}
