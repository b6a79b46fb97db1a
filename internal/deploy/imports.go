package deploy

import (
	"bytes"
	"path"
	"strings"

	"github.com/backstage/functions/internal/function"
)

// maxName is the longest name of a shared module, in bytes.
const maxName = 128

// imports finds shared modules of a namespace in files. What it takes is bounded by left, whatever files have.
type imports struct {
	scope []byte          // "@ns/"
	left  map[string]bool // the names of those that are there and were not found yet
}

// importsOf finds those of namespace. Nothing is left yet.
func importsOf(namespace string) *imports {
	return &imports{scope: []byte("@" + namespace + "/"), left: map[string]bool{}}
}

// mentioned says whether files may import a shared module at all.
func (i *imports) mentioned(files map[string][]byte) bool {
	for name, content := range files {
		if canImport(name) && bytes.Contains(content, i.scope) {
			return true
		}
	}
	return false
}

// take returns the names that are left and stand in files, and takes them out of left.
func (i *imports) take(files map[string][]byte) (names []string) {
	for name, content := range files {
		if canImport(name) {
			names = i.takeFrom(names, content)
		}
	}
	return names
}

// takeFrom appends to names those that stand in text as an import has them: "@ns/name", in quotes, perhaps with the
// path of a file behind it. It ends when none is left.
func (i *imports) takeFrom(names []string, text []byte) []string {
	for len(i.left) > 0 {
		at := bytes.Index(text, i.scope)
		if at < 0 {
			break
		}
		quoted := at > 0 && isQuote(text[at-1])
		text = text[at+len(i.scope):]
		length := nameLength(text)
		if !quoted || length == 0 || length == len(text) || !isQuote(text[length]) && text[length] != '/' {
			continue
		}
		if i.left[string(text[:length])] { // which allocates nothing
			name := string(text[:length])
			delete(i.left, name)
			names = append(names, name)
		}
		text = text[length+1:]
	}
	return names
}

// nameLength is the length of the name with which text begins; 0 if there is none that a module can have.
func nameLength(text []byte) int {
	for n, c := range text {
		if !isNamed(c) {
			return n
		}
		if n == maxName {
			return 0
		}
	}
	return len(text)
}

func isNamed(c byte) bool {
	return 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' ||
		c == '.' || c == '_' || c == '~' || c == '-'
}

func isQuote(c byte) bool { return c == '"' || c == '\'' || c == '`' }

// canImport says whether a file of that name can import others, or say what the imports of others mean.
func canImport(name string) bool {
	switch path.Ext(name) {
	case ".js", ".mjs", ".cjs", ".jsx", ".ts", ".mts", ".cts", ".tsx":
		return true
	case ".json":
		base := path.Base(name)
		return base == "package.json" || strings.HasPrefix(base, "tsconfig")
	}
	return false
}

// importable says whether code can import shared modules of namespace.
func importable(namespace string) bool {
	return (function.ModuleRef{Namespace: namespace, Name: "x"}).Fault() == ""
}
