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

// lineFormat appends one line of a function, without the line break. The call has but its Ref when the line belongs to
// none.
type lineFormat func(dst []byte, call *invoke.Call, level, text string) []byte

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
	c.print(&invoke.Call{Ref: ref}, line)
}

// Start implements invoke.Output. Lines are written as they come; nothing is left for Finish.
func (c *Console) Start(call invoke.Call) invoke.RunOutput {
	call.Request = sandbox.Request{} // is not needed, and large
	return &consoleRun{console: c, call: call}
}

func (c *Console) print(call *invoke.Call, line sandbox.LogLine) {
	for text := range strings.SplitSeq(line.Text, "\n") {
		if text != "" {
			c.write(call, line.Level, text)
		}
	}
}

func (c *Console) write(call *invoke.Call, level, text string) {
	out := c.out
	if level == "error" {
		out = c.err
	}
	buffer := c.lines.Get().(*[]byte)
	line := append(c.format((*buffer)[:0], call, level, text), '\n')
	_, _ = out.Write(line) // there is nowhere to report that the log cannot be written
	*buffer = line
	c.lines.Put(buffer)
}

// appendLabelled appends "level: [namespace:NS, id:ID] text".
func appendLabelled(dst []byte, call *invoke.Call, level, text string) []byte {
	label := "info: [namespace:"
	if level == "error" {
		label = "error: [namespace:"
	}
	dst = append(dst, label...)
	dst = appendLine(dst, call.Ref.Namespace)
	dst = append(dst, ", id:"...)
	dst = appendLine(dst, call.Ref.ID)
	dst = append(dst, "] "...)
	return appendLine(dst, text)
}

// appendObject appends the line as a JSON object.
func appendObject(dst []byte, call *invoke.Call, level, text string) []byte {
	o := beginObject(dst, level, text)
	addText(&o, "namespace", call.Ref.Namespace)
	addText(&o, "id", call.Ref.ID)
	addText(&o, "requestId", call.ID)
	addText(&o, "traceId", call.TraceID)
	addText(&o, "function_id", call.Ref.ID) // this and the next are names of the original
	addText(&o, originalRequestID, call.ID)
	return o.End()
}

// consoleRun is the invoke.RunOutput of one run.
type consoleRun struct {
	console *Console
	call    invoke.Call
}

// Line implements invoke.RunOutput.
func (r *consoleRun) Line(line sandbox.LogLine) { r.console.print(&r.call, line) }

// Finish implements invoke.RunOutput.
func (*consoleRun) Finish(int, time.Duration) {}
