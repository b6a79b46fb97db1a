package function

import (
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"time"

	"github.com/backstage/functions/sandbox/rawjson"
)

// MaxModules is how many shared modules a namespace may have unless the Limits of a store say otherwise.
const MaxModules = 100

var (
	// ErrModuleNotFound marks a shared module that is not there.
	ErrModuleNotFound = errors.New("shared module not found")
	// ErrTooManyModules marks a namespace that has as many shared modules as it may.
	ErrTooManyModules = errors.New("the namespace has as many shared modules as it may: delete some first")
)

// ModuleRef names a shared module.
type ModuleRef struct{ Namespace, Name string }

// String is what code imports the module by: "@ns/name".
func (r ModuleRef) String() string { return "@" + r.Namespace + "/" + r.Name }

// importable is a namespace, or the name of a module, that can stand in "@ns/name", which is the form of a package's
// name in a scope.
var importable = regexp.MustCompile(`^[A-Za-z0-9_~-][A-Za-z0-9._~-]{0,127}$`)

// Fault is the beginning of a sentence about a name that no import can have; empty when nothing is wrong.
func (r ModuleRef) Fault() string {
	switch {
	case !importable.MatchString(r.Namespace):
		return fmt.Sprintf("The namespace %q", r.Namespace)
	case !importable.MatchString(r.Name):
		return fmt.Sprintf("The module name %q", r.Name)
	}
	return ""
}

// Module is a shared module of a namespace: files that functions of the namespace import as "@ns/name". What imports
// them gets the files that are there at its deploy.
type Module struct {
	ModuleRef
	// Hash is that of Source. It names the version.
	Hash string
	// OfCode says that the deploy gave code: the one file of Source.
	OfCode bool
	// Files counts those of Source, Bytes is their size together.
	Files int
	Bytes int64
	// Updated is the time of the write, as that of a Function.
	Updated string
	// Source has the files; nil in lists.
	Source *Source
}

// ModuleFile is the name of the file that a module of code has.
const ModuleFile = "index.js"

// NewModule is the version of a module that is written now.
func NewModule(ref ModuleRef, source *Source, ofCode bool) *Module {
	m := &Module{
		ModuleRef: ref, Hash: source.Hash(), OfCode: ofCode, Files: len(source.Files), Source: source,
		Updated: time.Now().UTC().Format(rawjson.Timestamp),
	}
	for _, content := range source.Files {
		m.Bytes += int64(len(content))
	}
	return m
}

// Check returns ErrIncomplete when m cannot be stored.
func (m *Module) Check() error {
	if m.Fault() != "" || m.Source == nil || len(m.Source.Files) == 0 {
		return ErrIncomplete
	}
	return nil
}

// Clone returns a copy that shares nothing with m but the bytes of the files, which nobody changes.
func (m *Module) Clone() *Module {
	c := *m
	c.Source = m.Source.Clone()
	return &c
}

// Listed is m as lists have it.
func (m *Module) Listed() Module {
	listed := *m
	listed.Source = nil
	return listed
}

// moduleRecord is a stored Module without its files.
type moduleRecord struct {
	Hash    string `json:"hash"`
	Entry   string `json:"entry,omitempty"`
	OfCode  bool   `json:"ofCode,omitempty"`
	Files   int    `json:"files"`
	Bytes   int64  `json:"bytes"`
	Updated string `json:"updated"`
}

// Record is m without its name and its files as a JSON text, as stores keep it beside the packed files.
func (m *Module) Record() []byte {
	text, err := json.Marshal(moduleRecord{m.Hash, m.Source.Entry, m.OfCode, m.Files, m.Bytes, m.Updated})
	if err != nil { // texts and numbers always marshal
		panic(err)
	}
	return text
}

// ParseModule is the inverse of Record. Files are those of Source.Pack; nil leaves Source nil, as in lists. It returns
// ErrDamagedSource for files that cannot be read, have more than most bytes, or are not those that the record is of.
func ParseModule(ref ModuleRef, record, files []byte, most int64) (*Module, error) {
	var stored moduleRecord
	if err := json.Unmarshal(record, &stored); err != nil {
		return nil, fmt.Errorf("record of module %s: %w", ref, err)
	}
	m := &Module{
		ModuleRef: ref, Hash: stored.Hash, OfCode: stored.OfCode, Files: stored.Files, Bytes: stored.Bytes,
		Updated: stored.Updated,
	}
	if files == nil {
		return m, nil
	}
	source, err := Packed{Files: files}.Unpack(&Artefact{Entry: stored.Entry}, most)
	if err != nil {
		return nil, fmt.Errorf("module %s: %w", ref, err)
	}
	if m.Source = source; source.Hash() != stored.Hash {
		return nil, fmt.Errorf("module %s: %w: its files do not match its hash", ref, ErrDamagedSource)
	}
	return m, nil
}
