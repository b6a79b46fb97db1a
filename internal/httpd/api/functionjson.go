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
	if f.Artefact != nil {
		for _, file := range f.Artefact.Files {
			n += len(file.Path) + fileBytes
		}
	}
	for _, v := range f.Env.Vars() {
		n += len(v.Name) + len(v.Value)
	}
	return n
}

// putAnswer shows the environment only when the request brought one, and not the variables of the names that are
// hidden.
func putAnswer(f, given *function.Function, hidden []string, warnings json.RawMessage) []byte {
	o := newAnswer(f)
	o.String("id", f.ID)
	addSource(&o, f)
	o.String("hash", f.Hash)
	addArtefact(&o, f)
	if warnings != nil {
		o.Raw("warnings", warnings)
	}
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
	addSource(&o, f)
	o.String("hash", f.Hash)
	addArtefact(&o, f)
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

// fileBytes is about how long the description of a file is, apart from its path.
const fileBytes = 120

// addSource adds the code of f, or the list of its files, whose contents have addresses of their own.
func addSource(o *rawjson.Object, f *function.Function) {
	if !f.OfFiles() {
		o.String("code", f.Code)
		return
	}
	if f.Artefact.Entry != "" {
		o.String(memberEntry, f.Artefact.Entry)
	}
	o.Raw(memberFiles, filesJSON(f.Artefact.Files))
}

// filesJSON describes files.
func filesJSON(files []function.File) json.RawMessage {
	list := []byte{'['}
	for i, file := range files {
		if i > 0 {
			list = append(list, ',')
		}
		o := rawjson.NewObject(nil)
		o.String("path", file.Path)
		o.Int("size", file.Size)
		o.String("hash", file.Hash)
		list = append(list, o.End()...)
	}
	return append(list, ']')
}

// addArtefact adds what a function of files, or with shared modules, was built to. What was built of code alone is
// nothing that its author has asked for.
func addArtefact(o *rawjson.Object, f *function.Function) {
	if f.Artefact == nil || !f.OfFiles() && len(f.Artefact.Modules) == 0 {
		return
	}
	a := rawjson.NewObject(nil)
	a.String("hash", f.Artefact.Hash)
	a.Int("size", int64(len(f.Artefact.Code)))
	a.String("runtime", f.Artefact.Runtime)
	a.String("node", f.Artefact.Node)
	o.Raw("artefact", a.End())
	if len(f.Artefact.Modules) == 0 {
		return
	}
	modules := rawjson.NewObject(nil)
	for _, m := range f.Artefact.Modules {
		modules.String(m.Name, m.Hash)
	}
	o.Raw("modules", modules.End())
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
