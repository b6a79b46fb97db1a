// Package cgroup gives each worker a cgroup with limits on memory, CPU and tasks, on version 1 and version 2 of
// the kernel's interface.
package cgroup

import "errors"

// ErrUnsupported means that this system has no cgroups that could be used.
var ErrUnsupported = errors.New("cgroup: not supported on this system")

// Limits bound the processes of one group together.
type Limits struct {
	// Memory in bytes, swap included.
	Memory int64
	// CPU in processors.
	CPU float64
	// PIDs counts processes and threads.
	PIDs int64
}

// Tree is the part of the hierarchy that belongs to this process: groups are made below it. Safe for concurrent use.
type Tree interface {
	// Version is 1 or 2.
	Version() int
	// Bound limits what the processes of all groups of all trees of this process may use together, in bytes, swap
	// included.
	Bound(memory int64) error
	// Used is how much they use.
	Used() (memory int64, err error)
	// Group makes a group named name, which must be new within the tree.
	Group(name string, limits Limits) (Group, error)
	// Memory is what the groups of all trees of this process use together.
	Memory() (Memory, error)
	// Close removes the tree. All its groups must be removed before.
	Close() error
}

// Group is one cgroup.
type Group interface {
	// Add moves a process into the group.
	Add(pid int) error
	// Limit replaces the group's limits on memory, in bytes, and on CPU, in processors. Its error may be that more memory
	// is in use than is to be allowed.
	Limit(memory int64, cpu float64) error
	// Weigh sets what the group counts for beside others when all want a processor, from 1 to WholeWeight, which it has at
	// first.
	Weigh(weight int) error
	// OOMKills counts the processes that the kernel killed here for want of memory, whosever limit that was.
	OOMKills() (uint64, error)
	// Used is how much memory it uses, in bytes. It is cheap.
	Used() (int64, error)
	// Renew forgets what ReachedLimit tells.
	Renew() error
	// ReachedLimit says whether the group has used all of its own limit on memory since Renew. What is killed without that
	// has kept to its limit: that of a group above, or the machine's memory, was at its end. Neither may be called while
	// the other is under way.
	ReachedLimit() (bool, error)
	// Remove deletes the group; its processes must have been reaped.
	Remove() error
}

// Memory is in bytes: all that is used, and what of it are pages that no file backs.
type Memory struct{ Total, Anonymous uint64 }

// WholeWeight is the weight of a new group. The kernel's own numbers are larger, so that many small ones still tell
// apart.
const WholeWeight = 1024

// cpuPeriod is the period over which CPU time is shared out, in microseconds. A short one lets a throttled worker go on
// soon.
const cpuPeriod = 20_000

// cpuQuota is the share of cpuPeriod that limit allows; the kernel refuses less than 1 ms.
func cpuQuota(limit float64) int64 { return max(int64(limit*cpuPeriod), 1_000) }
