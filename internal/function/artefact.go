package function

import (
	"crypto/sha256"
	"encoding/hex"
	"slices"
)

// Artefact is what workers load instead of the code of a deploy: one CommonJS text that was built from the files of the
// deploy, or from its code.
type Artefact struct {
	// Code is the text.
	Code string `json:"-"`
	// Hash is the lower-case hex SHA-256 of Code.
	Hash string `json:"hash"`
	// Runtime is the name of the runtime that it was built for, and Node the version of its Node.js, such as "24.1.0".
	Runtime string `json:"runtime"`
	Node    string `json:"node"`
	// Entry is the path of the file with the handler as the deploy named it, Files are those of the deploy. An artefact
	// that was built from code has neither.
	Entry string `json:"entry,omitempty"`
	Files []File `json:"files,omitempty"`
	// Modules are the shared modules that were built into it.
	Modules []ModuleVersion `json:"modules,omitempty"`
}

// ModuleVersion names one version of a shared module.
type ModuleVersion struct {
	// Name is such as "@ns/name".
	Name string `json:"name"`
	// Hash is that of the module when it was built into the artefact.
	Hash string `json:"hash"`
}

// Seal sets Hash. It returns a.
func (a *Artefact) Seal() *Artefact {
	a.Hash = artefactHash(a.Code)
	return a
}

// Intact says whether Code is what Seal has seen.
func (a *Artefact) Intact() bool { return a.Hash == artefactHash(a.Code) }

// Clone returns a copy that shares nothing with a; nil stays nil.
func (a *Artefact) Clone() *Artefact {
	if a == nil {
		return nil
	}
	c := *a
	c.Files, c.Modules = slices.Clone(a.Files), slices.Clone(a.Modules)
	return &c
}

func artefactHash(code string) string {
	sum := sha256.Sum256([]byte(code))
	return hex.EncodeToString(sum[:])
}
