package sandbox

import (
	"fmt"
	"os"
	"strings"

	"github.com/backstage/functions/sandbox/internal/jail"
)

// User IDs. A server that runs as root gives each pool a range that no account of the host has, and each worker an ID of its own in it. Where
// root has fewer IDs, as in a rootless container, the ranges are smaller and lie at the end of those that it has. Another server has only its
// own ID to give.
const (
	firstHostID = 0x70000000
	hostIDs     = 0x10000
	fewIDs      = 0x4000
	zygoteID    = 1
	firstID     = 1000 // of workers
)

// ownUsers are the IDs of the pool with the given index in this process; many says whether each worker can have one of its own.
func ownUsers(index int) (users jail.Users, many bool) {
	if os.Geteuid() == 0 {
		// Maps that cannot be read have no IDs.
		uids, _ := os.ReadFile("/proc/self/uid_map")
		gids, _ := os.ReadFile("/proc/self/gid_map")
		if first, count, ok := chooseIDs(index, string(uids), string(gids)); ok {
			return jail.Users{FirstUID: first, FirstGID: first, Count: count}, true
		}
	}
	return jail.Users{FirstUID: os.Getuid(), FirstGID: os.Getgid(), Count: 1}, false
}

// chooseIDs finds a range that is in both maps of this user namespace: user_namespaces(7).
func chooseIDs(index int, uidMap, gidMap string) (first, count int, ok bool) {
	uids, gids := lastIDs(uidMap), lastIDs(gidMap)
	start, end := max(uids.start, gids.start), min(uids.end, gids.end)
	first, count = firstHostID+index*hostIDs, hostIDs
	if end < first+count {
		first, count = end-(index+1)*fewIDs, fewIDs
	}
	return first, count, first > start
}

// idRange is from start to before end.
type idRange struct{ start, end int }

// lastIDs are those with the highest numbers that a map has one after the other.
func lastIDs(text string) idRange {
	var last idRange
	for line := range strings.Lines(text) { // "1 100000 65536": from here, from there, how many
		var inside, outside, count int
		if _, err := fmt.Sscan(line, &inside, &outside, &count); err == nil && inside+count > last.end {
			last = idRange{inside, inside + count}
		}
	}
	return last
}
