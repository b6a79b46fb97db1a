package worker

import (
	"encoding/json"
	"path"
	"path/filepath"
	"time"

	"github.com/backstage/functions/sandbox/internal/jail"
	"github.com/backstage/functions/sandbox/internal/wire"
)

// Isolation is how much stands between a worker and the host.
type Isolation string

// The tiers of isolation.
const (
	Strict       Isolation = "strict"  // every layer there is
	ProcessLimit Isolation = "process" // limits by cgroups
	None         Isolation = "none"    // a process of its own
)

// Config is what the workers of one pool have in common. Package sandbox documents its fields, and checks them.
type Config struct {
	Node, Runner      string
	Isolation         Isolation
	Limits            Limits
	Memory            int64    // of all workers together, in bytes; 0 sets no bound
	Timeouts          Timeouts // of each call that has none of its own
	StartTimeout      time.Duration
	Env               json.RawMessage
	TimeZone, ICUData string
	Modules           []string
	ModulesDir        string
	Web               bool // whether all workers are for functions with the globals of the web platform
	Fetch             bool // whether they are for functions without these that use fetch
	// Rollback has workers put back to a snapshot after each call. It needs the fork server, and ProbeRollback's leave.
	Rollback bool
	// RollbackAudit has one rollback in so many compared in full; 0 for none.
	RollbackAudit int
	Egress        Egress
	Observer      Observer

	// index tells the pools of one process apart where the kernel must: names of cgroups. New sets it.
	index int
}

// Limits bound one worker: Memory and Tmp in bytes, CPU in processors, the rest in bytes of frames and text.
type Limits struct {
	Memory int64
	CPU    float64
	PIDs   int64
	Tmp    int64
	Frame  int
	Answer int
	Logs   int
}

// wire are those that hold for what a worker writes.
func (l Limits) wire() wire.Limits { return wire.Limits{Answer: l.Answer, Logs: l.Logs} }

// Observer is told what happens to processes. Its methods are safe for concurrent use and return at once.
type Observer interface {
	WorkerDied(reason Reason, lag time.Duration)
	WorkerUsed(peakMemory int64)
	ZygoteRestarted()
	LateWorkEnded(end LateEnd, took time.Duration)
}

// Egress is how functions reach the outside: the fields are those of sandbox.Egress.
type Egress struct {
	Socket      string
	KeepAlive   bool
	CA, ExtraCA string
	TLSInsecure bool
	Watcher     Watcher // never nil
}

// Watcher is told which process serves which call: for one process from one goroutine at a time.
type Watcher interface {
	// CallsQueued says that the process may serve several calls until settled is closed. Just before that comes
	// CallStarted for the one that is in progress then, or CallEnded when none is.
	CallsQueued(pid int, settled <-chan struct{})
	// CallStarted comes before the process sees the call.
	CallStarted(pid int, events Events)
	// CallEnded comes before the process gets another call, and when it has died.
	CallEnded(pid int)
}

// jailEgress is where a jailed worker finds the directory of the socket.
const jailEgress = "/egress"

// mounts are what a jailed worker needs of it.
func (e *Egress) mounts() []jail.Mount {
	if e.Socket == "" {
		return nil
	}
	return []jail.Mount{{Source: filepath.Dir(e.Socket), Target: jailEgress, Dir: true}}
}

// frame is what a worker is told of it; nil when there is none.
func (e *Egress) frame(jailed bool) *wire.Egress {
	if e.Socket == "" {
		return nil
	}
	socket := e.Socket
	if jailed {
		socket = path.Join(jailEgress, filepath.Base(socket))
	}
	return &wire.Egress{Socket: socket, KeepAlive: e.KeepAlive, CA: e.CA, ExtraCA: e.ExtraCA, TLSInsecure: e.TLSInsecure}
}
