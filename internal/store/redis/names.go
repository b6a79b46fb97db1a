package redis

import (
	"regexp"
	"strings"

	"github.com/backstage/functions/internal/function"
	"github.com/backstage/functions/internal/usage"
)

// Names in Redis. A function is kept at "code:<namespace>/<id>" and listed as "<namespace>:<id>", as in Backstage
// Functions, where several functions may collide: see place. Then, and if the namespace could be mistaken for an
// escaped one, the namespace is escaped. An ID is never escaped: it reaches to the end of the key.

var (
	needsEscape = regexp.MustCompile(`(?i)[/:]|%2f|%3a|%25`)
	escaper     = strings.NewReplacer("%", "%25", "/", "%2F", ":", "%3A")
	unescaper   = strings.NewReplacer("%25", "%", "%2F", "/", "%3A", ":")
)

func escape(namespace string) string {
	if !needsEscape.MatchString(namespace) {
		return namespace
	}
	return escaper.Replace(namespace)
}

// unescape is the inverse of escape; ok is false for a text that escape does not produce.
func unescape(text string) (namespace string, ok bool) {
	namespace = text
	if needsEscape.MatchString(text) {
		namespace = unescaper.Replace(text)
	}
	return namespace, escape(namespace) == text
}

// member is how a function appears in notices, and at its own place in the list of functions.
func member(ref function.Ref) string { return escape(ref.Namespace) + ":" + ref.ID }

// parseMember is the inverse of member; ok is false for a text that member does not produce. Functions under such a
// name cannot be reached.
func parseMember(text string) (ref function.Ref, ok bool) {
	namespace, id, found := strings.Cut(text, ":")
	ref.Namespace, ok = unescape(namespace)
	ref.ID = id
	return ref, ok && found
}

// keys makes the names of a store's keys; it is their common prefix.
type keys string

// function is the key of a function at its own place.
func (k keys) function(ref function.Ref) string {
	return string(k) + "code:" + escape(ref.Namespace) + "/" + ref.ID
}

// namespace is the key of a namespace's record. oldNamespace is the key that earlier versions used, which may be the
// key of another namespace.
func (k keys) namespace(name string) string { return string(k) + "namespace:" + name }

func (k keys) oldNamespace(name string) string { return string(k) + "namespace:" + escape(name) }

// list is the sorted set of every function's member.
func (k keys) list() string { return string(k) + "namespaces" }

// routes is the hash of all routes.
func (k keys) routes() string { return string(k) + "functions:routes" }

// keys is the hash of all keys of callers.
func (k keys) keys() string { return string(k) + "functions:keys" }

// modules is the hash of the shared modules of a namespace.
func (k keys) modules(namespace string) string { return string(k) + "functions:modules:" + namespace }

// secrets is the hash of the secrets of a scope, and secretScopes that of all scopes.
func (k keys) secrets(scope function.SecretScope) string {
	return string(k) + "functions:secrets:" + scopeMember(scope)
}

func (k keys) secretScopes() string { return string(k) + "functions:secrets" }

// public is the hash of all public functions.
func (k keys) public() string { return string(k) + "functions:public" }

// audit is the stream of the records of writes and refusals.
func (k keys) audit() string { return string(k) + "functions:audit" }

// limits is the hash of the limits of all namespaces.
func (k keys) limits() string { return string(k) + "functions:limits" }

// servers is the sorted set of the servers that have sent their usage, by the times when they have.
func (k keys) servers() string { return string(k) + "functions:servers" }

// usage is the hash of what a subject used in a day, and bucket that of the bucket of its rate.
func (k keys) usage(s usage.Subject, day string) string {
	return string(k) + "functions:usage:" + day + ":" + string(s.Kind) + ":" + s.Name
}

func (k keys) bucket(s usage.Subject) string {
	return string(k) + "functions:rate:" + string(s.Kind) + ":" + s.Name
}

// changes is the channel of notices.
func (k keys) changes() string { return string(k) + "functions:changes" }

// messages is the channel of messages to that name.
func (k keys) messages(name string) string { return string(k) + "functions:messages:" + name }
