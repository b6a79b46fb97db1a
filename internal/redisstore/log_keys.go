package redisstore

import (
	"fmt"
	"hash/fnv"

	"github.com/backstage/functions/internal/function"
)

// logShards is how many parts the namespaces of a cluster are in. A script can count together only what lies in one slot, so
// there each part has its own slot, and its own part of the budget.
const logShards = 16

// logKeys makes the names of the keys about kept lines. The original has no keys that begin like them.
type logKeys struct {
	keys
	cluster bool
}

// tag has the keys of a namespace lie in one slot of a cluster.
func (k logKeys) tag(namespace string) string {
	if !k.cluster {
		return ""
	}
	h := fnv.New32a()
	_, _ = h.Write([]byte(namespace)) // never fails
	return tagOf(h.Sum32() % logShards)
}

func tagOf(shard uint32) string { return fmt.Sprintf("{%02d}:", shard) }

// usages are the keys of what namespaces take, one for each part of them.
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
	begin := string(k.keys) + "functions:logs:" + k.tag(namespace)
	name := escape(namespace)
	return []string{begin + "order:" + name, begin + "sizes:" + name, begin + "usage", begin + "expires", begin + "total"}
}
