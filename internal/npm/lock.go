package npm

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/backstage/functions/sandbox/rawjson"
)

// Limits of a lock file. What it is in is limited by the caller.
const (
	maxEntries  = 20_000   // all there are, with those for development
	maxPackages = 2_000    // those to fetch
	maxEntry    = 64 << 10 // bytes of one
	maxLock     = 16 << 20 // bytes of all
	lockDepth   = 32       // of its JSON
	oldestLock  = 2        // lockfileVersion; before it there were no paths
	newestLock  = 3
)

// lockNames are the files that npm reads, the first of them first.
var lockNames = []string{"npm-shrinkwrap.json", "package-lock.json"}

// lockfile is what is to be fetched for a lock file.
type lockfile struct {
	name     string // of the file
	packages []dependency
}

// dependency is one package to fetch.
type dependency struct {
	path, name, version string
	sum                 string // the SHA-512 of its tarball, in hex
	integrity           string
}

func (d *dependency) String() string { return d.name + " " + d.version }

// readLock reads the lock file in files. Without one, there is nothing to fetch.
func readLock(files map[string][]byte, platform Platform) (lockfile, error) {
	for _, name := range lockNames {
		if text, ok := files[name]; ok {
			lock := lockfile{name: name}
			r := reader{lock: &lock, platform: platform, brought: broughtPackages(files)}
			if err := r.read(text); err != nil {
				return lockfile{}, err
			}
			return lock, r.checkManifest(files["package.json"])
		}
	}
	return lockfile{}, nil
}

// reader reads one lock file.
type reader struct {
	lock     *lockfile
	platform Platform
	brought  map[string]bool // the paths of packages that are among the files
	root     entry
	entries  map[string]*entry
	paths    []string        // of entries, in their order
	urls     map[string]bool // what packages are asked for by that is an address and not a version
}

func (r *reader) read(text []byte) error {
	all, err := r.table(text)
	if err != nil {
		return err
	}
	if err := r.readEntries(all); err != nil {
		return err
	}
	var faults []string
	for _, path := range r.paths {
		d, err := r.dependency(path, r.entries[path])
		switch {
		case err != nil:
			faults = append(faults, fmt.Sprintf("%s %v", shown(path), err))
		case d != nil:
			r.lock.packages = append(r.lock.packages, *d)
		}
	}
	if len(faults) > 0 {
		return r.fault("%s", some(faults, "; "))
	}
	if len(r.lock.packages) > maxPackages {
		return r.fault("it names %d packages, and %d are allowed: bundle them before you deploy",
			len(r.lock.packages), maxPackages)
	}
	return nil
}

// table is the object "packages" of a lock file.
func (r *reader) table(text []byte) ([]byte, error) {
	if len(text) > maxLock {
		return nil, r.fault("it has %d bytes, and %d are allowed", len(text), maxLock)
	}
	if !rawjson.Scan(text, lockDepth).OK || !rawjson.IsObject(text) {
		return nil, r.fault("it is not a JSON object of at most %d levels", lockDepth)
	}
	var version int
	var packages []byte
	for name, value := range rawjson.Members(text) {
		switch rawjson.Unquote(name) {
		case "lockfileVersion":
			if json.Unmarshal(value, &version) != nil {
				return nil, r.fault("lockfileVersion is not a number")
			}
		case "packages":
			packages = value
		}
	}
	if version < oldestLock || version > newestLock {
		return nil, r.fault("lockfileVersion is %d, and %d or %d is needed: run \"npm install --lockfile-version=%d\" "+
			"with npm 7 or newer", version, oldestLock, newestLock, newestLock)
	}
	if packages == nil || !rawjson.IsObject(packages) {
		return nil, r.fault("it has no object \"packages\": run \"npm install\" with npm 7 or newer")
	}
	return packages, nil
}

func (r *reader) readEntries(packages []byte) error {
	r.entries, r.urls = map[string]*entry{}, map[string]bool{}
	for name, value := range rawjson.Members(packages) {
		path := rawjson.Unquote(name)
		if len(r.entries) >= maxEntries {
			return r.fault("it names more than %d packages", maxEntries)
		}
		if len(value) > maxEntry {
			return r.fault("%s has %d bytes, and %d are allowed", shown(path), len(value), maxEntry)
		}
		e := &entry{}
		if err := json.Unmarshal(value, e); err != nil {
			return r.fault("%s is not as npm writes it: %v", shown(path), err)
		}
		if _, twice := r.entries[path]; twice {
			return r.fault("%s is there twice", shown(path))
		}
		r.entries[path] = e
		r.paths = append(r.paths, path)
		if path == "" {
			r.root = *e
		}
		if !e.Dev {
			e.addURLs(r.urls)
		}
	}
	return nil
}

// checkManifest compares package.json with the lock file, as npm does before it installs.
func (r *reader) checkManifest(text []byte) error {
	if text == nil {
		return nil
	}
	var manifest entry
	if len(text) > maxLock || !rawjson.Scan(text, lockDepth).OK || json.Unmarshal(text, &manifest) != nil {
		return nil // the build says what is wrong with it
	}
	var missing []string
	for name, wanted := range manifest.Dependencies {
		if r.root.wants(name) != wanted {
			missing = append(missing, name+" "+wanted)
		}
	}
	if len(missing) > 0 {
		slices.Sort(missing)
		return r.fault("it does not have what package.json asks for (%s): run \"npm install\" and deploy both",
			some(missing, ", "))
	}
	return nil
}

func (r *reader) fault(format string, args ...any) error {
	return badLock(r.lock.name + ": " + fmt.Sprintf(format, args...))
}

// broughtPackages are the packages that are among the files themselves.
func broughtPackages(files map[string][]byte) map[string]bool {
	brought := map[string]bool{}
	for name := range files {
		for i := range name {
			if !strings.HasPrefix(name[i:], modulesFolder) || i > 0 && name[i-1] != '/' {
				continue
			}
			parts := strings.SplitN(name[i+len(modulesFolder):], "/", 3)
			n := 1
			if strings.HasPrefix(parts[0], "@") {
				n = 2
			}
			if len(parts) > n {
				brought[name[:i]+modulesFolder+strings.Join(parts[:n], "/")] = true
			}
		}
	}
	return brought
}
