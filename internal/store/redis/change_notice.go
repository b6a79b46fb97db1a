package redis

import (
	"strings"

	"github.com/backstage/functions/internal/function"
)

// A notice is "function:" and the function's member, "namespace:" or "secrets:" and the namespace's escaped name, or
// one of the words below.
const (
	functionPrefix  = "function:"
	namespacePrefix = "namespace:"
	secretsPrefix   = "secrets:"
	routesNotice    = "routes"
	keysNotice      = "keys"
	publicNotice    = "public"
	limitsNotice    = "limits"
)

func functionNotice(ref function.Ref) string { return functionPrefix + member(ref) }

func namespaceNotice(name string) string { return namespacePrefix + escape(name) }

func secretsNotice(namespace string) string { return secretsPrefix + escape(namespace) }

// parseNotice reads a notice. One that is not understood, from a newer server perhaps, may be about anything.
func parseNotice(text string) function.Change {
	switch text {
	case routesNotice:
		return function.Change{Routes: true}
	case keysNotice:
		return function.Change{Keys: true}
	case limitsNotice:
		return function.Change{Limits: true}
	case publicNotice:
		return function.Change{Public: true}
	}
	if m, found := strings.CutPrefix(text, functionPrefix); found {
		if ref, ok := parseMember(m); ok {
			return function.Change{Ref: ref}
		}
	}
	if escaped, found := strings.CutPrefix(text, namespacePrefix); found {
		if name, ok := unescape(escaped); ok && name != "" {
			return function.Change{Namespace: name}
		}
	}
	if escaped, found := strings.CutPrefix(text, secretsPrefix); found {
		if name, ok := unescape(escaped); ok && name != "" {
			return function.Change{Secrets: name}
		}
	}
	return function.Change{All: true}
}
