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

// functionDefaults hold for functions without options of their own.
func functionDefaults(cfg *config.Config) function.Defaults {
	return function.Defaults{
		Rollback: cfg.Reuse == function.ReuseRollback, Cut: cfg.AfterAnswer == function.AfterAnswerCut,
		NoCalls: cfg.Calls.Most == 0, NoSockets: cfg.WebSocket.Connections == 0, Open: cfg.Auth == config.AuthOff,
		MaxInvocations: cfg.MaxInvocations, Timeout: cfg.AsyncTimeout, SocketIdle: cfg.WebSocket.Idle,
	}
}
