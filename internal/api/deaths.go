package api

import (
	"context"
	"log/slog"
	"net/http"
	"strconv"

	"github.com/backstage/functions/sandbox"
)

// logDeath logs the evidence of a death that needs explaining; that of a deadline is in its name.
func (s *server) logDeath(r *http.Request, death *sandbox.DeathError, err error) {
	if deathOf(death).reason != "" {
		s.logFailure(r, slog.LevelWarn, "Worker died", err)
	}
}

// death is a failure, and whether the function is to blame.
type death struct {
	failure
	fault bool
}

// deathOf tells the caller why the worker died. The texts of the two deadlines are the contract's.
func deathOf(d *sandbox.DeathError) death {
	blame := func(message string) death {
		return death{failure{status: http.StatusInternalServerError, message: message, reason: string(d.Reason)}, true}
	}
	switch d.Reason {
	case sandbox.ReasonSyncDeadline:
		return death{failure{status: http.StatusInternalServerError, message: "Script execution timed out."}, true}
	case sandbox.ReasonDeadline:
		return death{failure{status: http.StatusRequestTimeout, message: "Function timeout"}, true}
	case sandbox.ReasonMemory:
		return blame("Function exceeded its memory limit")
	case sandbox.ReasonHeap:
		return blame("Function exceeded its heap limit")
	case sandbox.ReasonExit:
		return blame("Function process exited with code " + strconv.Itoa(d.ExitCode))
	case sandbox.ReasonSignal:
		return blame("Function process was ended by signal " + d.Signal)
	case sandbox.ReasonSyscall:
		return blame("Function made a system call that is not allowed")
	case sandbox.ReasonProtocol:
		return blame("Function process broke the worker protocol")
	case sandbox.ReasonOutput:
		return blame("Function answered or logged more than it is allowed to")
	case sandbox.ReasonIdleActivity:
		return blame("Function worked on after its answer")
	case sandbox.ReasonCanceled:
		return death{failure: classify(context.Canceled)}
	case sandbox.ReasonClosed:
		return death{failure: classify(sandbox.ErrClosed)}
	default:
		other := blame("Function process ended before it had answered")
		other.fault = false
		return other
	}
}
