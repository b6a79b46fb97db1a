package logs

import (
	"io"
	"strings"
	"sync"
	"time"

	"github.com/backstage/functions/internal/function"
	"github.com/backstage/functions/internal/invoke"
	"github.com/backstage/functions/sandbox"
)

// Console writes what functions print: "info: [namespace:NS, id:ID] line" to one writer, "error: …" to the other. It is
// an invoke.Output, safe for concurrent use if its writers are.
type Console struct {
	out, err io.Writer
	format   lineFormat
	lines    sync.Pool // of *[]byte
}

// origin is where a line comes from: a call of ref, or none if it has no id.
type origin struct {
	ref         function.Ref
	id, traceID string
}

// lineFormat appends one line of a function, without the line break.
type lineFormat func(dst []byte, from *origin, level, text string) []byte

// NewConsole returns a Console; each writer receives a line in one Write.
func NewConsole(out, err io.Writer) *Console { return newConsole(out, err, appendLabelled) }

// NewJSONConsole returns a Console that writes an object a line: time, level, message, namespace, id, requestId, the
// invocation ID of the call, and traceId if that belongs to a trace; function_id and request_id as the original calls
// them.
func NewJSONConsole(out, err io.Writer) *Console { return newConsole(out, err, appendObject) }

func newConsole(out, err io.Writer, format lineFormat) *Console {
	return &Console{out: out, err: err, format: format, lines: sync.Pool{New: func() any { return new([]byte) }}}
}

// Print writes a line that belongs to no run. Text of several lines is written as several; empty ones are left out.
func (c *Console) Print(ref function.Ref, line sandbox.LogLine) {
	c.print(&origin{ref: ref}, line)
}

// Start implements invoke.Output. Lines are written as they come; nothing is left for Finish.
func (c *Console) Start(call invoke.Call) invoke.RunOutput {
	return &consoleRun{console: c, from: origin{ref: call.Ref, id: call.ID, traceID: call.TraceID}}
}

func (c *Console) print(from *origin, line sandbox.LogLine) {
	for text := range strings.SplitSeq(line.Text, "\n") {
		if text != "" {
			c.write(from, line.Level, text)
		}
	}
}

func (c *Console) write(from *origin, level, text string) {
	out := c.out
	if level == "error" {
		out = c.err
	}
	buffer := c.lines.Get().(*[]byte)
	line := append(c.format((*buffer)[:0], from, level, text), '\n')
	_, _ = out.Write(line) // there is nowhere to report that the log cannot be written
	*buffer = line
	c.lines.Put(buffer)
}

// appendLabelled appends "level: [namespace:NS, id:ID] text".
func appendLabelled(dst []byte, from *origin, level, text string) []byte {
	label := "info: [namespace:"
	if level == "error" {
		label = "error: [namespace:"
	}
	dst = append(dst, label...)
	dst = appendLine(dst, from.ref.Namespace)
	dst = append(dst, ", id:"...)
	dst = appendLine(dst, from.ref.ID)
	dst = append(dst, "] "...)
	return appendLine(dst, text)
}

// appendObject appends the line as a JSON object.
func appendObject(dst []byte, from *origin, level, text string) []byte {
	o := beginObject(dst, level, text)
	addText(&o, "namespace", from.ref.Namespace)
	addText(&o, "id", from.ref.ID)
	addText(&o, "requestId", from.id)
	addText(&o, "traceId", from.traceID)
	addText(&o, "function_id", from.ref.ID) // this and the next are names of the original
	addText(&o, originalRequestID, from.id)
	return o.End()
}

// consoleRun is the invoke.RunOutput of one run.
type consoleRun struct {
	console *Console
	from    origin
}

// Line implements invoke.RunOutput.
func (r *consoleRun) Line(line sandbox.LogLine) { r.console.print(&r.from, line) }

// Finish implements invoke.RunOutput.
func (*consoleRun) Finish(int, time.Duration) {}
