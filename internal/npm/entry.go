package npm

import (
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"regexp"
	"strings"
)

// entry is a package as a lock file has it, or a package.json.
type entry struct {
	Name                 string            `json:"name"`
	Version              string            `json:"version"`
	Resolved             text              `json:"resolved"`
	Integrity            string            `json:"integrity"`
	Dev                  bool              `json:"dev"`
	Optional             bool              `json:"optional"`
	Link                 bool              `json:"link"`
	InBundle             bool              `json:"inBundle"`
	OS                   list              `json:"os"`
	CPU                  list              `json:"cpu"`
	Libc                 list              `json:"libc"`
	Dependencies         map[string]string `json:"dependencies"`
	OptionalDependencies map[string]string `json:"optionalDependencies"`
}

// text is a string; anything else is read as an empty one: npm once wrote "resolved": false.
type text string

// UnmarshalJSON never fails.
func (t *text) UnmarshalJSON(value []byte) error {
	*t = text(unquote(value))
	return nil
}

// wants is the version that e asks for of a package, or nothing.
func (e *entry) wants(name string) string {
	if wanted, ok := e.OptionalDependencies[name]; ok {
		return wanted
	}
	return e.Dependencies[name]
}

// addURLs adds the addresses by which e asks for packages.
func (e *entry) addURLs(urls map[string]bool) {
	for _, wanted := range []map[string]string{e.Dependencies, e.OptionalDependencies} {
		for _, spec := range wanted {
			if strings.HasPrefix(spec, "http:") || strings.HasPrefix(spec, "https:") {
				urls[spec] = true
			}
		}
	}
}

const (
	modulesFolder = "node_modules/"
	maxPath       = 1024
	maxName       = 214 // as npm has it
	maxVersion    = 256
)

var (
	packageName = regexp.MustCompile(`^(@[A-Za-z0-9~_-][A-Za-z0-9._~-]*/)?[A-Za-z0-9~_-][A-Za-z0-9._~!'()*-]*$`)
	semver      = regexp.MustCompile(`^[0-9]+\.[0-9]+\.[0-9]+(-[0-9A-Za-z.-]+)?(\+[0-9A-Za-z.-]+)?$`)
)

// dependency is what is to be fetched for the entry at path; nil for nothing.
func (r *reader) dependency(path string, e *entry) (*dependency, error) {
	at := strings.LastIndex("/"+path, "/"+modulesFolder)
	if at < 0 || e.Dev { // the project itself, or a folder of it
		return nil, nil
	}
	if !goodPath(path) {
		return nil, errors.New("is not the path of a package")
	}
	if e.InBundle || r.isBrought(path) {
		return nil, nil
	}
	if !r.platform.fits(e) {
		if e.Optional {
			return nil, nil
		}
		return nil, fmt.Errorf("is not for %s", r.platform)
	}
	if err := r.checkOrigin(e); err != nil {
		return nil, err
	}
	d := dependency{path: path, name: path[at+len(modulesFolder):], version: e.Version}
	if e.Name != "" {
		d.name = e.Name // an alias
	}
	if len(d.name) > maxName || !packageName.MatchString(d.name) {
		return nil, fmt.Errorf("has the name %q, which no package can have", shown(d.name))
	}
	if len(d.version) > maxVersion || !semver.MatchString(d.version) {
		return nil, fmt.Errorf("has the version %q, which is none", shown(d.version))
	}
	var err error
	d.integrity, d.sum, err = readIntegrity(e.Integrity)
	return &d, err
}

// isBrought says whether the package at path, or one that it lies in, is among the files.
func (r *reader) isBrought(path string) bool {
	for i := range path {
		if strings.HasPrefix(path[i:], "/"+modulesFolder) && r.brought[path[:i]] {
			return true
		}
	}
	return r.brought[path]
}

// goodPath says whether path stays below the folder that it is relative to.
func goodPath(path string) bool {
	return len(path) <= maxPath && fs.ValidPath(path) && !strings.ContainsAny(path, "\\\x00") &&
		packageName.MatchString(path[strings.LastIndex("/"+path, "/"+modulesFolder)+len(modulesFolder):])
}

// checkOrigin refuses what the registry does not have.
func (r *reader) checkOrigin(e *entry) error {
	from := string(e.Resolved)
	scheme, _, _ := strings.Cut(from, ":")
	switch {
	case e.Link:
		return fmt.Errorf("is a link to %s: import that folder by its path instead", shown(from))
	case from == "", (scheme == "https" || scheme == "http") && !r.urls[from]:
		return nil
	}
	return fmt.Errorf("comes from %s: use a version that the registry has, or bundle it before you deploy", shown(from))
}

const sha512Bytes = 64

// readIntegrity finds the SHA-512 in text, which has hashes as browsers write them (Subresource Integrity), and returns
// it in that form and in hex.
func readIntegrity(text string) (integrity, sum string, err error) {
	if strings.TrimSpace(text) == "" {
		return "", "", errors.New("has no integrity: delete the lock file and node_modules, and run \"npm install\"")
	}
	for hash := range strings.FieldsSeq(text) {
		hash, _, _ = strings.Cut(hash, "?")
		encoded, ok := strings.CutPrefix(hash, "sha512-")
		if !ok {
			continue
		}
		raw, err := base64.StdEncoding.DecodeString(encoded)
		if err != nil || len(raw) != sha512Bytes {
			return "", "", fmt.Errorf("has the integrity %q, which is no SHA-512", shown(text))
		}
		if sum != "" && sum != hex.EncodeToString(raw) {
			return "", "", errors.New("has two integrities of SHA-512, and one is needed")
		}
		integrity, sum = hash, hex.EncodeToString(raw)
	}
	if sum == "" {
		return "", "", fmt.Errorf("has the integrity %q and none of SHA-512: delete the lock file and node_modules, and "+
			"run \"npm install\"", shown(text))
	}
	return integrity, sum, nil
}
