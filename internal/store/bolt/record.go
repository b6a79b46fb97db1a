package bolt

import (
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
	text, err := json.Marshal(functionRecord{f.VersionID, f.Hash, f.Code, f.Env, f.Created, f.Updated})
	if err != nil {
		return nil, err
	}
	record := rawjson.ExtendObject(text)
	for option, value := range f.Options.Given() {
		option.Record(&record, value)
	}
	return record.End(), nil
}

func decodeFunction(ref function.Ref, text []byte) (*function.Function, error) {
	var r functionRecord
	if err := json.Unmarshal(text, &r); err != nil {
		return nil, fmt.Errorf("record of %s: %w", ref, err)
	}
	return &function.Function{
		Ref: ref, Code: r.Code, Hash: r.Hash, Env: r.Env, VersionID: r.VersionID, Created: r.Created, Updated: r.Updated,
		Options: decodeOptions(text),
	}, nil
}

// decodeOptions reads the options of a record. An invalid one counts as absent.
func decodeOptions(record []byte) (o function.Options) {
	for name, value := range rawjson.Members(record) {
		if option := function.OptionOf(rawjson.Unquote(name)); option != nil {
			option.Read(&o, value)
		}
	}
	return o
}

// intact returns function.ErrDamaged when the code of f is not what was stored: every record has the hash of its code.
func intact(f *function.Function) error {
	if f.Hash != function.HashOf(f.Code) {
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
