// Package hostinfo tells what the machine has for the workers of package sandbox, for programs that choose their limits
// by it or say what is missing. A pool needs none of it.
package hostinfo

import (
	"context"

	"github.com/backstage/functions/sandbox/internal/worker"
)

// Support is one thing that isolation needs of the machine.
type Support struct {
	Name string `json:"name"`
	OK   bool   `json:"ok"`
	// Detail says what is missing and how to get it.
	Detail string `json:"detail,omitempty"`
}

// Probe tries what pools with this Node.js binary and the main.js of this runner would need, whatever their isolation.
// It makes and removes cgroups like a pool does. It is safe beside pools of the same process.
func Probe(ctx context.Context, node, runner string) []Support {
	var all []Support
	for _, support := range worker.Probe(ctx, worker.Config{Node: node, Runner: runner}) {
		all = append(all, Support(support))
	}
	return all
}

// ZoneData is the directory of the time zone database, which workers find at the same path: tzset(3). Without it
// Node.js before version 13 knows no zones, and no function can choose one.
const ZoneData = worker.ZoneData

// NodeVersion asks a Node.js binary for its version, such as v8.17.0, once in the life of this process.
func NodeVersion(ctx context.Context, binary string) (version string, major int, err error) {
	return worker.NodeVersion(ctx, binary)
}

// ICUFile is the name of the file with ICU's data that a Node.js binary takes in place of its own: icudt60l.dat for
// ICU 60 on a machine that is little-endian.
func ICUFile(ctx context.Context, binary string) (string, error) { return worker.ICUFile(ctx, binary) }

// Memory is what this process and others may use, in bytes: the machine's memory or the limit of the container or
// service, whichever is less; and how much of that is left, what the kernel keeps of files counted as left. 0 stands
// for what is not known.
func Memory() (total, left int64) { return worker.MachineMemory() }

// Tasks is how many processes and threads this user may have on this machine, or in this container or service. 0 stands
// for what is not known.
func Tasks() int64 { return worker.MachineTasks() }
