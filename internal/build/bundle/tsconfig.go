package bundle

import (
	"encoding/json"
	"os"
	"path"
	"path/filepath"
	"strconv"
	"strings"
)

// configDir stands, in paths of a tsconfig.json, for the directory of the one that extends all others.
const configDir = "${configDir}"

// isConfig says whether esbuild takes settings from a file by its name.
func isConfig(name string) bool {
	base := path.Base(name)
	return (base == "tsconfig.json" || base == "jsconfig.json") && !strings.Contains("/"+name, "/node_modules/")
}

// settings are what one tsconfig.json and all that it extends say about paths.
type settings struct {
	tree *tree
	// dir is that of the tsconfig.json itself.
	dir string
	// bases are each baseUrl, as a directory of the tree.
	bases []string
	paths []pathSetting
	seen  map[string]bool
}

// pathSetting is one path that says where imports are.
type pathSetting struct {
	file string
	text []byte
	at   jsonString
}

// confineConfigs refuses each tsconfig.json that leads out of the tree, and has the root of it settings of its own: so
// those of directories around do not count.
func (t *tree) confineConfigs() error {
	for _, name := range t.configs {
		s := &settings{tree: t, dir: path.Dir(name), seen: map[string]bool{}}
		if err := s.read(name); err != nil {
			return err
		}
		if err := s.checkPaths(); err != nil {
			return err
		}
	}
	for _, names := range [][]string{{"tsconfig.json", "jsconfig.json"}, {"package.json"}} {
		if t.exists(names[0]) || t.exists(names[len(names)-1]) {
			continue
		}
		if err := t.write(names[0], []byte("{}")); err != nil {
			return err
		}
	}
	return nil
}

// read checks a file and those that it extends, and puts into it the very files that these are: esbuild looks for none
// then. A text that is no JSON is cut behind the fault: esbuild tells it, and takes nothing from it.
func (s *settings) read(name string) error {
	if s.seen[name] {
		return nil
	}
	s.seen[name] = true
	original, err := os.ReadFile(filepath.Join(s.tree.root, name))
	if err != nil {
		return err
	}
	text := plainJSON(original)
	found, cut, ok := stringsOf(text)
	if !ok {
		return s.tree.put(name, text[:cut])
	}
	var out []byte
	last := 0
	for _, at := range found {
		base, err := s.check(name, text, at)
		if err != nil {
			return err
		}
		if !at.extends() {
			continue
		}
		out = append(append(out, text[last:at.start]...), base...)
		last = at.end
	}
	return s.tree.put(name, append(out, text[last:]...))
}

// check checks one string of a file. What is extended is read, and base is the new text for it.
func (s *settings) check(name string, text []byte, at jsonString) (base string, err error) {
	dir := path.Dir(name)
	switch {
	case at.extends():
		if isPackage := !strings.HasPrefix(at.value, "."); isPackage && climbs(at.value) || escapes(dir, at.value) {
			return "", escaped(name, text, at, "extends")
		}
		return s.extended(name, text, at)
	case at.in("compilerOptions", "baseUrl"):
		within, ok := s.within(dir, at.value)
		if !ok {
			return "", escaped(name, text, at, "baseUrl")
		}
		s.bases = append(s.bases, within)
	case at.in("compilerOptions", "rootDirs"):
		if _, ok := s.within(dir, at.value); !ok {
			return "", escaped(name, text, at, "rootDirs")
		}
	case at.in("compilerOptions", "paths"):
		s.paths = append(s.paths, pathSetting{name, text, at})
	}
	return "", nil
}

// extends says whether a string names what is extended.
func (s jsonString) extends() bool {
	return s.in("extends", "[]") && len(s.keys) == 2 || s.in("extends") && len(s.keys) == 1
}

// checkPaths checks each path from each directory that it may be relative to.
func (s *settings) checkPaths() error {
	for _, p := range s.paths {
		bases := s.bases
		if len(bases) == 0 {
			bases = []string{path.Dir(p.file)}
		}
		for _, base := range bases {
			if _, ok := s.within(base, p.at.value); !ok || completes(p.at.value) {
				return escaped(p.file, p.text, p.at, "paths")
			}
		}
	}
	return nil
}

// within is a path of the tree; ok is false when it leads out.
func (s *settings) within(dir, value string) (name string, ok bool) {
	if rest, found := strings.CutPrefix(value, configDir); found {
		dir, value = s.dir, "./"+rest
	}
	return path.Join(dir, value), !escapes(dir, value)
}

// escaped is the fault of a setting that leads out.
func escaped(name string, text []byte, at jsonString, setting string) error {
	return &faultError{[]Message{messageAt(name, text, at.start, setting+": "+leadsOut, leadsOutHint)}}
}

// extended reads the file that a file extends, and returns the path to it in JSON. When there is none, it is null, and
// there is a warning.
func (s *settings) extended(name string, text []byte, at jsonString) (string, error) {
	dir := path.Dir(name)
	for _, candidate := range s.candidates(dir, at.value) {
		if !s.tree.isFile(candidate) {
			continue
		}
		if err := s.read(candidate); err != nil {
			return "", err
		}
		relative, err := filepath.Rel(dir, candidate)
		if err != nil {
			return "", err
		}
		quoted, err := json.Marshal("./" + relative)
		return string(quoted), err
	}
	if !strings.Contains("/"+name, "/node_modules/") {
		s.tree.warnings = append(s.tree.warnings, messageAt(name, text, at.start,
			"Cannot find base config file "+strconv.Quote(at.value), ""))
	}
	return "null", nil
}

// candidates are the paths that an extended file may have, the first one first.
func (s *settings) candidates(dir, value string) []string {
	if value == "." || value == ".." {
		value += "/tsconfig.json"
	}
	if strings.HasPrefix(value, ".") {
		exact := path.Join(dir, value)
		return []string{exact, exact + ".json"}
	}
	var all []string
	for {
		all = append(all, s.inPackage(path.Join(dir, "node_modules"), value)...)
		if dir == "." {
			return all
		}
		dir = path.Dir(dir)
	}
}

// inPackage are the paths that an extended file may have in a package.
func (s *settings) inPackage(modules, value string) []string {
	parts := strings.SplitN(value, "/", 3)
	count := 1
	if strings.HasPrefix(value, "@") {
		count = 2
	}
	root := path.Join(modules, path.Join(parts[:min(count, len(parts))]...))
	exact := path.Join(modules, value)
	var all []string
	var described struct {
		TSConfig any            `json:"tsconfig"`
		Exports  map[string]any `json:"exports"`
	}
	if text, err := os.ReadFile(filepath.Join(s.tree.root, root, "package.json")); err == nil {
		_ = json.Unmarshal(text, &described) // without these fields the usual places are left
	}
	if to, ok := described.Exports[strings.Replace(exact, root, ".", 1)].(string); ok {
		all = append(all, path.Join(root, to))
	}
	if to, ok := described.TSConfig.(string); ok && exact == root {
		all = append(all, path.Join(root, to), path.Join(root, to+".json"))
	}
	return append(all, path.Join(exact, "tsconfig.json"), exact, exact+".json")
}

// isFile says whether a path of the tree is a file.
func (t *tree) isFile(name string) bool {
	if !filepath.IsLocal(name) {
		return false
	}
	info, err := os.Lstat(filepath.Join(t.root, name))
	return err == nil && info.Mode().IsRegular()
}
