//go:build !linux

package server

import (
	"context"
	"log/slog"
)

// relaxMonitor is for Linux.
func relaxMonitor(context.Context, *slog.Logger) {}
