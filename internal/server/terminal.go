package server

import (
	"bytes"
	"context"
	"io"
	"log/slog"
	"os"
	"time"

	"github.com/backstage/functions/internal/metrics"
	"github.com/backstage/functions/internal/observe/logs"
)

// How long the end of the server waits for whoever reads standard output and standard error, both together, and of that, how long at least for
// the latter, which is told what the former has lost.
const (
	lastOutput = 2 * time.Second
	lastNotice = lastOutput / 4
)

// terminal is standard output and standard error. Each log has a share of its own in what waits to be written there.
type terminal struct {
	stdout, stderr *logs.Sink
	// server and access go to standard output, as do what functions print; err to standard error.
	server, access, out, err io.Writer
	options                  logs.AppOptions
}

// openTerminal takes both; nobody else may write there until close returns. The options are for the lines that tell of dropped ones. A reader
// who has left does not end the server: see catchSignals.
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
	return t
}

// notice is the line that tells of dropped ones.
func (t *terminal) notice(stream string, lines int) []byte {
	var line bytes.Buffer
	options := t.options
	options.Out, options.Level = &line, min(options.Level.Level(), slog.LevelWarn)
	logs.NewApp(options).Warn("Lines were dropped: their reader was too slow or gone", "stream", stream, "lines", lines)
	return line.Bytes()
}

// close writes what waits, for lastOutput at most: a reader that has stopped does not keep the server from ending.
func (t *terminal) close() error {
	end := time.Now().Add(lastOutput)
	if lost := closeSink(t.stdout, end.Add(-lastNotice)); lost > 0 {
		_, _ = t.err.Write(t.notice("all of standard output", lost)) // cannot fail
	}
	closeSink(t.stderr, end) // there is nowhere left to tell
	return nil
}

func closeSink(sink *logs.Sink, end time.Time) (lost int) {
	ctx, cancel := context.WithDeadline(context.Background(), end)
	defer cancel()
	return sink.Close(ctx)
}
