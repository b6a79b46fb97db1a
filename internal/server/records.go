package server

import (
	"context"
	"os"

	"github.com/backstage/functions/internal/config"
	"github.com/backstage/functions/internal/queue"
	"github.com/backstage/functions/internal/records"
)

// openRecords keeps records of calls whose callers wait, from now on. What is stored expires even if none are kept.
func (s *server) openRecords(context.Context) (stop func() error, err error) {
	name, _ := os.Hostname() // an unknown host has no name in records
	s.records = records.New(records.Options{
		Store: s.store, All: s.cfg.Calls.Kept == config.KeepAll, Server: name,
		Limits:  queue.KeptLimits{Calls: s.cfg.Calls.KeptMost, Bytes: s.cfg.Calls.KeptMemory, Age: s.cfg.Calls.KeptFor},
		Timeout: s.cfg.AsyncTimeout, SyncTimeout: s.cfg.SyncTimeout, Memory: s.cfg.MemoryLimit,
		Recorded: s.measures.CallRecorded, Logger: s.log(),
	})
	return func() error { s.records.Close(); return nil }, nil
}
