package logs

import (
	"cmp"
	"context"
	"encoding/json"
	"log/slog"
	"time"

	"github.com/backstage/functions/internal/function"
	"github.com/backstage/functions/internal/invoke"
	"github.com/backstage/functions/sandbox"
)

// LineStore keeps lines of functions. It must be safe for concurrent use.
type LineStore interface {
	// AppendLog keeps lines within the limits; it returns how many it kept, and an error if that is not all of them.
	AppendLog(ctx context.Context, lines []function.LogLine, keep function.LogLimits) (kept int, err error)
}

// JournalOptions configure a Journal. All are required.
type JournalOptions struct {
	// Next receives everything too.
	Next  invoke.Output
	Store LineStore
	// Keep says how much the store keeps.
	Keep function.LogLimits
	// MaxLine bounds the text of a line in bytes; the rest of a longer one is dropped and a mark left.
	MaxLine int
	// Dropped is told of lines that could not be kept. It must be safe for concurrent use and must not block.
	Dropped func(lines int)
	// Logger is told when the store begins to fail and when it works again.
	Logger *slog.Logger
}

// Journal has a store keep what runs print. It is an invoke.Output that never makes a run wait: lines go into a bounded
// queue, from which they are written in the background, and are dropped when it is full. Lines that belong to no run
// are not kept, unless by Tell: callers who ask for functions that do not exist could fill the store with them. It is
// safe for concurrent use.
type Journal struct {
	o     JournalOptions
	queue *lineQueue
	done  chan struct{} // closed when nothing is written any more
	stop  func()
}

// NewJournal returns a Journal; Close stops it.
func NewJournal(o JournalOptions) *Journal {
	ctx, stop := context.WithCancel(context.Background())
	j := &Journal{o: o, queue: newLineQueue(), done: make(chan struct{}), stop: stop}
	go (&journalWriter{Journal: j}).run(ctx)
	return j
}

// Start implements invoke.Output.
func (j *Journal) Start(call invoke.Call) invoke.RunOutput {
	r := &journalRun{
		RunOutput: j.o.Next.Start(call),
		journal:   j,
		ref:       call.Ref,
		owner:     cmp.Or(call.Owner, call.Ref.Namespace),
		call:      call.ID,
		queued:    call.Queued != nil,
	}
	if r.queued {
		r.step = call.Step
	}
	return r
}

// Print implements invoke.Output.
func (j *Journal) Print(ref function.Ref, line sandbox.LogLine) { j.o.Next.Print(ref, line) }

// Tell prints a line that belongs to no run, and has the store keep it: the function must exist. The line has the ID of
// the request that it is about.
func (j *Journal) Tell(ref function.Ref, owner, requestID string, line sandbox.LogLine) {
	j.Print(ref, line)
	j.keep(owner, function.LogLine{Ref: ref, RequestID: requestID, Level: line.Level, Text: line.Text})
}

// keep has the store keep line as of now, cut to MaxLine.
func (j *Journal) keep(owner string, line function.LogLine) {
	line.Time, line.Text = time.Now(), cutLine(line.Text, j.o.MaxLine)
	if !j.queue.put(owner, line) {
		j.o.Dropped(1)
	}
}

// Close writes what waits, for a few seconds at most, and returns. Later lines are dropped.
func (j *Journal) Close() {
	j.queue.close()
	j.stop()
	<-j.done
}

// journalRun is the invoke.RunOutput of one run, and an invoke.Summarizer for one that may be.
type journalRun struct {
	invoke.RunOutput
	journal *Journal
	ref     function.Ref
	owner   string
	call    string
	queued  bool
	step    int
}

// Line implements invoke.RunOutput.
func (r *journalRun) Line(line sandbox.LogLine) {
	r.RunOutput.Line(line)
	if line.Text == "" {
		return
	}
	r.journal.keep(r.owner, function.LogLine{
		Ref: r.ref, RequestID: r.call, Queued: r.queued, Step: r.step, Level: line.Level, Text: line.Text,
	})
}

// Fields implements invoke.Summarizer: those of the next output, nil when it has none.
func (r *journalRun) Fields() map[string]json.RawMessage {
	if s, ok := r.RunOutput.(invoke.Summarizer); ok {
		return s.Fields()
	}
	return nil
}
