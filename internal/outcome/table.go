package outcome

import (
	"context"
	"net/http"
	"strings"

	"github.com/backstage/functions/internal/audit"
	"github.com/backstage/functions/internal/function"
	"github.com/backstage/functions/internal/httpd/body"
	"github.com/backstage/functions/internal/identity"
	"github.com/backstage/functions/internal/queue"
	"github.com/backstage/functions/internal/usage"
	"github.com/backstage/functions/sandbox"
)

const (
	statusBad      = http.StatusBadRequest
	statusMissing  = http.StatusNotFound
	statusTooLarge = http.StatusRequestEntityTooLarge
	statusBroken   = http.StatusInternalServerError
	statusNoRoom   = http.StatusServiceUnavailable
)

// NoMemory is the outcome of what needs more memory than there is for bodies.
var NoMemory = Outcome{Status: statusNoRoom, Message: "No memory for more requests", Reason: "body_memory", Retry: true}

// table has the errors that are known by their identity. The first that matches counts.
var table = []struct {
	err error
	Outcome
}{
	{function.ErrInvalidPage, Outcome{Status: statusBad, Message: function.ErrInvalidPage.Error(), Fault: FaultCaller}},
	{function.ErrNotFound, Outcome{Status: statusMissing, Message: "Function not found", Fault: FaultCaller}},
	{function.ErrEnvNotFound, Outcome{Status: statusMissing, Message: "Env variable not found", Fault: FaultCaller}},
	{function.ErrNamespaceNotFound, Outcome{Status: statusMissing, Message: "Namespace not found", Fault: FaultCaller}},
	{function.ErrModuleNotFound, Outcome{Status: statusMissing, Message: "Module not found", Fault: FaultCaller}},
	{function.ErrTooManyModules, Outcome{
		Status: statusBad, Message: "The namespace has as many shared modules as it may: delete some first",
		Fault: FaultCaller,
	}},
	{function.ErrTooManySecrets, Outcome{
		Status: statusBad, Fault: FaultCaller,
		Message: "There are as many secrets as a function or a namespace may have: delete some first",
	}},
	{function.ErrRouteNotFound, Outcome{Status: statusMissing, Message: "Route not found", Fault: FaultCaller}},
	{function.ErrTooManyRoutes, Outcome{
		Status: statusBad, Message: "There are as many routes as a server takes: delete some first", Fault: FaultCaller,
	}},
	{audit.ErrCursor, Outcome{Status: statusBad, Message: audit.ErrCursor.Error(), Fault: FaultCaller}},
	{identity.ErrNotFound, Outcome{Status: statusMissing, Message: "Key not found", Fault: FaultCaller}},
	{identity.ErrTooMany, Outcome{
		Status: statusBad, Message: "There are as many keys as a server takes: delete some first", Fault: FaultCaller,
	}},
	{usage.ErrTooMany, Outcome{
		Status: statusBad, Fault: FaultCaller,
		Message: "There are limits of as many namespaces as a server takes: delete some first",
	}},
	{identity.ErrShare, Outcome{
		Status: statusBad, Fault: FaultCaller,
		Message: "There are as many keys as one administrator of some namespaces may make: delete some first",
	}},
	{function.ErrPublicShare, Outcome{
		Status: statusBad, Fault: FaultCaller,
		Message: "The function is stored, but not public: the owner of its namespace has as many public functions as they " +
			"may",
	}},
	{function.ErrTooManyPublic, Outcome{
		Status: statusBad, Fault: FaultCaller,
		Message: "The function is stored, but not public: there are as many public functions as a server takes",
	}},
	{queue.ErrNotFound, Outcome{
		Status: statusMissing, Message: "Invocation not found, or its record has expired", Fault: FaultCaller,
	}},
	{queue.ErrSettled, Outcome{
		Status: http.StatusConflict, Reason: "settled", Fault: FaultCaller,
		Message: "The invocation has ended: only one that waits, runs or is dead can be cancelled",
	}},
	{queue.ErrNotSettled, Outcome{
		Status: http.StatusConflict, Message: "Only an invocation that is dead or cancelled can be redriven",
		Reason: "not_settled", Fault: FaultCaller,
	}},
	{queue.ErrFull, Outcome{
		Status: http.StatusTooManyRequests, Reason: "calls_full", Retry: true, Fault: FaultCaller,
		Message: "The namespace has as many asynchronous calls as it may: redrive or wait for those that are dead, " +
			"or raise CALLS_MAX and CALLS_MEMORY",
	}},
	{queue.ErrStoreFull, Outcome{
		Status: http.StatusTooManyRequests, Reason: "calls_store_full", Retry: true, Fault: FaultCaller,
		Message: "The asynchronous calls of all namespaces leave no room for more of this one: wait until some of its own " +
			"have ended, redrive those that are dead, or raise CALLS_MAX_TOTAL and CALLS_MEMORY_TOTAL",
	}},
	{queue.ErrUnsupported, Outcome{
		Status: http.StatusNotImplemented, Reason: "calls_unsupported", Fault: FaultCaller,
		Message: "Asynchronous calls need Redis 5 or newer, and this server has an older one: call without " +
			"Prefer: respond-async",
	}},
	{sandbox.ErrTooLarge, Outcome{Status: statusTooLarge, Message: "request entity too large", Fault: FaultCaller}},
	{sandbox.ErrStream, Outcome{
		Status: statusBroken, Message: "Function answered with a stream, which cannot be taken here",
		Fault: FaultFunction,
	}},
	{body.ErrNoRoom, NoMemory},
	{context.Canceled, Outcome{Status: StatusClientClosed, Message: "Client closed the request", Fault: FaultCaller}},
	{sandbox.ErrBusy, Outcome{Status: statusNoRoom, Message: "No worker is free", Retry: true}},
	{sandbox.ErrClosed, Outcome{Status: statusNoRoom, Message: "Server is shutting down", Retry: true}},
	{function.ErrRecordTooLarge, Outcome{
		Status: statusBroken, Hidden: true,
		Message: "The stored function is too large to be read: put it again with its env, or delete it",
	}},
	{function.ErrDamaged, Outcome{
		Status: statusBroken, Hidden: true,
		Message: "The stored function is damaged: its code does not match its hash. " +
			"Put its code again, restore a backup, or delete it",
	}},
	{function.ErrDamagedSource, Outcome{
		Status: statusBroken, Hidden: true,
		Message: "The stored source of the function is damaged: put its files again, or restore a backup",
	}},
	{function.ErrFull, Outcome{Status: statusNoRoom, Message: "Storage is full", Retry: true, Hidden: true}},
	{
		function.ErrUnavailable,
		Outcome{Status: statusNoRoom, Message: "Storage is unavailable", Retry: true, Hidden: true},
	},
	{
		context.DeadlineExceeded,
		Outcome{Status: statusNoRoom, Message: "Server is too slow to answer", Retry: true, Hidden: true},
	},
}

// ofPattern is the outcome of a route whose pattern another one has.
func ofPattern(taken *function.RoutePatternError) Outcome {
	text := taken.Error()
	return Outcome{Status: http.StatusConflict, Message: strings.ToUpper(text[:1]) + text[1:], Fault: FaultCaller}
}

// ofEnvLimit has the status of a PUT of the whole function with such an environment.
func ofEnvLimit(limit *function.EnvLimitError) Outcome {
	status := statusBad
	if limit.Bytes > 0 {
		status = statusTooLarge
	}
	return Outcome{Status: status, Message: limit.Error(), Fault: FaultCaller}
}
