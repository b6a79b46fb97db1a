package function

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Limits of the path of a file, in bytes.
const (
	maxPath     = 512
	maxPathPart = 255 // NAME_MAX of Linux
	maxPathDeep = 32
)

// PathFault is the end of a sentence about a path of a Source; empty when nothing is wrong with it.
func PathFault(path string) string {
	switch {
	case path == "":
		return " is empty"
	case !utf8.ValidString(path):
		return " is not UTF-8"
	case len(path) > maxPath:
		return fmt.Sprintf(" has %d bytes, %d are the most", len(path), maxPath)
	case strings.ContainsFunc(path, unicode.IsControl):
		return " has control characters"
	case strings.Contains(path, `\`):
		return ` has a backslash: write "/" between folders`
	case strings.HasPrefix(path, "/"):
		return " is absolute: name it from the folder of the function on"
	}
	parts := strings.Split(path, "/")
	if len(parts) > maxPathDeep {
		return fmt.Sprintf(" is in %d folders, %d are the most", len(parts)-1, maxPathDeep-1)
	}
	for _, part := range parts {
		switch {
		case part == "", part == ".", part == "..":
			return fmt.Sprintf(" has the part %q: name it without", part)
		case len(part) > maxPathPart:
			return fmt.Sprintf(" has a part of %d bytes, %d are the most", len(part), maxPathPart)
		}
	}
	return ""
}

// FilesFaults says what is wrong with files as a whole: each is the end of a sentence about them, or about one of them,
// which it then begins with. Their paths have no PathFault.
func FilesFaults(files map[string][]byte) (faults []string) {
	switch n := len(files); {
	case n == 0:
		return []string{" has no file"}
	case n > MaxFiles:
		return []string{fmt.Sprintf(" has %d files, %d are the most", n, MaxFiles)}
	}
	for path := range files {
		for at := strings.IndexByte(path, '/'); at >= 0; {
			if _, both := files[path[:at]]; both {
				faults = append(faults, fmt.Sprintf("[%q] is a file, and a folder with %q", path[:at], path))
			}
			next := strings.IndexByte(path[at+1:], '/')
			if next < 0 {
				break
			}
			at += 1 + next
		}
	}
	return faults
}
