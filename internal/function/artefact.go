package function

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"slices"
)

// Artefact is what workers load instead of the code of a deploy: one CommonJS text that was built from the files of the
// deploy, or from its code.
type Artefact struct {
	// Code is the text.
	Code string `json:"-"`
	// Hash is the lower-case hex SHA-256 of Code.
	Hash string `json:"hash"`
	// Lowered says that it is the function's code with its imports and exports in another form, line by line: errors and
	// output need no source map. Then the fields below are empty.
	Lowered bool `json:"lowered,omitempty"`
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
	// Hash is that of the module when it was built into the artefact, Entry its entry then, as the deploy named it.
	Hash  string `json:"hash"`
	Entry string `json:"entry,omitempty"`
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

// built is an Artefact in stores, apart from its text. Of is the Hash of the function: who writes other code and knows
// nothing of artefacts, as Backstage Functions, leaves one that is not of it any more.
type built struct {
	Of string `json:"of"`
	*Artefact
}

// BuildRecord describes the artefact of f for stores, without its text; nil when f has none.
func (f *Function) BuildRecord() ([]byte, error) {
	if f.Artefact == nil {
		return nil, nil
	}
	return json.Marshal(built{f.Hash, f.Artefact})
}

// Texts are what stores keep as the code of f, and as the text of its artefact. Of a function of files the former is
// that of the artefact, so that every record has code.
func (f *Function) Texts() (code, artefact string) {
	switch {
	case f.OfFiles():
		return f.Artefact.Code, ""
	case f.Artefact != nil:
		return f.Code, f.Artefact.Code
	}
	return f.Code, ""
}

// ReadBuild completes f, whose Code and Hash are those of its record, with what BuildRecord and Texts gave. What is not
// of f, or does not fit together, counts as absent.
func (f *Function) ReadBuild(record []byte, artefact string) {
	var b built
	if len(record) == 0 || json.Unmarshal(record, &b) != nil || b.Artefact == nil || b.Of != f.Hash {
		return
	}
	if b.Code = artefact; artefact == "" {
		b.Code = f.Code
	}
	if !b.Intact() {
		return
	}
	f.Artefact = b.Artefact
	if artefact == "" {
		f.Code = ""
	}
}

func artefactHash(code string) string {
	sum := sha256.Sum256([]byte(code))
	return hex.EncodeToString(sum[:])
}
