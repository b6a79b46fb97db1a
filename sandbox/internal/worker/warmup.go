package worker

import (
	"errors"
	"fmt"
)

// warmupEnded is why a warmup has ended its process, in words of the function's author, and what to do.
func (e *exchange) warmupEnded(err error) string {
	death, ok := errors.AsType[*Death](err)
	if !ok {
		return err.Error()
	}
	own, limits := e.call.Timeouts, e.call.Timeouts.or(e.process.cfg.Timeouts)
	switch death.Reason {
	case SyncDeadline:
		return fmt.Sprintf("main has not returned within %v, %s: have it do less, or allow more",
			limits.Sync, whose(own.Sync > 0, "syncTimeout", "CODE_SYNC_TIMEOUT"))
	case Deadline:
		return fmt.Sprintf("it is not over within %v, the time of one call for the top-level code and all requests of the "+
			"warmup together, %s: ask for fewer, have them do less, or allow more",
			limits.Async, whose(own.Async > 0, "timeout", "CODE_ASYNC_TIMEOUT"))
	case Memory, Heap:
		return fmt.Sprintf("it has taken more memory than its worker may have, %s: have it keep less, or allow more",
			whose(e.call.Memory > 0, "memory", "WORKER_MEMORY_LIMIT"))
	case Output:
		return "its answer or its output is larger than that of a call may be: answer with less"
	case Exit, Signal:
		return fmt.Sprintf("it has ended its process (%s): have it answer instead", death.ended())
	case ServerMemory:
		return "the server had no memory left; that is not the fault of the warmup"
	default:
		return fmt.Sprintf("its process was ended (%s)", death.Reason)
	}
}

// whose names a limit of a call: the option of its function, or what holds without that.
func whose(own bool, option, variable string) string {
	if own {
		return fmt.Sprintf("%q of the function", option)
	}
	return fmt.Sprintf("%s of the server, in place of which the function may have %q", variable, option)
}
