package outcome

import (
	"fmt"
	"net/http"
	"strconv"
	"strings"

	"github.com/backstage/functions/sandbox"
)

func ofRuntime(missing *sandbox.RuntimeError) Outcome {
	return Outcome{
		Status: http.StatusNotImplemented, Reason: "unknown_runtime",
		Message: fmt.Sprintf(
			"The function asks for the runtime %s, which this server does not have: deploy it again with one of %s",
			missing.Name,
			strings.Join(missing.Known, ", "),
		),
	}
}

// ofBusy is the outcome of a call that no worker was free for.
func ofBusy(busy *sandbox.BusyError) Outcome {
	if text := nestedTexts[busy.Cause]; text != "" {
		return Outcome{Status: http.StatusLoopDetected, Reason: string(busy.Cause), Message: text, Fault: FaultCaller}
	}
	return Outcome{
		Status: statusNoRoom, Reason: string(busy.Cause), Message: "No worker is free",
		Retry: true, RetryAfter: busy.RetryAfter,
	}
}

// nestedTexts are what a function is told that has called another one of this server.
var nestedTexts = map[sandbox.BusyCause]string{
	sandbox.BusyNested: "No worker is free for a call that a function makes while it holds one: " +
		"it could wait for itself. " +
		"Use a pipeline, or have the caller make both calls",
	sandbox.BusyTooDeep: "Functions call each other more than " + strconv.Itoa(sandbox.MaxDepth) + " deep",
}
