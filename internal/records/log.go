// Package records keeps records of calls whose callers wait for them: why one failed can be read later. Records are
// written in the background, in batches, and there are fewer of them when too many calls fail at a time: no call waits
// for its record, or fails because of it.
package records

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"github.com/backstage/functions/internal/backlog"
	"github.com/backstage/functions/internal/function"
	"github.com/backstage/functions/internal/invoke"
	"github.com/backstage/functions/internal/outcome"
	"github.com/backstage/functions/internal/queue"
)

const (
	// queued is how many records wait for the store, batch how many it gets at once, and linger how long the first of them
	// waits for more.
	queued = 1024
	batch  = 100
	linger = 100 * time.Millisecond
	// storeTimeout bounds a write of the store.
	storeTimeout = 5 * time.Second
	// summary is how often calls without records are told in the log, cleaning how often the store drops what is old.
	summary  = time.Minute
	cleaning = time.Hour
)

// What becomes of records.
const (
	Written = "written" // the store has it
	Sampled = "sampled" // there were too many at a time, and others stand for it
	Lost    = "lost"    // the store was away, full or too slow
)

// Results are all of them.
var Results = []string{Written, Sampled, Lost}

// Store keeps records.
type Store interface {
	AppendKept(ctx context.Context, records []*queue.Kept, limits queue.KeptLimits) error
}

// Options configure a Log.
type Options struct {
	Store  Store
	Limits queue.KeptLimits
	// All keeps records of calls that have succeeded, too.
	All bool
	// Server names this server in records. Timeout, SyncTimeout and Memory are the limits of functions without limits of
	// their own.
	Server               string
	Timeout, SyncTimeout time.Duration
	Memory               int64
	// Recorded is told what became of records: one of Results. It must be safe for concurrent use.
	Recorded func(result string, records int)
	Logger   *slog.Logger
}

// Log keeps records. Use New. It is safe for concurrent use.
type Log struct {
	Options
	sampler *sampler
	queue   chan entry

	closing, done chan struct{}
	once          sync.Once
}

// entry is a call whose record waits for the store.
type entry struct {
	ended *invoke.Ended
	// skipped is how many calls of its function before it have no record.
	skipped int64
}

// New returns a Log. Close ends it.
func New(o Options) *Log {
	l := &Log{
		Options: o, sampler: newSampler(), queue: make(chan entry, queued), closing: make(chan struct{}),
		done: make(chan struct{}),
	}
	go l.run()
	return l
}

// Close writes what waits. Later records are lost.
func (l *Log) Close() {
	l.once.Do(func() { close(l.closing) })
	<-l.done
}

// Wants says whether the record of a call of that function is to be kept which has ended with that status.
func (l *Log) Wants(ref function.Ref, status int) bool {
	failed := outcome.Failed(status)
	if !failed && !l.All {
		return false
	}
	if !l.sampler.take(ref, failed, time.Now()) {
		l.Recorded(Sampled, 1)
		return false
	}
	return true
}

// Ended takes a call whose record is wanted. It does not wait: without room for the record, that is lost.
func (l *Log) Ended(e *invoke.Ended) {
	next := entry{e, l.sampler.skipped(e.Function.Ref)}
	select {
	case l.queue <- next:
	default:
		l.sampler.skip(e.Function.Ref, next.skipped+1)
		l.Recorded(Lost, 1)
	}
}

// run writes what comes until the Log is closed.
func (l *Log) run() {
	defer close(l.done)
	backlog.Work[entry]{
		Write: l.write, Summarize: l.summarize, Clean: func() { l.store(nil) }, Summary: summary, Cleaning: cleaning,
	}.Do(l.queue, l.closing)
}

// write writes an entry, together with those that come soon.
func (l *Log) write(first entry) {
	entries := []entry{first}
	wait := time.NewTimer(linger)
	defer wait.Stop()
	for full := false; !full && len(entries) < batch; {
		select {
		case e := <-l.queue:
			entries = append(entries, e)
			continue
		default:
		}
		select {
		case e := <-l.queue:
			entries = append(entries, e)
		case <-wait.C:
			full = true
		case <-l.closing:
			full = true
		}
	}
	records := make([]*queue.Kept, len(entries))
	for i, e := range entries {
		records[i] = l.recordOf(e)
	}
	if l.store(records) {
		l.Recorded(Written, len(records))
		return
	}
	for _, e := range entries {
		l.sampler.skip(e.ended.Function.Ref, e.skipped+1)
	}
	l.Recorded(Lost, len(records))
}

// store has the store keep records; without any it drops old ones.
func (l *Log) store(records []*queue.Kept) bool {
	ctx, cancel := context.WithTimeout(context.Background(), storeTimeout)
	defer cancel()
	err := l.Store.AppendKept(ctx, records, l.Limits)
	if err != nil && len(records) > 0 {
		l.sampler.fail(err)
	}
	return err == nil
}

// summarize tells how many calls have no record, if any.
func (l *Log) summarize() {
	calls, functions, err := l.sampler.summary()
	if calls == 0 {
		return
	}
	args := []any{"calls", calls, "functions", functions}
	if err != nil {
		args = append(args, "last_error", err)
	}
	l.Logger.Warn("Calls have no record: too many ended at a time, or the store did not take them", args...)
}
