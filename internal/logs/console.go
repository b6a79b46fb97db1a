package logs

import (
	"encoding/json"
	"io"
	"strings"
	"sync"
	"time"

	"github.com/backstage/functions/internal/function"
	"github.com/backstage/functions/internal/invoke"
	"github.com/backstage/functions/sandbox"
)

// Console writes what functions print: "info: [namespace:NS, id:ID] line" to one writer, "error: …" to the other. It is an
// invoke.Output, safe for concurrent use if its writers are.
type Console struct {
	out, err io.Writer
	lines    sync.Pool // of *[]byte
}

// NewConsole returns a Console; each writer receives a line in one Write.
func NewConsole(out, err io.Writer) *Console {
	return &Console{out: out, err: err, lines: sync.Pool{New: func() any { return new([]byte) }}}
}

// Print writes a line that belongs to no run. Text of several lines is written as several; empty ones are left out.
func (c *Console) Print(ref function.Ref, line sandbox.LogLine) {
	for text := range strings.SplitSeq(line.Text, "\n") {
		if text != "" {
			c.write(ref, line.Level, text)
		}
	}
}

// Start implements invoke.Output. Lines are written as they come; nothing is left for Finish.
func (c *Console) Start(ref function.Ref, _ json.RawMessage) invoke.RunOutput {
	return consoleRun{c, ref}
}

func (c *Console) write(ref function.Ref, level, text string) {
	out, label := c.out, "info: [namespace:"
	if level == "error" {
		out, label = c.err, "error: [namespace:"
	}
	buffer := c.lines.Get().(*[]byte)
	line := append((*buffer)[:0], label...)
	line = appendLine(line, ref.Namespace)
	line = append(line, ", id:"...)
	line = appendLine(line, ref.ID)
	line = append(line, "] "...)
	line = appendLine(line, text)
	line = append(line, '\n')
	_, _ = out.Write(line) // there is nowhere to report that the log cannot be written
	*buffer = line
	c.lines.Put(buffer)
}

// consoleRun is the invoke.RunOutput of one run.
type consoleRun struct {
	console *Console
	ref     function.Ref
}

// Line implements invoke.RunOutput.
func (r consoleRun) Line(line sandbox.LogLine) { r.console.Print(r.ref, line) }

// Finish implements invoke.RunOutput.
func (consoleRun) Finish(int, time.Duration) {}
