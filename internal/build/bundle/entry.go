package bundle

import (
	"encoding/json"
	"fmt"
	"path"
	"slices"
	"strings"
)

// entries are the files that have the handler when nothing else is said, the first one first.
var entries = []string{
	"index.ts", "index.tsx", "index.mts", "index.cts", "index.js", "index.mjs", "index.cjs", "index.jsx",
}

// extensions are tried on a path of package.json that is no file.
var extensions = []string{".ts", ".tsx", ".mts", ".cts", ".js", ".mjs", ".cjs", ".jsx"}

// chooseEntry is the path of the file with the handler: the one that is asked for, else what package.json names, else
// an index file.
func chooseEntry(asked string, paths []string, packageJSON []byte) (string, error) {
	if asked != "" {
		if asked = path.Clean(asked); slices.Contains(paths, asked) {
			return asked, nil
		}
		return "", faultIn("", fmt.Sprintf("the entry %q is not among the files", asked), "entry must be the path of a file")
	}
	var names struct{ Main, Module any }
	if len(packageJSON) > 0 {
		if err := json.Unmarshal(packageJSON, &names); err != nil {
			return "", faultIn("package.json", "it is not a JSON object: "+err.Error(), "")
		}
	}
	for _, name := range []any{names.Main, names.Module} {
		if name, ok := name.(string); ok && name != "" {
			if found := fileAt(path.Clean(name), paths); found != "" {
				return found, nil
			}
		}
	}
	for _, name := range entries {
		if slices.Contains(paths, name) {
			return name, nil
		}
	}
	return "", faultIn("", "no file is the entry: there is neither "+strings.Join(entries, ", ")+
		` nor a file that "main" of package.json names`, "set entry to the path of the file that has the handler")
}

// fileAt is the file that a path without an extension, or of a directory, stands for; empty if there is none.
func fileAt(name string, paths []string) string {
	if slices.Contains(paths, name) {
		return name
	}
	for _, extension := range extensions {
		for _, candidate := range []string{name + extension, path.Join(name, "index"+extension)} {
			if slices.Contains(paths, candidate) {
				return candidate
			}
		}
	}
	return ""
}
