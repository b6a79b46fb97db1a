package sandbox

import (
	"context"
	"time"
)

// child is a started process as the pool sees it; *process is the real one.
type child interface {
	// invoke serves the call. After an error that is not a *FunctionError, and when reusable is false, the child must not
	// be used again, and calls that were sent with this one have not begun.
	invoke(ctx context.Context, c *call) (result *Result, reusable bool, err error)
	// kill ends the child for reason; the first reason counts.
	kill(reason Reason)
	// dead is closed when the child has been reaped.
	dead() <-chan struct{}
	// idleCPU is the processor time that the child has used since its last call ended; 0 during a call.
	idleCPU() time.Duration
}

// starter makes children.
type starter interface {
	start(ctx context.Context) (child, error)
	// describe says in a few words what stands around a child.
	describe() string
	close() error
}

// weigher is a child whose share of the processors can be set.
type weigher interface {
	// cpuUsed is the processor time that it has used in its life.
	cpuUsed() time.Duration
	// weigh makes it count as weight beside the others, wholeWeight being that of a worker by itself. It has no effect on
	// one that is dead.
	weigh(weight int)
	// giveWay makes it count for a small part of its weight, or for all of it again.
	giveWay(behind bool)
}

// sleeper is a child that can tell whether it sleeps.
type sleeper interface {
	weigher
	// asleep says whether it waits for something, rather than for a processor.
	asleep() bool
}

// memoryUser is a child that can tell what memory it uses, in bytes; 0 when that is not known.
type memoryUser interface{ memoryUsed() int64 }

// memoryTeller is a starter that knows how much memory is left for workers, in bytes. Known is false where that cannot
// be learnt.
type memoryTeller interface {
	memoryLeft() (left int64, known bool)
}

// usageTeller is a starter that knows the memory of all workers of this process.
type usageTeller interface{ memory() (MemoryUsage, bool) }

// settler is a starter whose first start is followed by preparations that the next one waits for.
type settler interface{ settled() bool }

// restarter is a starter whose starts wait now and then for something that has ended and starts again.
type restarter interface{ restarts() bool }

// reporter is a starter that can tell what stands around its children.
type reporter interface{ report() Report }

// rollbackTeller is a starter that can tell whether its children could be put back to a snapshot after each call.
type rollbackTeller interface{ rollback() RollbackSupport }

// methodTeller is a starter that can tell how it starts workers.
type methodTeller interface{ method() StartMethod }

// lateWork is work in a child that a call has left at its answer.
type lateWork interface {
	// wait waits for its end and says whether the child may be used again. It is called once, from any goroutine, and
	// before the child is asked for anything but to be killed.
	wait() (reusable bool)
}
