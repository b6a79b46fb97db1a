package sandbox

import (
	"context"

	"github.com/backstage/functions/sandbox/internal/worker"
)

// Probe tries what a pool of cfg would need of this host, whatever its tier. Nothing but Node and Runner of cfg is looked at. It makes and
// removes control groups like a pool does. It is safe beside pools of the same process.
func Probe(ctx context.Context, cfg Config) []Support {
	if found, err := cfg.resolved(ctx); err == nil {
		cfg = found
	}
	var all []Support
	for _, support := range worker.Probe(ctx, cfg.worker()) {
		all = append(all, Support(support))
	}
	return all
}

// ZoneData is the directory of the host's time zone database, which workers find at the same path: tzset(3). Without it
// Node.js before version 13 knows no zones, and no function can choose one.
const ZoneData = worker.ZoneData

// NodeVersion asks a binary for its version, such as v8.17.0, once in the life of this process.
func NodeVersion(ctx context.Context, binary string) (version string, major int, err error) {
	return worker.NodeVersion(ctx, binary)
}

// ICUFile is the name of the file with ICU's data that a Node.js binary takes in place of its own: icudt60l.dat for
// ICU 60 on a machine that is little-endian.
func ICUFile(ctx context.Context, binary string) (string, error) { return worker.ICUFile(ctx, binary) }

// MachineMemory is what this process and others may use, in bytes: the machine's memory or the limit of the container or service, whichever
// is less; and how much of that is left, what the kernel keeps of files counted as left. 0 stands for what is not known.
func MachineMemory() (total, left int64) { return worker.MachineMemory() }

// MachineTasks is how many processes and threads this user may have on this machine, or in this container or service. 0 stands for what is
// not known.
func MachineTasks() int64 { return worker.MachineTasks() }
