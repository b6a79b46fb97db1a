package server

import (
	"github.com/backstage/functions/internal/config"
	"github.com/backstage/functions/internal/function"
	"github.com/backstage/functions/internal/httpd/api"
	"github.com/backstage/functions/internal/observe/logs"
	"github.com/backstage/functions/internal/store"
)

// keepLines makes the store keep what functions print from now on, unless that is off; dropped counts the lines that
// could not be kept. Closer writes the last ones; the store must still be open then.
func (o *outputs) keepLines(cfg *config.Config, s store.Store, dropped func(lines int)) (closer func() error) {
	if cfg.Kept.Lines == 0 {
		return func() error { return nil }
	}
	journal := logs.NewJournal(logs.JournalOptions{
		Next: o.functions, Store: s, MaxLine: cfg.Kept.MaxLine, Dropped: dropped, Logger: o.app,
		Keep: function.LogLimits{
			Lines: cfg.Kept.Lines, Memory: cfg.Kept.Memory, Namespace: cfg.Kept.Namespace,
			TTL: cfg.Kept.TTL,
		},
	})
	o.functions, o.journal = journal, journal
	return func() error { journal.Close(); return nil }
}

// keptLogs is where kept lines are read; nil if none are kept.
func keptLogs(cfg *config.Config, s store.Store) api.Logs {
	if cfg.Kept.Lines == 0 {
		return nil
	}
	return s
}
