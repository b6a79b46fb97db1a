package server

import (
	"log/slog"
	"strings"
	"testing"

	"github.com/backstage/functions/sandbox"
)

// The log names functions as requests do, not by the files that errors name.
func TestTheLogOfThePoolNamesFunctions(t *testing.T) {
	var log strings.Builder
	p := newPoolLog(sandbox.NopObserver{}, slog.New(slog.NewTextHandler(&log, nil)))
	const filename = "shop/order.js"
	p.WorkerRolledBack(filename, sandbox.RollbackOutcome{Cause: sandbox.RollbackUnproven})
	p.WorkerRolledBack(filename, sandbox.RollbackOutcome{Cause: "thread"})
	p.RollbackChanged(sandbox.RollbackFallback{Filename: filename, Reason: "why"})
	p.RollbackChanged(sandbox.RollbackFallback{Filename: filename, Reason: "why", WarmupOnly: true})
	p.RollbackChanged(sandbox.RollbackFallback{Filename: filename})
	lines := strings.Split(strings.TrimSpace(log.String()), "\n")
	if len(lines) != 5 {
		t.Errorf("%d lines, want 5", len(lines))
	}
	for _, line := range lines {
		if !strings.Contains(line, "function=shop/order") || strings.Contains(line, ".js") {
			t.Error(line)
		}
	}
}
