package bolt

import (
	"bytes"
	"encoding/json"
	"fmt"

	"github.com/backstage/functions/internal/function"
	"github.com/backstage/functions/sandbox/rawjson"
)

// functionRecord is the document of one function without its options, which follow. The fields that revisionIn looks
// for come first.
type functionRecord struct {
	VersionID string        `json:"versionID"`
	Hash      string        `json:"hash"`
	Code      string        `json:"code"`
	Env       *function.Env `json:"env,omitempty"`
	Created   string        `json:"created"`
	Updated   string        `json:"updated"`
	// Build describes the artefact, Artefact is its text unless that is Code: see function.Function.Texts.
	Build    json.RawMessage `json:"build,omitempty"`
	Artefact string          `json:"artefact,omitempty"`
}

// namespaceRecord is the document of one namespace.
type namespaceRecord struct {
	SentryDSN *string `json:"sentryDSN,omitempty"`
	AtATime   *int    `json:"maxConcurrency,omitempty"`
}

// namespaceKey names the bucket of a namespace's functions. The colon makes the order of such names that of
// function.Ref.Compare.
func namespaceKey(namespace string) []byte { return []byte(namespace + ":") }

// refOf is the function that is stored in the bucket ns under id.
func refOf(ns, id []byte) function.Ref {
	return function.Ref{Namespace: string(ns[:len(ns)-1]), ID: string(id)}
}

func encodeFunction(f *function.Function) ([]byte, error) {
	build, err := f.BuildRecord()
	if err != nil {
		return nil, err
	}
	code, artefact := f.Texts()
	text, err := json.Marshal(functionRecord{f.VersionID, f.Hash, code, f.Env, f.Created, f.Updated, build, artefact})
	if err != nil {
		return nil, err
	}
	record := rawjson.ExtendObject(text)
	for option, value := range f.Options.Given() {
		option.Record(&record, value)
	}
	return record.End(), nil
}

// maxNesting is how deeply objects and arrays of a record may be nested, as encoding/json has it.
const maxNesting = 10_000

// decodeFunction reads a record without an intermediate document, since code may be megabytes: the text is scanned once
// for whether it is JSON, and each member is read as it comes. An invalid option counts as absent.
func decodeFunction(ref function.Ref, text []byte) (*function.Function, error) {
	if !rawjson.IsObject(bytes.TrimLeft(text, " \t\r\n")) || !rawjson.Scan(text, maxNesting).OK {
		return nil, fmt.Errorf("record of %s: it is no JSON object", ref)
	}
	f := &function.Function{Ref: ref}
	var build []byte
	var artefact string
	for name, value := range rawjson.Members(text) {
		var err error
		switch name := rawjson.Unquote(name); name {
		case "build":
			build = value
		case "artefact":
			err = decodeText(&artefact, name, value)
		default:
			err = decodeMember(f, name, value)
		}
		if err != nil {
			return nil, fmt.Errorf("record of %s: %w", ref, err)
		}
	}
	f.ReadBuild(build, artefact)
	return f, nil
}

// decodeMember reads one member of a record into f. Nothing is read from names that are not known.
func decodeMember(f *function.Function, name string, value []byte) error {
	switch name {
	case "versionID":
		return decodeText(&f.VersionID, name, value)
	case "hash":
		return decodeText(&f.Hash, name, value)
	case "code":
		return decodeText(&f.Code, name, value)
	case "created":
		return decodeText(&f.Created, name, value)
	case "updated":
		return decodeText(&f.Updated, name, value)
	case "env":
		return json.Unmarshal(value, &f.Env)
	}
	if option := function.OptionOf(name); option != nil {
		option.Read(&f.Options, value)
	}
	return nil
}

// decodeText reads a string; null leaves to what it is, as with encoding/json.
func decodeText(to *string, name string, value []byte) error {
	switch {
	case rawjson.IsString(value):
		*to = rawjson.Unquote(value)
	case string(value) != "null":
		return fmt.Errorf("%s is no string", name)
	}
	return nil
}

// intact returns function.ErrDamaged when the code of f is not what was stored: every record has the hash of its code,
// or of its artefact, which is not read if it is another.
func intact(f *function.Function) error {
	if !f.OfFiles() && f.Hash != function.HashOf(f.Code) {
		return fmt.Errorf("record of %s: %w", f.Ref, function.ErrDamaged)
	}
	return nil
}

func decodeNamespace(name string, text []byte) (*function.Namespace, error) {
	var r namespaceRecord
	if err := json.Unmarshal(text, &r); err != nil {
		return nil, fmt.Errorf("record of namespace %s: %w", name, err)
	}
	return &function.Namespace{Name: name, SentryDSN: r.SentryDSN, MaxConcurrency: r.AtATime}, nil
}
