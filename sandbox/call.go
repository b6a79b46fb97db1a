package sandbox

import (
	"encoding/json"
	"errors"
	"time"

	"github.com/backstage/functions/sandbox/internal/worker"
)

// call is an Invocation on its way to a worker and in it: what the scheduler knows of it, and what its child is asked
// to do. Until it has a slot the scheduler's lock guards it; then it belongs to the goroutine of Invoke.
type call struct {
	inv        *Invocation
	group, key string
	cost       time.Duration // for how long it is expected to hold a worker, at least
	ready      chan struct{} // closed when it is to be served, or will not be; nil for one that did not wait
	slot       *slot         // nil while it waits in the queue
	start      StartKind
	alone      bool // it is not sent together with others
	notBegun   bool // it was sent behind another call and will not be served there
	displaced  bool // it has lost its place in the full queue
	away       bool // it is served elsewhere: see slowStart

	first    bool            // it binds the child
	busyWait bool            // its answer is worth a busy wait
	cache    json.RawMessage // goes with the code
	batch    []*call         // the calls that are sent with it
	sent     bool            // it was sent with one before it
	of       *scheduler      // that has given it the slot

	missed bool     // the busy wait was not worth it; set by the child
	late   lateWork // goes on after the answer; set by the child, nil for none
	// putBack has the child become what it was before the call; set in place of late, nil for others.
	putBack lateWork

	wire worker.Call // what a real child is sent
}

// pending is called when main has returned before the answer. None of the batch is served then.
func (c *call) pending() { c.of.callPending(c.slot) }

// stalled is told when the caller takes nothing of a streamed answer, and when it does again.
func (c *call) stalled(stalled bool) { c.of.streamStalled(c.slot, stalled) }

// errNotBegun means that a call was sent behind another one and that the worker will not serve it.
var errNotBegun = errors.New("sandbox: not begun")
