package sandbox

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/backstage/functions/sandbox/internal/worker"
)

// Isolation is how much stands between a worker and the host.
type Isolation = worker.Isolation

// The tiers of isolation.
const (
	// IsolationStrict asks for every layer this version knows and refuses to start without one of them.
	IsolationStrict Isolation = worker.Strict
	// IsolationProcess asks for cgroup limits only.
	IsolationProcess Isolation = worker.ProcessLimit
	// IsolationNone asks for nothing but a process of its own. Only for code that is trusted.
	IsolationNone Isolation = worker.None
)

// Limits bound one worker.
type Limits struct {
	// Memory in bytes, swap included. Default 128 MiB; at least 32 MiB. Invocation.Memory takes its place.
	Memory int64
	// CPU in processors: 0.5 is half of one. Default 1.
	CPU float64
	// PIDs is the number of processes and threads. Default 32; fewer than 16 cannot run Node.js.
	PIDs int64
	// Tmp is the size of a worker's /tmp under IsolationStrict, in bytes; what is in it counts as the worker's memory. 0
	// gives it none. Default 16 MiB.
	Tmp int64
	// Frame is the largest frame that is sent to a worker, in bytes. Default 8 MiB; at least 64 KiB.
	Frame int
	// Answer is the largest answer of a function with its headers, as the frame that a worker sends, in bytes. Default 8
	// MiB; at least 64 KiB.
	Answer int
	// Logs is the most that one call may print, in bytes; the rest is dropped and a mark left. Default 256 KiB.
	Logs int
}

// Config configures a Pool. Start from DefaultConfig: a zero means zero here, not a default, unless a field says so.
// Paths may be relative to the working directory of New.
type Config struct {
	// Node is the path of the Node.js binary, of version 8 or newer. Default: the one that make setup has put beside
	// Runner, else the one on PATH.
	Node string
	// Runtimes are the versions of Node.js to start with, side by side, with names that invocations choose by; Node is not
	// looked at then. They share Size, Active, Memory, Reserve and QueueSize. The first is that of invocations that name
	// none, and has Prewarmed workers ready; each other has one, if any. Default: Node alone, with the name "node" and its
	// major version.
	Runtimes []Runtime
	// Runner is the path of the runner's main.js in a checkout of this module. After make setup that has a fork server:
	// workers start in a millisecond. Default: the runner that this package carries. It is unpacked to a folder of the
	// user's cache and starts Node.js anew for every worker.
	Runner string
	// Size is the most workers at any time. Default 16.
	Size int
	// Active is how many of them may serve calls at the same time that compute, as far as is known. Those beyond it are
	// for calls beside others which only wait for something. Default 0: all of Size.
	Active int
	// Memory is what all workers of a server may take together, in bytes; the kernel ends the largest beyond it. It bounds
	// how many there are beyond Active. It needs cgroups. Default 0: no bound.
	Memory int64
	// LargestMemory, in bytes, is the most that an Invocation may ask for with its Memory and get a heap for. Workers with
	// more than Limits.Memory come from fork servers of their own, with a larger heap. Each is started by the first call
	// that needs it, and ended when no call has for IdleTimeout. Default 0: none.
	LargestMemory int64
	// Prewarmed is how many of them are kept ready and unbound. Default 2, at most Size.
	Prewarmed int
	// Spare is how many more are kept ready for bursts of first calls, of all runtimes together: of those that functions
	// were first called on lately. They are started one after the other while nobody needs the processors, and are the
	// first to be ended for others. Only workers that are forked from a fork server are spare. Default 0.
	Spare int
	// Reserve is how many of Active, and as many of Size in proportion, serve only groups that have no other worker at
	// that time; at least one always is for all. Default 2.
	Reserve int
	// MaxInvocations retires a worker after so many calls; 1 gives every call a fresh process. Default 0: no limit.
	MaxInvocations int
	// IdleTimeout retires a bound worker that was not called for so long. Default 10 minutes.
	IdleTimeout time.Duration
	// QueueSize is how many calls may wait for a worker. Default 1000. QueueTimeout is how long. Default 10 seconds.
	QueueSize    int
	QueueTimeout time.Duration
	// SyncTimeout is the time until main must have returned, in CPU time of the worker, and ten times as much by the
	// wall clock. Default 100 ms.
	SyncTimeout time.Duration
	// AsyncTimeout is the time until the answer, by the wall clock. Default 5 s.
	AsyncTimeout time.Duration
	// StreamIdle is how long a streamed answer may stay without the next bytes while its caller waits for them. Default
	// 60 s. StreamTotal is how long it may take from its head to its end, by the wall clock; 0 sets no limit. Default 15
	// minutes. They take the place of AsyncTimeout once the head is there. StreamUnread is how long the caller may take
	// nothing of what is there. Default 10 s.
	StreamIdle, StreamTotal, StreamUnread time.Duration
	// StartTimeout is the time until a new worker must be ready. Default 30 s.
	StartTimeout time.Duration
	// Env is what every function sees in Backstage.env, a JSON object of strings. Empty stands for {}.
	Env json.RawMessage
	// TimeZone is the one that functions see, a name of the time zone database. Default: Node.js finds one by itself, UTC
	// in a jail.
	TimeZone string
	// ICUData is a directory with ICU's data for Intl, for each Node.js that finds its file in it (hostinfo.ICUFile);
	// empty for what is in Node.js.
	ICUData string
	// Modules are the names that functions may require: modules of Node.js such as "crypto", and npm modules. Default:
	// none. A module can do all that Node.js can within the isolation of the worker; fs and child_process are for
	// functions that are trusted.
	Modules []string
	// ModulesDir is a folder with node_modules in which npm modules are looked for before they are beside the runner. The
	// runner that this package carries has none beside it. Workers can read all of the folder. Default: none.
	ModulesDir string
	// Isolation is the tier. Default IsolationStrict.
	Isolation Isolation
	Limits    Limits
	// Egress is how functions reach the outside.
	Egress Egress
	// Observer is told what happens; nil for nobody.
	Observer Observer
	// RollbackAudit has one call in so many of functions that are rolled back, chosen at random, followed by a comparison
	// of the whole worker with its snapshot. It takes tens of milliseconds, after the answer. Default 10,000; 0 for none.
	RollbackAudit int
	// rollback says that all workers are put back to a snapshot after each call.
	rollback bool
	// fallbacks are those of the Pool.
	fallbacks *fallbacks
	// web says that all workers are for functions with the globals of the web platform.
	web bool
	// fetch says that all workers are for functions without them that use fetch.
	fetch bool
	// hasFetch says that the Node.js has one.
	hasFetch bool
	// later says that it is not that of the first runtime's usual workers.
	later bool
}

// DefaultConfig returns a Config with every field at its default, with which New works.
func DefaultConfig() Config {
	return Config{
		Size:         16,
		Prewarmed:    2,
		Reserve:      2,
		IdleTimeout:  10 * time.Minute,
		QueueSize:    1000,
		QueueTimeout: 10 * time.Second,
		SyncTimeout:  100 * time.Millisecond,
		AsyncTimeout: 5 * time.Second,
		StreamIdle:   time.Minute,
		StreamTotal:  15 * time.Minute,
		StreamUnread: 10 * time.Second,
		StartTimeout: 30 * time.Second,
		Env:          json.RawMessage("{}"),
		Isolation:    IsolationStrict,
		Limits: Limits{
			Memory: 128 << 20, CPU: 1, PIDs: 32, Tmp: 16 << 20, Frame: 8 << 20, Answer: 8 << 20, Logs: 256 << 10,
		},
		RollbackAudit: 10_000,
		Observer:      NopObserver{},
	}
}

// Validate says what is wrong with c, all faults at once.
func (c Config) Validate() error {
	var faults []error
	fault := func(bad bool, format string, args ...any) {
		if bad {
			faults = append(faults, fmt.Errorf("sandbox: config: "+format, args...))
		}
	}
	fault(c.Size < 1, "Size %d is below 1", c.Size)
	fault(c.Active < 0 || c.Active > c.Size, "Active %d is not within 0 and Size %d", c.Active, c.Size)
	fault(c.Memory < 0, "Memory %d is below 0", c.Memory)
	fault(c.LargestMemory < 0, "LargestMemory %d is below 0", c.LargestMemory)
	fault(c.Prewarmed < 0 || c.Prewarmed > c.Size, "Prewarmed %d is not within 0 and Size %d", c.Prewarmed, c.Size)
	fault(c.Spare < 0 || c.Prewarmed+c.Spare > c.Size,
		"Spare %d and Prewarmed %d are not within 0 and Size %d", c.Spare, c.Prewarmed, c.Size)
	fault(c.Reserve < 0, "Reserve %d is below 0", c.Reserve)
	fault(c.MaxInvocations < 0, "MaxInvocations %d is below 0", c.MaxInvocations)
	fault(c.RollbackAudit < 0, "RollbackAudit %d is below 0", c.RollbackAudit)
	fault(c.QueueSize < 0, "QueueSize %d is below 0", c.QueueSize)
	for name, d := range map[string]time.Duration{
		"IdleTimeout": c.IdleTimeout, "QueueTimeout": c.QueueTimeout, "SyncTimeout": c.SyncTimeout,
		"AsyncTimeout": c.AsyncTimeout, "StreamIdle": c.StreamIdle, "StreamUnread": c.StreamUnread,
		"StartTimeout": c.StartTimeout,
	} {
		fault(d <= 0, "%s %v is not above 0", name, d)
	}
	fault(c.StreamTotal < 0, "StreamTotal %v is below 0", c.StreamTotal)
	fault(!isObjectOfStrings(c.Env), "Env is not a JSON object of strings")
	faults = append(faults, checkRuntimes(c.Runtimes)...)
	switch c.Isolation {
	case IsolationStrict, IsolationProcess, IsolationNone:
	default:
		fault(true, "Isolation %q is not strict, process or none", c.Isolation)
	}
	fault(c.Limits.Memory < 32<<20, "Limits.Memory %d is below 32 MiB", c.Limits.Memory)
	fault(c.Limits.CPU < 0.01, "Limits.CPU %v is below 0.01", c.Limits.CPU)
	fault(c.Limits.PIDs < 16, "Limits.PIDs %d is below 16", c.Limits.PIDs)
	fault(c.Limits.Tmp < 0, "Limits.Tmp %d is below 0", c.Limits.Tmp)
	fault(c.Limits.Frame < 64<<10, "Limits.Frame %d is below 64 KiB", c.Limits.Frame)
	fault(c.Limits.Answer < 64<<10, "Limits.Answer %d is below 64 KiB", c.Limits.Answer)
	fault(c.Limits.Logs < 0, "Limits.Logs %d is below 0", c.Limits.Logs)
	return errors.Join(faults...)
}

// isObjectOfStrings says whether text is what Env may be.
func isObjectOfStrings(text json.RawMessage) bool {
	var values map[string]*string
	return len(text) == 0 || json.Unmarshal(text, &values) == nil && values != nil &&
		!slices.Contains(slices.Collect(maps.Values(values)), nil)
}
