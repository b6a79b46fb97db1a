package limits

import (
	"sync"
	"sync/atomic"
	"time"

	"github.com/backstage/functions/internal/usage"
)

// forgetAfter is how long an entry without calls is kept.
const forgetAfter = time.Minute

// entry is a subject of which usage is counted or limited.
type entry struct {
	subject  usage.Subject
	used     counter      // since it was last collected
	inFlight atomic.Int64 // calls that will add to it

	mu      sync.Mutex // guards the fields below
	touched time.Time
	bucket  bucket
	quota   quota
	// waiting calls wait until told is closed: by the next answer of the store. Asked says that the store is to be asked
	// for tokens.
	waiting int
	told    chan struct{}
	asked   bool
}

// tellLocked wakes the calls that wait.
func (e *entry) tellLocked() {
	close(e.told)
	e.told = make(chan struct{})
}

// idleLocked says whether e may be forgotten.
func (e *entry) idleLocked(now time.Time) bool {
	return e.inFlight.Load() == 0 && e.waiting == 0 && !e.asked && now.Sub(e.touched) > forgetAfter
}

// counter is an amount that calls add to at the same time.
type counter struct{ calls, cpu, memory, egress atomic.Int64 }

func (c *counter) add(a usage.Amount) {
	if a.Calls != 0 {
		c.calls.Add(a.Calls)
	}
	if a.CPU != 0 {
		c.cpu.Add(int64(a.CPU))
	}
	if a.Memory != 0 {
		c.memory.Add(a.Memory)
	}
	if a.Egress != 0 {
		c.egress.Add(a.Egress)
	}
}

func (c *counter) load() usage.Amount {
	return usage.Amount{
		Calls: c.calls.Load(), CPU: time.Duration(c.cpu.Load()), Memory: c.memory.Load(), Egress: c.egress.Load(),
	}
}

// collect returns the amount and begins again at zero.
func (c *counter) collect() usage.Amount {
	return usage.Amount{
		Calls: c.calls.Swap(0), CPU: time.Duration(c.cpu.Swap(0)), Memory: c.memory.Swap(0), Egress: c.egress.Swap(0),
	}
}
