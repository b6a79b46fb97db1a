package api

import (
	"encoding/json"

	"github.com/backstage/functions/internal/function"
)

// textBytes is about how long an answer with f is.
func textBytes(f *function.Function) int {
	n := len(f.Code)
	for _, v := range f.Env.Vars() {
		n += len(v.Name) + len(v.Value)
	}
	return n
}

// putAnswer shows the environment only when the request brought one, and not the variables of the names that are hidden.
func putAnswer(f, given *function.Function, hidden []string) []byte {
	o := newObjectOf(textBytes(f))
	o.string("id", f.ID)
	o.string("code", f.Code)
	o.string("hash", f.Hash)
	if given.Env != nil {
		o.raw("env", envJSON(given.Env.Without(hidden)))
	}
	addOptions(o, given.Options)
	return o.end()
}

// getAnswer leaves out what a record written by an early original does not have, and variables of the names that are hidden.
func getAnswer(f *function.Function, hidden []string) []byte {
	o := newObjectOf(textBytes(f))
	o.string("id", f.ID)
	o.string("namespace", f.Namespace)
	o.string("code", f.Code)
	o.string("hash", f.Hash)
	if f.Created != "" {
		o.string("created", f.Created)
	}
	if f.Updated != "" {
		o.string("updated", f.Updated)
	}
	o.raw("namespaceSettings", settingsJSON(f.Settings))
	o.optional("versionID", nonEmpty(&f.VersionID))
	if f.Env != nil {
		o.raw("env", envJSON(f.Env.Without(hidden)))
	}
	o.optional("sentryDSN", nonEmpty(f.SentryDSN()))
	addOptions(o, f.Options)
	return o.end()
}

// addOptions adds what the original does not know, and only where it is set.
func addOptions(o *object, options function.Options) {
	for option, value := range options.Given() {
		if option.Number {
			o.raw(option.Name, json.RawMessage(value))
		} else {
			o.string(option.Name, value)
		}
	}
}

func settingsJSON(n *function.Namespace) json.RawMessage {
	if n == nil {
		return json.RawMessage("null")
	}
	o := newObject()
	if n.SentryDSN != nil {
		o.string("sentryDSN", *n.SentryDSN)
	}
	if n.MaxConcurrency != nil {
		o.int("maxConcurrency", *n.MaxConcurrency)
	}
	return o.end()
}

func envJSON(e *function.Env) json.RawMessage {
	text, _ := e.MarshalJSON() // cannot fail
	return text
}

func nonEmpty(text *string) *string {
	if text == nil || *text == "" {
		return nil
	}
	return text
}
