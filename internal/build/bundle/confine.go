package bundle

import (
	"bytes"
	"errors"
	"net/url"
	"path"
	"path/filepath"
	"strings"
)

// What authors are told of paths that lead out. It is the same whatever is, or is not, at the other end.
const (
	leadsOut     = "the path leads out of the upload"
	notUploaded  = "the file is not in the upload"
	leadsOutHint = "use relative paths to files of the upload"
	// outsideUpload replaces messages about files of this machine.
	outsideUpload = "a file that is not in the upload has a fault"
)

// errLeadsOut refuses an import by its path, errOutside by the file that it is found at.
var (
	errLeadsOut = errors.New(notUploaded)
	errOutside  = errors.New("a file outside")
)

// escapes says whether name, seen from the directory dir of the tree, is absolute or leads out of the tree.
func escapes(dir, name string) bool {
	return path.IsAbs(name) || !filepath.IsLocal(path.Join(dir, name))
}

// climbs says whether a package's name or subpath goes up, as such or percent-encoded. What stands for the star of a
// pattern may begin in the middle of a segment: so "a../b" counts, too.
func climbs(name string) bool {
	if plain, err := url.PathUnescape(name); err == nil && plain != name && climbs(plain) {
		return true
	}
	return strings.Contains(name, "../") || strings.HasSuffix(name, "..")
}

// completes says whether a pattern can become ".." by what is put for its star.
func completes(pattern string) bool {
	before, after, found := strings.Cut(pattern, "*")
	segment := before[strings.LastIndex(before, "/")+1:]
	return found && (strings.HasSuffix(segment, ".") || strings.Contains(segment, "%") ||
		after == "." || strings.HasPrefix(after, "./") || strings.HasPrefix(after, "%"))
}

// importEscapes says whether an import from the directory dir of the tree may lead out of it.
func importEscapes(dir, name string) bool {
	switch {
	case strings.HasPrefix(name, "data:"), strings.HasPrefix(name, "http://"), strings.HasPrefix(name, "https://"):
		return false
	case name != "." && name != ".." && !strings.HasPrefix(name, "./") && !strings.HasPrefix(name, "../"):
		return path.IsAbs(name) || climbs(name)
	}
	// esbuild tries a path with and without what looks like a query.
	for i, letter := range name {
		if (letter == '?' || letter == '#') && escapes(dir, name[:i]) {
			return true
		}
	}
	return escapes(dir, name)
}

// confinedPackage refuses a package.json that leads out of the tree. A text that is no JSON is cut behind the fault.
func confinedPackage(name string, content []byte) ([]byte, error) {
	if !bytes.Contains(content, []byte("..")) && !bytes.ContainsAny(content, `%\*`) {
		return content, nil
	}
	found, cut, ok := stringsOf(content)
	if !ok {
		return content[:cut], nil
	}
	for _, at := range found {
		switch {
		case len(at.keys) == 1 && (at.in("main") || at.in("module")):
			if !filepath.IsLocal(path.Join(path.Dir(name), at.value)) {
				return nil, escaped(name, content, at, at.keys[0])
			}
		case (at.in("exports") || at.in("imports")) && (climbs(at.value) || completes(at.value)):
			return nil, escaped(name, content, at, at.keys[0])
		}
	}
	return content, nil
}
