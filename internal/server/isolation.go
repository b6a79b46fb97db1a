package server

import (
	"context"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"strings"

	"github.com/backstage/functions/sandbox"
	"github.com/backstage/functions/sandbox/hostinfo"
)

// isolationHint says what the host does not give and how to get it, when workers cannot start.
func isolationHint(ctx context.Context, workers sandbox.Config, node *nodeInstall) string {
	if workers.Isolation == sandbox.IsolationNone {
		return ""
	}
	var hint strings.Builder
	for _, feature := range hostinfo.Probe(ctx, node.runtimes[0].Node, workers.Runner) {
		if !feature.OK {
			fmt.Fprintf(&hint, "\n  %s: %s", feature.Name, feature.Detail)
		}
	}
	if hint.Len() == 0 { // another cause
		return ""
	}
	return fmt.Sprintf(" (ISOLATION=%s asks for more than this host gives; docs/isolation.md says what less would mean)%s",
		workers.Isolation, hint.String())
}

// runtimeStatus is what /status/isolation shows of a runtime.
type runtimeStatus struct {
	// Version is the version that Node.js reports.
	Version string `json:"version"`
	sandbox.RuntimeSnapshot
}

// runtimeStatuses is the status of each runtime, by its name.
func runtimeStatuses(pool *sandbox.Pool) map[string]runtimeStatus {
	all := map[string]runtimeStatus{}
	for name, snapshot := range pool.Snapshot().Runtimes {
		for i, fallback := range snapshot.Rollback.Fallbacks { // the snapshot is this caller's own
			snapshot.Rollback.Fallbacks[i].Filename = nameOf(fallback.Filename)
		}
		all[name] = runtimeStatus{snapshot.Runtime.Version, snapshot}
	}
	return all
}

// logMissing logs each layer of the tier that does not stand around workers, and why.
func logMissing(log *slog.Logger, runtimes map[string]sandbox.RuntimeSnapshot) {
	for _, name := range slices.Sorted(maps.Keys(runtimes)) {
		for _, layer := range runtimes[name].Layers {
			if !layer.Obtained && layer.Detail != "" {
				log.Warn(fmt.Sprintf("Isolation: %s: %s: %s", name, layer.Name, layer.Detail))
			}
		}
	}
}

// logNotPutBack logs each runtime whose workers cannot be put back, as REUSE asks for, and why.
func logNotPutBack(log *slog.Logger, runtimes map[string]sandbox.RuntimeSnapshot) {
	for _, name := range slices.Sorted(maps.Keys(runtimes)) {
		if rollback := runtimes[name].Rollback; !rollback.Available {
			log.Warn(fmt.Sprintf("REUSE=rollback: %s: each call gets a process of its own, as workers cannot be put back: %s",
				name, rollback.Reason))
		}
	}
}
