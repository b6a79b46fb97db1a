package outcome

import (
	"context"
	"fmt"
	"net/http"
	"strconv"

	"github.com/backstage/functions/internal/bytesize"
	"github.com/backstage/functions/sandbox"
)

// thrownBy is the outcome of an error that the function threw. One with a status below 500 is an answer that it chose,
// such as that the request is wrong; 408 stands for what the function itself did not get in time.
func thrownBy(thrown *sandbox.FunctionError) Outcome {
	o := Outcome{Status: statusBroken, Message: thrown.Message, Header: thrown.Header, Fault: FaultFunction}
	if IsStatus(thrown.Status) {
		o.Status = thrown.Status
	}
	if thrown.HasStatus && thrown.Status < http.StatusInternalServerError &&
		thrown.Status != http.StatusRequestTimeout {
		o.Fault = FaultCaller
	}
	return o
}

// IsStatus says whether status can end a request: those below 200 announce another answer.
func IsStatus(status int) bool { return status >= 200 && status <= 999 }

// ofDeath tells why the worker died. The texts of the two deadlines are the contract's.
func ofDeath(d *sandbox.DeathError) Outcome {
	o := Outcome{Status: statusBroken, Reason: string(d.Reason), Fault: FaultFunction}
	switch d.Reason {
	case sandbox.ReasonSyncDeadline:
		o.Reason, o.Message = "", "Script execution timed out."
	case sandbox.ReasonDeadline:
		o.Reason, o.Message = "", "Function timeout"
		o.Status = http.StatusRequestTimeout
	case sandbox.ReasonStreamIdle:
		o.Message = "Function sent nothing more of its stream in time"
	case sandbox.ReasonStreamLimit:
		o.Message = "Function stream took too long"
	case sandbox.ReasonStreamUnread:
		o.Fault, o.Message = FaultCaller, "The caller read nothing of the stream for too long"
	case sandbox.ReasonMemory:
		o.Message = "Function exceeded its memory limit (" + memoryLimit(d) + ")"
	case sandbox.ReasonServerMemory:
		o.Status, o.Fault, o.Retry = statusNoRoom, FaultServer, true
		o.Message = "The server had no memory left for the call, which kept to its own limit"
	case sandbox.ReasonHeap:
		o.Message = "Function exceeded its heap limit, which is a part of " + memoryLimit(d)
	case sandbox.ReasonExit:
		o.Message = "Function process exited with code " + strconv.Itoa(d.ExitCode)
	case sandbox.ReasonSignal:
		o.Message = "Function process was ended by signal " + d.Signal
	case sandbox.ReasonSyscall:
		o.Message = "Function made a system call that is not allowed"
	case sandbox.ReasonProtocol:
		o.Message = "Function process broke the worker protocol"
	case sandbox.ReasonOutput:
		o.Message = tooMuch(d)
	case sandbox.ReasonIdleActivity:
		o.Message = "Function worked on after its answer"
	case sandbox.ReasonCanceled:
		return Of(context.Canceled)
	case sandbox.ReasonClosed:
		return Of(sandbox.ErrClosed)
	default:
		o.Message = "Function process ended before it had answered"
		o.Fault = FaultServer
	}
	return o
}

// ofEndedStream tells why the worker died whose stream had begun: that it was evicted is then its caller's fault.
func ofEndedStream(d *sandbox.DeathError) Outcome {
	o := ofDeath(d)
	if d.Reason == sandbox.ReasonEvicted {
		o.Fault, o.Message = FaultCaller, "The caller read nothing of the stream, and others needed the room of its worker"
	}
	return o
}

// memoryLimit names the limit of memory that the worker had.
func memoryLimit(d *sandbox.DeathError) string {
	if d.Memory > 0 {
		return "its own memory, " + bytesize.Text(d.Memory)
	}
	return "WORKER_MEMORY_LIMIT"
}

// tooMuch says what was more than is allowed, and by how much as far as that is known.
func tooMuch(d *sandbox.DeathError) string {
	if d.Allowed == 0 {
		return "Function answered or logged more than it is allowed to"
	}
	text := fmt.Sprintf("The answer has %d bytes with its headers, %d are allowed", d.Answer, d.Allowed)
	if d.OfError {
		return text + " for an error"
	}
	return text + ": answer with less, or set RESPONSE_LIMIT"
}
