package api

import (
	"net/url"
	"strings"

	"github.com/backstage/functions/internal/function"
)

// plainRun is the function whose run is at u, if its path is written as nearly all callers write it:
// "/functions/NAMESPACE/ID/run", with names of letters, digits and "-._~" alone. The routes would find the same; they
// match regular expressions, which takes a hundred times as long. Every other path is theirs.
func plainRun(u *url.URL) (ref function.Ref, ok bool) {
	rest, ok := strings.CutPrefix(u.Path, "/functions/")
	if !ok || u.RawPath != "" {
		return function.Ref{}, false
	}
	names, ok := strings.CutSuffix(rest, "/run")
	if !ok {
		return function.Ref{}, false
	}
	namespace, id, ok := strings.Cut(names, "/")
	if !ok || !isPlainName(namespace) || !isPlainName(id) {
		return function.Ref{}, false
	}
	return function.Ref{Namespace: namespace, ID: id}, true
}

// isPlainName says whether text is a name that stands for itself in a path.
func isPlainName(text string) bool {
	if text == "" || len(text) > maxName {
		return false
	}
	for i := range len(text) {
		switch c := text[i]; {
		case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', '0' <= c && c <= '9':
		case c == '-', c == '.', c == '_', c == '~':
		default:
			return false
		}
	}
	return true
}
