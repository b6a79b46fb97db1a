package sandbox

import "github.com/backstage/functions/sandbox/internal/worker"

// Report says what stands between workers and the host, layer by layer: what was asked for and what the host gave. It
// marshals to JSON.
type Report struct {
	// Isolation is the tier.
	Isolation Isolation `json:"isolation"`
	Layers    []Layer   `json:"layers"`
	// Modules are those of the configuration that Node.js cannot load, each with the cause: "name: cause".
	Modules []string `json:"missingModules,omitempty"`
}

// Layer is one wall.
type Layer struct {
	Name     string `json:"name"`
	Asked    bool   `json:"asked"`
	Obtained bool   `json:"obtained"`
	// Detail says how it stands or, in a sentence, what is missing and how to get it.
	Detail string `json:"detail,omitempty"`
}

// Missing are the layers that were asked for and not obtained.
func (r Report) Missing() []Layer {
	var missing []Layer
	for _, layer := range r.Layers {
		if layer.Asked && !layer.Obtained {
			missing = append(missing, layer)
		}
	}
	return missing
}

// StartMethod is how the workers of a pool start.
type StartMethod struct {
	// Forked says that they are forked from a process that has everything loaded; else Node.js starts anew for each.
	Forked bool   `json:"forked"`
	Reason string `json:"reason,omitempty"`
}

// RollbackCause is why a worker could not be put back to its snapshot.
type RollbackCause = worker.RollbackCause

// RollbackOutcome is how an attempt to put a worker back ended.
type RollbackOutcome = worker.RollbackOutcome

// RollbackUnproven is the cause that should never be: a comparison found a worker that was put back, and is not as in
// its snapshot.
const RollbackUnproven = worker.RollbackUnproven

// RollbackCauses are all causes.
func RollbackCauses() []RollbackCause { return worker.RollbackCauses() }

// RollbackSupport says whether workers could be put back to a snapshot after each call: whether the kernel and the
// processor have what that takes.
type RollbackSupport struct {
	Available bool   `json:"available"`
	Reason    string `json:"reason,omitempty"`
	// Mechanism is how calls that ask for it are kept apart here at the moment: MechanismRollback or MechanismFork.
	Mechanism string `json:"mechanism"`
	// Fallbacks are functions that are served otherwise, by their Filename.
	Fallbacks []RollbackFallback `json:"fallbacks,omitempty"`
}

// How calls with Rollback are kept apart: their worker is put back, or each has a process of its own.
const (
	MechanismRollback = "rollback"
	MechanismFork     = "process for each call"
)

// MemoryUsage is what workers use together, in bytes, as their cgroups count it.
type MemoryUsage struct {
	// Total is all of it. Anonymous is the part that is not a cache of files.
	Total, Anonymous uint64
}
