package server

import (
	"bytes"
	"context"
	"io"
	"log/slog"
	"os"
	"time"

	"github.com/backstage/functions/internal/observe/logs"
	"github.com/backstage/functions/internal/observe/metrics"
)

// How long the shutdown waits for the readers of standard output and standard error together, and how long at least for
// the latter, which reports what the former has lost.
const (
	lastOutput = 2 * time.Second
	lastNotice = lastOutput / 4
)

// terminal is standard output and standard error. Each log has its own share of what waits to be written there.
type terminal struct {
	stdout, stderr *logs.Sink
	// server and access go to standard output, as does output of functions; err goes to standard error.
	server, access, out, err io.Writer
	// audit and auditErr are for records of writes and refusals, on standard output and standard error.
	audit, auditErr io.Writer
	options         logs.AppOptions
}

// openTerminal takes both; nothing else may write there until close returns. The options are for the lines about
// dropped lines. A reader that has left does not end the server: see catchSignals.
func openTerminal(options logs.AppOptions, dropped func(stream string, lines int)) *terminal {
	t := &terminal{stdout: logs.NewSink(os.Stdout), stderr: logs.NewSink(os.Stderr), options: options}
	stream := func(sink *logs.Sink, name string) io.Writer {
		return sink.Stream(logs.StreamOptions{
			Dropped: func(lines int) { dropped(name, lines) },
			Notice:  func(lines int) []byte { return t.notice(name, lines) },
		})
	}
	t.server, t.access = stream(t.stdout, metrics.StreamServer), stream(t.stdout, metrics.StreamAccess)
	t.out, t.err = stream(t.stdout, metrics.StreamStdout), stream(t.stderr, metrics.StreamStderr)
	t.audit, t.auditErr = stream(t.stdout, metrics.StreamAudit), stream(t.stderr, metrics.StreamAudit)
	return t
}

// notice is the line about dropped lines.
func (t *terminal) notice(stream string, lines int) []byte {
	var line bytes.Buffer
	options := t.options
	options.Out, options.Level = &line, min(options.Level.Level(), slog.LevelWarn)
	logs.NewApp(options).Warn("Lines were dropped: their reader was too slow or gone", "stream", stream, "lines", lines)
	return line.Bytes()
}

// close writes what waits, for at most lastOutput: a reader that has stopped does not block the shutdown.
func (t *terminal) close() error {
	end := time.Now().Add(lastOutput)
	if lost := closeSink(t.stdout, end.Add(-lastNotice)); lost > 0 {
		_, _ = t.err.Write(t.notice("all of standard output", lost)) // cannot fail
	}
	closeSink(t.stderr, end) // nowhere left to report it
	return nil
}

func closeSink(sink *logs.Sink, end time.Time) (lost int) {
	ctx, cancel := context.WithDeadline(context.Background(), end)
	defer cancel()
	return sink.Close(ctx)
}
