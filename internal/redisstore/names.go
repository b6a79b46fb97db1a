package redisstore

import (
	"regexp"
	"strings"

	"github.com/backstage/functions/internal/function"
)

// Names in Redis. A function is kept at "code:<namespace>/<id>" and listed as "<namespace>:<id>". So that no two
// functions meet there, a namespace that has a slash or a colon, or that could be mistaken for such a one in its escaped
// form, is escaped; every other namespace stands for itself, as it does in data of Backstage Functions 0.3. An ID always
// stands for itself: it reaches to the end of the key.

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

// member is how a function appears in the list of functions, and in notices.
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

func (k keys) function(ref function.Ref) string {
	return string(k) + "code:" + escape(ref.Namespace) + "/" + ref.ID
}

func (k keys) namespace(name string) string { return string(k) + "namespace:" + escape(name) }

// list is the sorted set of every function's member.
func (k keys) list() string { return string(k) + "namespaces" }

// changes is the channel of notices.
func (k keys) changes() string { return string(k) + "functions:changes" }
