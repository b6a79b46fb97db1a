package worker

// Reason says why a process died or had to be killed.
type Reason string

// The reasons of death.
const (
	SyncDeadline Reason = "sync_deadline"   // main did not return within the sync timeout
	Deadline     Reason = "deadline"        // no answer within the async timeout
	StreamIdle   Reason = "stream_idle"     // nothing more came of a streamed answer within the idle timeout
	StreamLimit  Reason = "stream_limit"    // a streamed answer was not at its end within the stream timeout
	StreamUnread Reason = "stream_unread"   // the caller took nothing of a streamed answer for too long
	Memory       Reason = "memory_limit"    // the kernel killed it at the memory limit of its cgroup
	ServerMemory Reason = "server_memory"   // all workers together, or the machine, had no memory left
	Heap         Reason = "heap_limit"      // V8 gave up at the limit of its own heap
	Exit         Reason = "exit"            // it exited by itself
	Signal       Reason = "signal"          // a signal that we did not send ended it
	Syscall      Reason = "refused_syscall" // the system-call filter ended it
	Protocol     Reason = "protocol_error"  // it wrote something that is not the protocol
	Output       Reason = "output_limit"    // its answer or its logs were larger than allowed
	IdleActivity Reason = "idle_activity"   // it used a processor between two calls
	AfterAnswer  Reason = "after_answer"    // work after its answer was not over at the deadline of the call
	Canceled     Reason = "canceled"        // the caller went away, or does not take a streamed answer

	Retired Reason = "retired" // served its share, or left work behind
	Evicted Reason = "evicted" // idle, at work after an answer or in an unread stream, and its slot was needed
	Idle    Reason = "idle"    // idle for too long
	Closed  Reason = "closed"  // the pool is closing
)

// planned says whether r is a reason of ours that is no failure.
func (r Reason) planned() bool {
	switch r {
	case Retired, Evicted, Idle, Closed:
		return true
	default:
		return false
	}
}

// LateEnd says how the work that a call had left at its answer came to its end.
type LateEnd string

// The ends of such work. All but LateFinished have cut some of it.
const (
	LateFinished LateEnd = "finished" // it came to its end by itself
	LateTimers   LateEnd = "timers"   // nothing but timers was left, which hold no worker
	LateRefused  LateEnd = "refused"  // the call has it cut at the answer
	LateDeadline LateEnd = "deadline" // the time of the call was over
	LateRoom     LateEnd = "room"     // a call that waited needed the worker's room, or memory was short
	LateClosed   LateEnd = "closed"   // the pool is closing
	LateDied     LateEnd = "died"     // the worker died of it
)
