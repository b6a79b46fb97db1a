//go:build unix

package worker

import (
	"bytes"
	"context"
	"errors"
	"io"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/backstage/functions/sandbox/internal/wire"
)

// taker takes a streamed answer, and can fail to.
type taker struct {
	bytes.Buffer
	head            *wire.Frame
	began           error             // of begin
	failed, flushed error             // of Write and Flush
	flushes         int               // how often it was flushed
	wrote           func(text string) // is told of each piece, if set
	onFlush         func()            // is called with each flush, if set
}

func (w *taker) begin(head *wire.Frame) (io.Writer, error) {
	w.head = head
	return w, w.began
}

func (w *taker) Write(piece []byte) (int, error) {
	if w.failed != nil {
		return 0, w.failed
	}
	if w.wrote != nil {
		w.wrote(string(piece))
	}
	return w.Buffer.Write(piece)
}

func (w *taker) Flush() error {
	w.flushes++
	if w.onFlush != nil {
		w.onFlush()
	}
	return w.flushed
}

// Frames of a streamed answer, of the call %s.
const (
	pendingFrame = `{"type":"pending","id":"%s"}`
	headFrame    = `{"type":"head","id":"%s","status":201,"headers":[["a","b"]]}`
	chunkFrame   = `{"type":"chunk","id":"%s","size":3}` + "\nabc"
	logFrame     = `{"type":"log","id":"%s","level":"info","text":"x"}`
	endFrame     = `{"type":"end","id":"%s","reusable":true}`
	errorFrame   = `{"type":"error","id":"%s","reusable":true,"status":400,"message":"m","text":"t","stack":"","frames":"","headers":[]}`
	resultFrame  = `{"type":"result","id":"%s","reusable":true,"status":200,"headers":[],"body":1}`
	bytesFrame   = `{"type":"result","id":"%s","reusable":true,"status":200,"headers":[],"bytes":"YWJj"}`
	oversizeLine = `{"type":"oversize","id":"%s","reusable":true,"size":9}`
)

// answersWith has the puppet answer its next call with the frames, in one write.
func (p *puppet) answersWith(frames ...string) {
	id := p.id()
	var all strings.Builder
	for _, frame := range frames {
		all.WriteString(text(frame, id))
	}
	_, _ = io.WriteString(p.answers, all.String())
}

// text is the frame of the call named id, whole.
func text(frame, id string) string {
	frame = strings.ReplaceAll(frame, "%s", id)
	if strings.Contains(frame, "\n") { // a chunk
		return frame
	}
	return frame + "\n"
}

func TestAStreamGoesToItsCaller(t *testing.T) {
	for name, frames := range map[string][]string{
		"alone":           {pendingFrame, headFrame, chunkFrame, chunkFrame, endFrame},
		"with lines":      {logFrame, pendingFrame, logFrame, headFrame, logFrame, chunkFrame, logFrame, chunkFrame, logFrame, endFrame},
		"failing at last": {pendingFrame, headFrame, chunkFrame, chunkFrame, errorFrame},
	} {
		p, to, lines := newPuppet(t), new(taker), 0
		go p.answersWith(frames...)
		answer, err := p.process.Serve(t.Context(), &Call{Events: logs(func() { lines++ }), Stream: to.begin})
		if err != nil || !answer.Reusable || answer.Type != callType(frames) {
			t.Fatalf("%s: %+v, %v", name, answer, err)
		}
		if to.head == nil || to.head.Status != 201 || answer.Streamed.Head != to.head || to.String() != "abcabc" {
			t.Errorf("%s: got %+v and %q", name, to.head, to)
		}
		if s := answer.Streamed; s.Sent != 6 || s.FirstByte <= 0 {
			t.Errorf("%s: %d bytes, the first after %v", name, s.Sent, s.FirstByte)
		}
		if want := count(frames, logFrame); lines != want {
			t.Errorf("%s: %d lines, want %d", name, lines, want)
		}
	}
}

func callType(frames []string) string {
	if slices.Contains(frames, errorFrame) {
		return wire.Error
	}
	return wire.End
}

func count(frames []string, frame string) (n int) {
	for _, f := range frames {
		if f == frame {
			n++
		}
	}
	return n
}

func TestAStreamWithoutBytesHasNoFirstOne(t *testing.T) {
	p, to := newPuppet(t), new(taker)
	go p.answersWith(pendingFrame, headFrame, endFrame)
	answer, err := p.process.Serve(t.Context(), &Call{Events: noLogs, Stream: to.begin})
	if err != nil || answer.Streamed.Sent != 0 || answer.Streamed.FirstByte != 0 {
		t.Errorf("got %+v, %v", answer.Streamed, err)
	}
}

// A writer is not asked to send what more follows already, or the end.
func TestAStreamIsNotFlushedWhileMoreIsThere(t *testing.T) {
	p, to := newPuppet(t), new(taker)
	id := ""
	to.wrote = func(text string) {
		if to.Len() > 0 { // the second piece
			p.write(endFrame, id)
		}
	}
	go func() {
		id = p.id()
		_, _ = io.WriteString(p.answers, text(pendingFrame, id)+text(headFrame, id)+text(chunkFrame, id)+text(chunkFrame, id))
	}()
	if _, err := p.process.Serve(t.Context(), &Call{Events: noLogs, Stream: to.begin}); err != nil {
		t.Fatal(err)
	}
	if to.String() != "abcabc" || to.flushes != 0 {
		t.Errorf("%q was flushed %d times", to, to.flushes)
	}
}

// A line that was printed after a piece does not keep the piece from its caller.
func TestAStreamIsFlushedBeforeItWaits(t *testing.T) {
	for _, after := range []string{logFrame, chunkFrame} {
		p, to := newPuppet(t), new(taker)
		flushed := make(chan struct{}, 1)
		to.onFlush = func() { flushed <- struct{}{} }
		go func() {
			id := p.id()
			_, _ = io.WriteString(p.answers, text(pendingFrame, id)+text(headFrame, id)+text(after, id)+text(logFrame, id))
			<-flushed
			p.write(endFrame, id)
		}()
		if _, err := p.process.Serve(t.Context(), &Call{Events: noLogs, Stream: to.begin}); err != nil {
			t.Errorf("%q: %v", after, err)
		}
	}
}

func TestAFrameThatDoesNotFitIntoItsStreamEndsTheWorker(t *testing.T) {
	for name, frames := range map[string][]string{
		"a head before main has returned": {headFrame},
		"a second head":                   {pendingFrame, headFrame, headFrame},
		"a chunk before the head":         {pendingFrame, chunkFrame},
		"an end before the head":          {pendingFrame, endFrame},
		"an end of nothing":               {endFrame},
		"a result after the head":         {pendingFrame, headFrame, resultFrame},
		"bytes after the head":            {pendingFrame, headFrame, bytesFrame},
		"a notice of size after the head": {pendingFrame, headFrame, oversizeLine},
		"main returns after the head":     {pendingFrame, headFrame, pendingFrame},
		"an empty chunk":                  {pendingFrame, headFrame, strings.Replace(chunkFrame, "3}\nabc", "0}\n", 1)},
		"a chunk that is too long":        {pendingFrame, headFrame, strings.Replace(chunkFrame, "3", "65537", 1)},
		"a head of another call":          {pendingFrame, strings.Replace(headFrame, "%s", "x%s", 1)},
	} {
		p, to := newPuppet(t), new(taker)
		go p.answersWith(frames...)
		answer, err := p.process.Serve(t.Context(), &Call{Events: noLogs, Stream: to.begin})
		if death, ok := errors.AsType[*Death](err); !ok || death.Reason != Protocol {
			t.Errorf("%s: got %v", name, err)
		}
		if begun := to.head != nil; begun != (answer.Streamed != nil) {
			t.Errorf("%s: begun %v, told %+v", name, begun, answer.Streamed)
		}
	}
}

func TestATrialRunStreamsNothing(t *testing.T) {
	for _, kind := range []string{wire.Check, wire.Compile} {
		p, to := newPuppet(t), new(taker)
		go p.answersWith(pendingFrame, headFrame)
		_, err := p.process.Serve(t.Context(), &Call{Invoke: wire.Invoke{Kind: kind}, Events: noLogs, Stream: to.begin})
		if death, ok := errors.AsType[*Death](err); !ok || death.Reason != Protocol || to.head != nil {
			t.Errorf("%s: got %v", kind, err)
		}
	}
}

func TestAStreamThatIsNotTakenEndsTheWorker(t *testing.T) {
	broken := errors.New("broken")
	for name, row := range map[string]struct {
		to   *taker
		want error
		sent int64
	}{
		"no taker":             {nil, ErrStream, 0},
		"refused at its begin": {&taker{began: broken}, broken, 0},
		"a write fails":        {&taker{failed: broken}, broken, 0},
		"a flush fails":        {&taker{flushed: broken}, broken, 3},
	} {
		p, call := newPuppet(t), &Call{Events: noLogs}
		if row.to != nil {
			call.Stream = row.to.begin
		}
		go p.answersWith(pendingFrame, headFrame, chunkFrame) // and lives on
		answer, err := p.process.Serve(t.Context(), call)
		if !errors.Is(err, row.want) || answer.Reusable || p.process.killedFor() != Canceled {
			t.Errorf("%s: %+v, %v; killed for %q", name, answer, err, p.process.killedFor())
		}
		if row.to != nil && (answer.Streamed == nil || answer.Streamed.Sent != row.sent) {
			t.Errorf("%s: got %+v", name, answer.Streamed)
		}
	}
}

// A call that is detached outlives its caller, but for what that alone is to get.
func TestADetachedCallEndsWithItsCallerOnceItStreams(t *testing.T) {
	for name, row := range map[string]struct {
		detached bool
		frames   []string
		want     Reason
	}{
		"attached":           {false, nil, Canceled},
		"detached":           {true, []string{resultFrame}, ""},
		"detached, streamed": {true, []string{pendingFrame, headFrame, chunkFrame}, Canceled},
	} {
		p, to := newPuppet(t), new(taker)
		ctx, cancel := context.WithCancel(t.Context())
		events := logs(cancel)
		if row.frames != nil && row.want != "" {
			events, to.wrote = noLogs, func(string) { cancel() }
		}
		go p.answersWith(append([]string{logFrame}, row.frames...)...)
		_, err := p.process.Serve(ctx, &Call{Events: events, Stream: to.begin, Detached: row.detached})
		death, _ := errors.AsType[*Death](err)
		if row.want == "" && err != nil || row.want != "" && (death == nil || death.Reason != row.want) {
			t.Errorf("%s: got %v", name, err)
		}
		cancel()
	}
}

// The times of a stream are its own: none while its caller takes what has come, but that for all of it.
func TestAStreamHasItsOwnDeadlines(t *testing.T) {
	const idle, total = time.Minute, 10 * time.Minute
	for name, row := range map[string]struct {
		total time.Duration
		life  func(d *deadlines)
		want  Reason
	}{
		"pieces in time": {total, func(d *deadlines) {
			for range 9 {
				time.Sleep(idle - time.Second)
				d.reading(false)
				d.reading(true)
			}
		}, ""},
		"a caller that takes long": {total, func(d *deadlines) { d.reading(false); time.Sleep(5 * idle); d.reading(true) }, ""},
		"nothing more comes":       {total, func(*deadlines) { time.Sleep(idle) }, StreamIdle},
		"too many pieces":          {total, func(d *deadlines) { d.reading(false); time.Sleep(total) }, StreamLimit},
		"no limit on all of it":    {0, func(d *deadlines) { d.reading(false); time.Sleep(100 * total); d.reading(true) }, ""},
		"work after its end":       {0, func(d *deadlines) { d.answered(); time.Sleep(4 * time.Second) }, ""},
		"endless work after it":    {0, func(d *deadlines) { d.answered(); time.Sleep(5 * time.Second) }, AfterAnswer},
		"work beyond the last limit": {total, func(d *deadlines) {
			d.reading(false)
			time.Sleep(total - time.Second)
			d.reading(true)
			d.answered()
			time.Sleep(2 * time.Second)
		}, AfterAnswer},
	} {
		synctest.Test(t, func(t *testing.T) {
			p := newPuppet(t)
			p.process.cfg.Timeouts.Idle, p.process.cfg.Timeouts.Total = idle, row.total
			d := new(deadlines)
			d.start(p.process, Timeouts{}, "g1", 0, 0)
			d.mainReturned()
			time.Sleep(p.process.cfg.Timeouts.Async - time.Second)
			d.streaming()
			d.reading(true)
			row.life(d)
			synctest.Wait()
			if got := p.process.killedFor(); got != row.want || d.stop() != (row.want == "") {
				t.Errorf("%s: killed for %q, want %q", name, got, row.want)
			}
		})
	}
}
