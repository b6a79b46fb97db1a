package records

import (
	"cmp"
	"encoding/binary"
	"errors"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/backstage/functions/internal/invoke"
	"github.com/backstage/functions/internal/outcome"
	"github.com/backstage/functions/internal/queue"
	"github.com/backstage/functions/sandbox"
	"github.com/backstage/functions/sandbox/rawjson"
)

// How long texts in a record are at most, in bytes.
const (
	longestError = 2 << 10
	longestStack = 4 << 10
	longestLine  = 1 << 10
)

// idOf is a version 7 UUID of a call that has begun then: RFC 9562, section 5.7.
func idOf(start time.Time) string {
	id := uuid.New()
	var ms [8]byte
	binary.BigEndian.PutUint64(ms[:], uint64(start.UnixMilli()))
	copy(id[:6], ms[2:])
	id[6] = id[6]&0x0f | 0x70
	return id.String()
}

// recordOf is the record of a call.
func (l *Log) recordOf(of entry) *queue.Kept {
	e := of.ended
	k := &queue.Kept{
		ID: idOf(e.Start), Ref: e.Function.Ref, Kind: queue.Kind(cmp.Or(e.Via, string(queue.KindRun))), Step: e.Step,
		Status: queue.Succeeded, Caller: e.Caller, RequestID: e.ID, TraceID: e.TraceID,
		Start: e.Start.UTC().Truncate(time.Millisecond), End: e.Start.Add(e.Took).UTC().Truncate(time.Millisecond),
	}
	if e.Step > 0 {
		k.Kind = queue.KindPipeline
	}
	if e.Err != nil || outcome.Failed(e.Status) {
		k.Status, k.Reason = queue.Failed, outcome.ReasonOf(e.Err, e.Status)
	}
	k.Expires = k.End.Add(l.Limits.Age)
	k.Detail, k.Output = l.detailOf(of, k.Reason), outputOf(e)
	return k
}

// detailOf tells how the call was served and why it failed, in the members that attempts of queued calls have, and
// more.
func (l *Log) detailOf(of entry, reason string) []byte {
	e := of.ended
	o := rawjson.NewObject(make([]byte, 0, 512))
	o.Int("status", int64(e.Status))
	if reason != "" {
		o.String("reason", reason)
	}
	if e.Err != nil {
		o.String("error", cut(outcome.Of(e.Err).Message, longestError))
	}
	if limit := l.limitOf(e); limit != nil {
		o.Raw("limit", limit)
	}
	if death, ok := errors.AsType[*sandbox.DeathError](e.Err); ok {
		if death.Signal != "" {
			o.String("signal", death.Signal)
		}
		if death.Reason == sandbox.ReasonExit {
			o.Int("exitCode", int64(death.ExitCode))
		}
	}
	o.Int("ms", e.Took.Milliseconds())
	if e.Stats.Start != "" {
		o.Int("queueMs", e.Stats.Queue.Milliseconds())
		o.Int("runMs", e.Stats.Run.Milliseconds())
		o.Int("cpuMs", e.Stats.CPU.Milliseconds())
		o.String("worker", string(e.Stats.Start))
		o.Int("memoryLimit", cmp.Or(e.Memory, l.Memory))
	}
	o.String("hash", e.Function.Hash)
	o.String("revision", e.Function.VersionID)
	o.String("server", l.Server)
	if of.skipped > 0 {
		o.Int("unrecorded", of.skipped)
	}
	return o.End()
}

// limitOf tells which limit a call went beyond, how much it allows, and how much was used, as far as that is known; nil
// for none.
func (l *Log) limitOf(e *invoke.Ended) []byte {
	death, ok := errors.AsType[*sandbox.DeathError](e.Err)
	if !ok {
		return nil
	}
	switch death.Reason {
	case sandbox.ReasonDeadline:
		return limitJSON("timeout", "ms", cmp.Or(e.Timeout, l.Timeout).Milliseconds(), death.Run.Milliseconds())
	case sandbox.ReasonSyncDeadline:
		return limitJSON("syncTimeout", "ms", cmp.Or(e.SyncTimeout, l.SyncTimeout).Milliseconds(), death.Run.Milliseconds())
	case sandbox.ReasonMemory, sandbox.ReasonHeap:
		return limitJSON("memory", "bytes", cmp.Or(e.Memory, l.Memory), 0)
	case sandbox.ReasonOutput:
		if death.Allowed > 0 {
			return limitJSON("response", "bytes", int64(death.Allowed), int64(death.Answer))
		}
	}
	return nil
}

func limitJSON(name, unit string, allowed, used int64) []byte {
	o := rawjson.NewObject(nil)
	o.String("name", name)
	o.String("unit", unit)
	o.Int("allowed", allowed)
	if used > 0 {
		o.Int("used", used)
	}
	return o.End()
}

// outputOf is what the function has thrown and the last lines that it has printed; nil for nothing.
func outputOf(e *invoke.Ended) []byte {
	o := rawjson.NewObject(nil)
	some := false
	text := func(name, value string) {
		if value != "" {
			o.String(name, value)
			some = true
		}
	}
	if thrown, ok := errors.AsType[*sandbox.FunctionError](e.Err); ok {
		text("thrown", cut(e.Text, longestError))
		text("stack", cut(thrown.Stack, longestStack))
	}
	if death, ok := errors.AsType[*sandbox.DeathError](e.Err); ok {
		text("detail", cut(death.Detail, longestError))
	}
	if len(e.Lines) > 0 {
		o.Raw("lines", linesJSON(e.Lines))
		some = true
	}
	if !some {
		return nil
	}
	return o.End()
}

func linesJSON(lines []sandbox.LogLine) []byte {
	out := []byte{'['}
	for i, line := range lines {
		if i > 0 {
			out = append(out, ',')
		}
		o := rawjson.NewObject(nil)
		o.Visible("level", line.Level)
		o.Visible("message", cut(line.Text, longestLine))
		out = append(out, o.End()...)
	}
	return append(out, ']')
}

// cut is text with at most so many bytes, and valid UTF-8.
func cut(text string, most int) string {
	return strings.ToValidUTF8(text[:min(len(text), most)], "")
}
