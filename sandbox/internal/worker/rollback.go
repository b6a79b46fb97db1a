package worker

import (
	"strings"

	"github.com/backstage/functions/sandbox/internal/rollback"
)

// RollbackSupport says whether workers could be put back to a snapshot after each call, and why not.
type RollbackSupport struct {
	Available bool
	Reason    string
}

// ProbeRollback tries what that needs of the kernel and the processor, once in the life of this process.
func ProbeRollback() RollbackSupport {
	if err := rollback.Probe(); err != nil {
		return RollbackSupport{Reason: strings.TrimPrefix(err.Error(), rollback.ErrUnsupported.Error()+": ")}
	}
	return RollbackSupport{Available: true}
}
