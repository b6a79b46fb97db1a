package jail

import (
	"fmt"
	"math/rand/v2"
	"net"
	"os"
	"strings"
)

// User IDs. A server that runs as root gives each pool of processes a range that no account of the host has, and each
// worker an ID of its own in it. Where root has fewer IDs, as in a rootless container, the ranges are smaller and lie
// at the end of those that it has. Another server has no more than its own ID to give.
//
// No two pools have the same range, of one server or of several. A pool that takes a range binds an abstract Unix
// socket that is named for it (unix(7)): the kernel lets go of it with the process, however that ends. Servers in
// network namespaces of their own, such as containers, do not see each other's sockets. So the search begins at a
// random one of 4,096 ranges.
const (
	firstHostID = 0x70000000
	hostIDs     = 0x10000
	hostRanges  = 0x1000
	fewIDs      = 0x4000
)

// firstID is the first one that the processes of a pool get.
const firstID = 1000

// Claim holds a range of IDs until it is closed.
type Claim interface{ Close() error }

// ClaimUsers takes IDs for a pool of processes. Many says whether each of them can have one of its own; then claimed
// must be closed when the last one has ended.
func ClaimUsers() (users Users, claimed Claim, many bool) {
	if os.Geteuid() == 0 {
		// Maps that cannot be read have no IDs.
		uids, _ := os.ReadFile("/proc/self/uid_map")
		gids, _ := os.ReadFile("/proc/self/gid_map")
		if users, claimed, ok := claimIDs(string(uids), string(gids), rand.IntN(hostRanges)); ok {
			return users, claimed, true
		}
	}
	return Users{FirstUID: os.Getuid(), FirstGID: os.Getgid(), Count: 1}, nil, false
}

// claimIDs takes the first range from the start-th on that nobody has; with few IDs, from the first one on.
func claimIDs(uidMap, gidMap string, start int) (users Users, claimed Claim, ok bool) {
	if _, count, _ := chooseIDs(hostRanges-1, uidMap, gidMap); count != hostIDs {
		start = 0
	}
	for i := range hostRanges {
		first, count, ok := chooseIDs((start+i)%hostRanges, uidMap, gidMap)
		if !ok {
			break
		}
		name := &net.UnixAddr{Name: fmt.Sprintf("@functions-user-ids-%#x", first), Net: "unixgram"}
		if claimed, err := net.ListenUnixgram("unixgram", name); err == nil {
			return Users{FirstUID: first, FirstGID: first, Count: count}, claimed, true
		}
	}
	return Users{}, nil, false
}

// First is the first ID inside the namespace that processes of a pool get, where each has one of its own.
func (u Users) First() int { return firstID }

// Last is the last of them.
func (u Users) Last() int { return u.Count - 1 }

// Of is the ID of the process in a slot.
func (u Users) Of(slot int) int { return firstID + slot%(u.Count-firstID) }

// chooseIDs finds the index-th range that is in both maps of this user namespace: user_namespaces(7).
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
