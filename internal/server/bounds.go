package server

import (
	"github.com/backstage/functions/internal/config"
	"github.com/backstage/functions/internal/function"
	"github.com/backstage/functions/sandbox"
)

// functionBounds are what functions may ask for.
func functionBounds(cfg *config.Config) function.Bounds {
	return function.Bounds{
		Timeout: cfg.FunctionTimeoutMax, SyncTimeout: cfg.FunctionSyncTimeoutMax,
		Memory: cfg.FunctionMemoryMax, CPU: cfg.FunctionCPUMax, NoLimits: cfg.Isolation == sandbox.IsolationNone,
	}
}
