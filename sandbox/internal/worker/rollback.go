package worker

import (
	"strings"

	"github.com/backstage/functions/sandbox/internal/rollback"
)

// RollbackSupport says whether workers can be put back to a snapshot after each call, and why not.
type RollbackSupport struct {
	Available bool
	Reason    string
}

// RollbackOutcome is how an attempt to put a process back ended.
type RollbackOutcome struct {
	// Cause is empty when the process is as in its snapshot, else why it had to end: Detail says more of that.
	Cause  RollbackCause
	Detail string
	// Audited says that all of it was compared with the snapshot.
	Audited bool
	// Killed says that it was killed meanwhile, such as for its room, or with its fork server: that says nothing of the
	// function.
	Killed bool
}

// RollbackCause is why a worker could not be put back.
type RollbackCause = rollback.Cause

// RollbackUnproven is the cause that should never be: see Config.RollbackAudit.
const RollbackUnproven = rollback.Unproven

// RollbackCauses are all causes.
func RollbackCauses() []RollbackCause { return rollback.Causes() }

// Rollback says whether workers of this starter's kind can be rolled back, whether or not these are.
func (s *Starter) Rollback() RollbackSupport {
	err := rollback.Probe()
	switch {
	case err != nil:
		return RollbackSupport{Reason: strings.TrimPrefix(err.Error(), rollback.ErrUnsupported.Error()+": ")}
	case !s.Method().Forked:
		return RollbackSupport{Reason: "there is no fork server: install a C compiler and run make setup"}
	case !s.mayTrace():
		return RollbackSupport{Reason: "the server may not read the memory of its workers: " +
			"use ISOLATION=strict, or give it the capability SYS_PTRACE"}
	}
	return RollbackSupport{Available: true}
}
