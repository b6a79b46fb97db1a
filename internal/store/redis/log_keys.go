package redis

import (
	"fmt"
	"hash/fnv"
	"strings"

	"github.com/backstage/functions/internal/function"
)

// logShards is how many parts the namespaces are divided into in a cluster. A script can use keys of one slot only,
// so each part has its own slot there, and its own share of the memory.
const logShards = 16

// logKeys makes the names of the keys about kept lines. The original has no keys that begin like them.
type logKeys struct {
	keys
	cluster   bool
	separator string // of owners; empty for none
}

// The bytes of lines are counted by group: a namespace, or all namespaces of an owner. A group of an owner has a name
// that no namespace has.
const ownerPrefix = "owner:"

func (k logKeys) group(namespace string) string {
	if k.separator == "" {
		return escape(namespace)
	}
	return ownerPrefix + escape(function.Owner(namespace, k.separator))
}

// entry is how a function is counted in its group.
func (k logKeys) entry(ref function.Ref) string {
	if k.separator == "" {
		return ref.ID
	}
	return escape(ref.Namespace) + "/" + ref.ID
}

// entryStream is the stream of an entry. An entry that a server with other settings wrote has none.
func (k logKeys) entryStream(group, tag, entry string) string {
	namespace, id := group, entry
	if k.separator != "" {
		namespace, id, _ = strings.Cut(entry, "/")
	}
	return string(k.keys) + "functions:log:" + tag + namespace + "/" + id
}

// tag is the hash tag of the keys of a group: they are in one slot of a cluster.
func (k logKeys) tag(namespace string) string {
	if !k.cluster {
		return ""
	}
	h := fnv.New32a()
	_, _ = h.Write([]byte(function.Owner(namespace, k.separator))) // never fails
	return tagOf(h.Sum32() % logShards)
}

// groupTag is the tag of a group; ok is false for a text that is no group.
func (k logKeys) groupTag(group string) (tag string, ok bool) {
	name, isOwner := strings.CutPrefix(group, ownerPrefix)
	if name, ok = unescape(name); !ok || isOwner != (k.separator != "") {
		return "", false
	}
	return k.tag(name), true
}

func tagOf(shard uint32) string { return fmt.Sprintf("{%02d}:", shard) }

// usages are the keys of what groups take, one for each part of them.
func (k logKeys) usages() []string {
	if !k.cluster {
		return []string{string(k.keys) + "functions:logs:usage"}
	}
	var all []string
	for shard := range uint32(logShards) {
		all = append(all, string(k.keys)+"functions:logs:"+tagOf(shard)+"usage")
	}
	return all
}

// stream holds the lines of a function.
func (k logKeys) stream(ref function.Ref) string {
	return string(k.keys) + "functions:log:" + k.tag(ref.Namespace) + escape(ref.Namespace) + "/" + ref.ID
}

// counts are the first keys of each script: see lua/log_lib.lua.
func (k logKeys) counts(namespace string) []string {
	return k.groupCounts(k.group(namespace), k.tag(namespace))
}

func (k logKeys) groupCounts(group, tag string) []string {
	begin := string(k.keys) + "functions:logs:" + tag
	return []string{
		begin + "order:" + group, begin + "sizes:" + group, begin + "usage", begin + "expires", begin + "total",
	}
}
