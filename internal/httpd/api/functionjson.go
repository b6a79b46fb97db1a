package api

import (
	"encoding/json"

	"github.com/backstage/functions/internal/function"
	"github.com/backstage/functions/sandbox/rawjson"
)

// newAnswer begins an object with room for f, and for some escapes in its texts.
func newAnswer(f *function.Function) rawjson.Object {
	n := textBytes(f)
	return rawjson.NewObject(make([]byte, 0, n+n/8+128))
}

// textBytes is about how long an answer with f is.
func textBytes(f *function.Function) int {
	n := len(f.Code)
	for _, v := range f.Env.Vars() {
		n += len(v.Name) + len(v.Value)
	}
	return n
}

// putAnswer shows the environment only when the request brought one, and not the variables of the names that are
// hidden.
func putAnswer(f, given *function.Function, hidden []string) []byte {
	o := newAnswer(f)
	o.String("id", f.ID)
	o.String("code", f.Code)
	o.String("hash", f.Hash)
	if given.Env != nil {
		o.Raw("env", envJSON(given.Env.Without(hidden)))
	}
	addOptions(&o, given.Options)
	return o.End()
}

// getAnswer leaves out what a record written by an early original does not have, and variables of the names that are
// hidden.
func getAnswer(f *function.Function, hidden []string) []byte {
	o := newAnswer(f)
	o.String("id", f.ID)
	o.String("namespace", f.Namespace)
	o.String("code", f.Code)
	o.String("hash", f.Hash)
	if f.Created != "" {
		o.String("created", f.Created)
	}
	if f.Updated != "" {
		o.String("updated", f.Updated)
	}
	o.Raw("namespaceSettings", settingsJSON(f.Settings))
	addOptional(&o, "versionID", &f.VersionID)
	if f.Env != nil {
		o.Raw("env", envJSON(f.Env.Without(hidden)))
	}
	addOptional(&o, "sentryDSN", f.SentryDSN())
	addOptions(&o, f.Options)
	return o.End()
}

// addOptions adds what the original does not know, and only where it is set.
func addOptions(o *rawjson.Object, options function.Options) {
	for option, value := range options.Given() {
		option.Record(o, value)
	}
}

func settingsJSON(n *function.Namespace) json.RawMessage {
	if n == nil {
		return json.RawMessage("null")
	}
	o := rawjson.NewObject(nil)
	if n.SentryDSN != nil {
		o.String("sentryDSN", *n.SentryDSN)
	}
	if n.MaxConcurrency != nil {
		o.Int("maxConcurrency", int64(*n.MaxConcurrency))
	}
	return o.End()
}

func envJSON(e *function.Env) json.RawMessage {
	text, _ := e.MarshalJSON() // cannot fail
	return text
}

// addOptional adds a string that is null when it is missing or empty.
func addOptional(o *rawjson.Object, name string, text *string) {
	if text == nil || *text == "" {
		o.Raw(name, json.RawMessage("null"))
		return
	}
	o.String(name, *text)
}
