package sandbox

import "github.com/backstage/functions/sandbox/internal/worker"

// LateEnd says how the work that a call had left at its answer came to its end.
type LateEnd = worker.LateEnd

// The ends of such work. All but LateFinished have cut some of it.
const (
	// LateFinished: it came to its end by itself.
	LateFinished LateEnd = worker.LateFinished
	// LateTimers: nothing but timers was left, which hold no worker.
	LateTimers LateEnd = worker.LateTimers
	// LateRefused: the invocation has it cut at the answer.
	LateRefused LateEnd = worker.LateRefused
	// LateDeadline: the time of the call was over.
	LateDeadline LateEnd = worker.LateDeadline
	// LateRoom: a call that waited needed the worker's room, or memory was short.
	LateRoom LateEnd = worker.LateRoom
	// LateClosed: the pool is closing.
	LateClosed LateEnd = worker.LateClosed
	// LateDied: the worker died of it.
	LateDied LateEnd = worker.LateDied
)

// slim is inv without the texts that were for its start: their memory is counted no longer when the
// answer is out.
func (inv *Invocation) slim() *Invocation {
	slim := *inv
	slim.Code, slim.Compiled, slim.Env, slim.Secrets, slim.Request, slim.Outgoing = "", nil, nil, nil, Request{}, nil
	slim.OnLog, slim.OnSpan, slim.OnHead = nil, nil, nil
	slim.OnProgress = nil
	return &slim
}
