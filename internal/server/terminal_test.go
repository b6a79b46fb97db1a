package server

import (
	"log/slog"
	"testing"
	"testing/synctest"
	"time"

	"github.com/backstage/functions/internal/observe/logs"
)

// stuck is a reader that takes nothing until it is closed.
type stuck chan struct{}

func (s stuck) Write(p []byte) (int, error) {
	<-s
	return len(p), nil
}

func TestEndWaitsOnceForWhoeverReads(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		unread := make(stuck)
		term := &terminal{stdout: logs.NewSink(unread), stderr: logs.NewSink(unread), options: logs.AppOptions{Level: slog.LevelInfo}}
		term.out, term.err = term.stdout.Stream(logs.StreamOptions{}), term.stderr.Stream(logs.StreamOptions{})
		for range 2 {
			_, _ = term.out.Write([]byte("a\n"))
			_, _ = term.err.Write([]byte("b\n"))
		}
		start := time.Now()
		if err := term.close(); err != nil {
			t.Error(err)
		}
		if took := time.Since(start); took != lastOutput {
			t.Errorf("the end waited %v, not %v", took, lastOutput)
		}
		close(unread) // what still writes ends
	})
}
