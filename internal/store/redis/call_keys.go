package redis

import (
	"fmt"
	"hash/fnv"

	"github.com/backstage/functions/internal/function"
)

// callShards is how many parts the namespaces are divided into: a script can use keys of one slot of a cluster only.
// The parts are the same outside of one, so that data can move there.
const callShards = 16

// callPart is what the keys of a part begin with: see lua/call_lib.lua.
func (k keys) callPart(shard uint32) string {
	return fmt.Sprintf("%sfunctions:calls:{%02d}:", string(k), shard)
}

// shardOf is the number of the part of a namespace.
func shardOf(namespace string) uint32 {
	h := fnv.New32a()
	_, _ = h.Write([]byte(namespace)) // never fails
	return h.Sum32() % callShards
}

// callsOf is the part of a namespace.
func (k keys) callsOf(namespace string) string { return k.callPart(shardOf(namespace)) }

// callParts are all of them.
func (k keys) callParts() []string {
	all := make([]string, callShards)
	for shard := range all {
		all[shard] = k.callPart(uint32(shard))
	}
	return all
}

// callbackPart is what the keys of the callbacks of a part begin with.
func callbackPart(part string) string { return part + "callbacks:" }

// callbackParts are those of all callbacks.
func (k keys) callbackParts() []string {
	all := k.callParts()
	for i, part := range all {
		all[i] = callbackPart(part)
	}
	return all
}

// listName is how the list of a function's calls is named in its part.
func listName(ref function.Ref) string { return escape(ref.Namespace) + "/" + ref.ID }
