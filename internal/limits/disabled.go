package limits

import (
	"net/http"

	"github.com/backstage/functions/internal/outcome"
)

// DisabledError refuses what would run something of a namespace that is disabled.
type DisabledError struct {
	// Namespace is its name; empty for a caller who has not named it.
	Namespace string
}

func (e *DisabledError) Error() string {
	if e.Namespace == "" {
		return "namespace of the function is disabled"
	}
	return "namespace " + e.Namespace + " is disabled"
}

// Outcome says 403: to try again does not help.
func (e *DisabledError) Outcome() outcome.Outcome {
	return outcome.Outcome{
		Status: http.StatusForbidden, Message: "The " + e.Error(), Reason: "namespace_disabled", Fault: outcome.FaultCaller,
	}
}
