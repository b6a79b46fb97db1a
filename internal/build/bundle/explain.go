package bundle

import (
	"cmp"
	"fmt"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"unicode/utf16"
	"unicode/utf8"

	"github.com/evanw/esbuild/pkg/api"
)

// Limits on what is told.
const (
	maxMessages = 20
	// maxLine and maxText bound a line of a file and a sentence, in bytes.
	maxLine, maxText = 200, 1000
)

// explainer turns messages of esbuild into ours.
type explainer struct {
	tree   *tree
	target Target
}

// rule says what becomes of a message: by what it is called (ID), or by how its text begins or what it contains.
type rule struct {
	id, text string
	// fault refuses the files for it, inPackages those of packages too. drop leaves it out where it is no fault.
	fault, inPackages, drop bool
	// says and hint replace what esbuild says; empty says keeps it. %s in hint is what newer says.
	says, hint string
}

var rules = []rule{
	{id: "bigint", fault: true, inPackages: true, says: "BigInt literals do not exist on {runtime}", hint: "{newer}"},
	{id: "unsupported-regexp", fault: true, hint: "{newer}"},
	{
		id: "empty-import-meta", fault: true, drop: true, says: "import.meta means nothing in functions",
		hint: "import files instead of reading them by their path",
	},
	{
		id: "unsupported-dynamic-import", fault: true, drop: true,
		says: "import() of what is not a constant finds nothing when the function runs",
		hint: "write the path as a constant text, once for each module that may be imported",
	},
	{
		text: "Top-level await", fault: true, inPackages: true, says: "await at the top level is not available in functions",
		hint: "await inside of the handler",
	},
	{text: "This require call is not allowed because the transitive dependency", fault: true, inPackages: true},
	{text: "to the configured target environment", fault: true, inPackages: true, hint: "{newer}"},
	{text: "in the configured target environment", fault: true, inPackages: true, hint: "{newer}"},
	{
		text: `No loader is configured for ".node" files`, fault: true, inPackages: true,
		says: "native add-ons do not run in functions", hint: "use a package that is JavaScript or WebAssembly",
	},
	{
		text: "No loader is configured for", fault: true, inPackages: true,
		hint: "import code, JSON, text such as .txt and .html, or .wasm and .bin",
	},
	{text: notUploaded, fault: true, inPackages: true, hint: leadsOutHint},
	{text: "Could not resolve", fault: true, inPackages: true, hint: "{resolve}"},
}

// all sorts messages into warnings and faults.
func (e *explainer) all(errs, warns []api.Message) (warnings, faults []Message) {
	for _, m := range e.confined(errs, true) {
		faults = append(faults, e.explain(m, e.ruleFor(m)))
	}
	for _, m := range e.confined(warns, false) {
		r := e.ruleFor(m)
		inPackage := e.inPackage(m)
		switch {
		case r.fault && (!inPackage || r.inPackages):
			faults = append(faults, e.explain(m, r))
		case !inPackage || r.fault && !r.drop:
			warnings = append(warnings, e.explain(m, r))
		}
	}
	return warnings[:min(len(warnings), maxMessages)], faults[:min(len(faults), maxMessages)]
}

func (e *explainer) ruleFor(m api.Message) rule {
	i := slices.IndexFunc(rules, func(r rule) bool {
		return r.id != "" && r.id == m.ID || r.text != "" && strings.Contains(m.Text, r.text)
	})
	if i < 0 {
		return rule{}
	}
	return rules[i]
}

func (e *explainer) inPackage(m api.Message) bool {
	return m.Location != nil && strings.HasPrefix(e.file(m.Location.File), "node_modules/")
}

// file is a path as the author gave it; empty for one that is none of the upload's.
func (e *explainer) file(name string) string {
	if filepath.IsAbs(name) {
		var err error
		if name, err = filepath.Rel(e.tree.root, name); err != nil {
			return ""
		}
	}
	if !filepath.IsLocal(name) {
		return ""
	}
	return name
}

func (e *explainer) explain(m api.Message, r rule) Message {
	told := Message{Text: cmp.Or(r.says, m.Text)}
	told.Text = e.fill(strings.ReplaceAll(told.Text, e.tree.root+"/", ""), m)
	told.Hint = e.fill(r.hint, m)
	if told.Hint == "" && m.Location != nil && m.Location.Suggestion != "" {
		told.Hint = "did you mean " + m.Location.Suggestion + "?"
	}
	told.Text, told.Hint = shortened(told.Text, maxText), shortened(told.Hint, maxText)
	if m.Location == nil {
		return told
	}
	if told.File = e.file(m.Location.File); told.File != "" && m.Location.Line > 0 {
		told.Line, told.Column = m.Location.Line, columnOf(m.Location)
		told.LineText = around(m.Location.LineText, m.Location.Column)
	}
	return told
}

// quoted is the first text in quotes.
var quoted = regexp.MustCompile(`"((?:[^"\\]|\\.)*)"`)

// environment is what esbuild calls the runtime.
var environment = regexp.MustCompile(`the configured target environment(?: \("[^)]*"\))?`)

// fill replaces what stands in braces, and what esbuild calls the runtime.
func (e *explainer) fill(text string, m api.Message) string {
	name := ""
	if found := quoted.FindStringSubmatch(m.Text); found != nil {
		name = found[1]
	}
	text = environment.ReplaceAllLiteralString(text, "the runtime "+e.target.Runtime)
	return strings.NewReplacer(
		"{runtime}", e.target.Runtime, "{newer}", e.newer(), "{resolve}", e.resolve(name),
	).Replace(text)
}

// newer is what helps where the runtime is too old.
func (e *explainer) newer() string {
	if e.target.Newest == "" || e.target.Newest == e.target.Runtime {
		return "it needs a newer Node.js"
	}
	return fmt.Sprintf("it needs a newer Node.js: set runtime to %s", e.target.Newest)
}

// resolve is what helps where an import is not found.
func (e *explainer) resolve(name string) string {
	switch {
	case strings.HasPrefix(name, "."), strings.HasPrefix(name, "/"):
		return "upload the file, or correct the path"
	case strings.HasPrefix(name, "@"):
		return "upload package-lock.json with the package in it, or deploy the shared module first"
	}
	return "upload package-lock.json with the package in it, or bundle the package into the files"
}

// columnOf is a column in UTF-16 code units from 1; esbuild counts bytes from 0.
func columnOf(at *api.Location) int {
	before := at.LineText[:min(max(at.Column, 0), len(at.LineText))]
	return len(utf16.Encode([]rune(before))) + 1
}

// around is the part of a long line around a column, in bytes from 0.
func around(line string, column int) string {
	if len(line) <= maxLine {
		return strings.ToValidUTF8(line, "\uFFFD")
	}
	start := max(min(column, len(line))-maxLine/2, 0)
	return strings.ToValidUTF8(line[start:min(start+maxLine, len(line))], "")
}

// shortened is a text of at most so many bytes.
func shortened(text string, most int) string {
	if len(text) <= most {
		return text
	}
	for most > 0 && !utf8.RuneStart(text[most]) {
		most--
	}
	return text[:most] + "…"
}
