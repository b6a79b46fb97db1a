package jail

import (
	"cmp"
	"fmt"
)

// Spec says what the child builds. It travels to it as JSON.
type Spec struct {
	// Path, Args and Env are the program's, as seen in the new root.
	Path string
	Args []string
	Env  []string
	// Scratch is an existing directory of the host over which the child mounts its root, invisibly to anyone else.
	Scratch string
	// Mounts are what the root holds; their descriptors follow each other from FirstMount in the same order.
	Mounts     []Mount
	FirstMount int
	// CloneInside lets the child clone the mounts itself, where the host has not the right to: it must then be able to
	// walk to them.
	CloneInside bool
	// TmpDir makes an empty directory /tmp, and Tmp mounts one of so many bytes over it that is the program's alone and
	// can be written to; 0 mounts none.
	TmpDir bool
	Tmp    int64
	// TmpFiles is how many files and directories /tmp may hold; 0 stands for as many as a worker's.
	TmpFiles int
	Hostname string
	// Limits are resource limits, soft and hard, by their number (RLIMIT_…).
	Limits map[int]uint64
	// UID is the user and group that the program becomes; it keeps Capabilities, by their numbers, and no others.
	UID          int
	Capabilities []int
	// Filter is a system-call filter that must allow the exec; none when empty.
	Filter []byte
}

// tmpFiles is how many files and directories the /tmp of a worker may hold.
const tmpFiles = 1024

// tmpData is what mount(2) is told of a /tmp of so many bytes that belongs to a user and group: as in prepare.h.
func (s *Spec) tmpData() string {
	return fmt.Sprintf("size=%d,nr_inodes=%d,mode=700,uid=%d,gid=%d", s.Tmp, cmp.Or(s.TmpFiles, tmpFiles), s.UID, s.UID)
}

// Mount is a file or directory of the host in the root, read-only.
type Mount struct {
	// Source is its path on the host, Target its path in the root.
	Source, Target string
	// Device keeps a device node usable.
	Device bool
	Dir    bool
}

// Users are the user and group IDs of the new user namespace: Count of them from 0 are FirstUID, FirstGID and following
// on the host.
type Users struct{ FirstUID, FirstGID, Count int }
