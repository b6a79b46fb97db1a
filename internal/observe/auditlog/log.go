// Package auditlog writes the records of writes and refusals: as lines of JSON, and to a store.
package auditlog

import (
	"context"
	"io"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/time/rate"

	"github.com/backstage/functions/internal/audit"
	"github.com/backstage/functions/internal/backlog"
	"github.com/backstage/functions/internal/perclient"
)

const (
	// queued is how many records wait for the store, and batch how many it gets at once.
	queued = 1024
	batch  = 100
	// storeTimeout bounds a write of the store, and how long a request waits for it.
	storeTimeout = 2 * time.Second
	// summary is how often refusals without records are told when no other refusal tells of them, and cleaning how often
	// the store drops what is old.
	summary  = 10 * time.Second
	cleaning = time.Hour
)

// Of the refusals of a client, and of all, this many at once have a record, and then one every so often.
const (
	clientBurst, clientEvery = 20, 10 * time.Second
	allBurst, allEvery       = 200, 100 * time.Millisecond
	maxClients               = 10_000
)

// refusals is the group of the records of refusals: they never take the room of writes, nor writes theirs.
const refusals = "refusals"

// The places where a record may be lost.
const (
	LostInLines = "lines"
	LostInStore = "store"
)

// Store keeps records.
type Store interface {
	AppendAudit(ctx context.Context, records []audit.Record, keep audit.Keep) error
}

// Options configure a Log.
type Options struct {
	// Lines receives each record in one Write; nil writes none. It must be safe for concurrent use.
	Lines io.Writer
	// Store keeps the records as Keep says; nil keeps none.
	Store Store
	Keep  audit.Keep
	// Recorded is told the result of each record that is written, Unrecorded of each refusal that gets none, and Lost of
	// records that could not be written to one of the places. They must be safe for concurrent use.
	Recorded   func(audit.Result)
	Unrecorded func()
	Lost       func(where string, records int)
	// Logger is told when records begin to be lost, and no more.
	Logger *slog.Logger
}

// Log writes records. Use New. It is safe for concurrent use.
type Log struct {
	Options
	queue   chan entry
	clients *perclient.Limiter
	all     *rate.Limiter
	dropped atomic.Int64 // refusals since the last record of one

	linesFail, storeFails atomic.Bool // the last write failed

	closing, done chan struct{}
	once          sync.Once
}

// entry is a record that waits for the store.
type entry struct {
	record audit.Record
	// stored is closed once the store has it, or does not take it; nil if nobody waits.
	stored chan struct{}
}

// New returns a Log. Close ends it.
func New(o Options) *Log {
	l := &Log{
		Options: o, queue: make(chan entry, queued), clients: perclient.New(clientEvery, clientBurst, maxClients),
		all: rate.NewLimiter(rate.Every(allEvery), allBurst), closing: make(chan struct{}), done: make(chan struct{}),
	}
	go l.run()
	return l
}

// Close writes what waits. Later records are lost.
func (l *Log) Close() {
	l.once.Do(func() { close(l.closing) })
	<-l.done
}

// Write records a write, and returns once the record is written, or lost, or it has taken too long: a store that is
// away is no reason not to answer what was done.
func (l *Log) Write(r audit.Record) {
	l.line(r)
	l.Recorded(r.Result)
	if l.Store == nil {
		return
	}
	e := entry{r, make(chan struct{})}
	late := time.NewTimer(storeTimeout)
	defer late.Stop()
	select {
	case l.queue <- e:
	case <-late.C:
		l.Lost(LostInStore, 1)
		return
	case <-l.done:
		l.Lost(LostInStore, 1)
		return
	}
	select {
	case <-e.stored:
	case <-late.C: // it is in the queue still
	case <-l.done:
	}
}

// Refuse records a refusal of a client, unless there are too many at a time. It does not wait.
func (l *Log) Refuse(r audit.Record, client string) {
	now := time.Now()
	if _, ok := l.clients.Take(client, now); !ok || !l.all.AllowN(now, 1) {
		l.drop(1)
		return
	}
	r.Group, r.Dropped = refusals, l.dropped.Swap(0)
	select {
	case l.queue <- entry{record: r}:
	default:
		l.dropped.Add(r.Dropped)
		l.drop(1)
	}
}

func (l *Log) drop(n int64) {
	l.dropped.Add(n)
	l.Unrecorded()
}

// run writes what comes until the Log is closed.
func (l *Log) run() {
	defer close(l.done)
	backlog.Work[entry]{
		Write: l.write, Summarize: l.summarize, Clean: func() { l.store(nil) }, Summary: summary, Cleaning: cleaning,
	}.Do(l.queue, l.closing)
}

// summarize writes how many refusals have no record, if any.
func (l *Log) summarize() {
	if n := l.dropped.Swap(0); n > 0 {
		l.write(entry{record: audit.Record{Time: now(), Result: audit.Dropped, Dropped: n, Group: refusals}})
	}
}

// write writes an entry, together with others that wait.
func (l *Log) write(e entry) {
	entries := []entry{e}
	for len(entries) < batch && len(l.queue) > 0 {
		entries = append(entries, <-l.queue)
	}
	records := make([]audit.Record, len(entries))
	for i, e := range entries {
		records[i] = e.record
		if e.stored == nil { // else it was done already
			l.line(e.record)
			l.Recorded(e.record.Result)
		}
	}
	l.store(records)
	for _, e := range entries {
		if e.stored != nil {
			close(e.stored)
		}
	}
}

// store has the store keep records; without any it drops old ones.
func (l *Log) store(records []audit.Record) {
	if l.Store == nil {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), storeTimeout)
	defer cancel()
	err := l.Store.AppendAudit(ctx, records, l.Keep)
	if err != nil {
		l.Lost(LostInStore, len(records))
	}
	l.tell(&l.storeFails, "the list of the store", err)
}

// marker begins each line.
const marker = `{"type":"audit",`

// line writes a line.
func (l *Log) line(r audit.Record) {
	if l.Lines == nil {
		return
	}
	line := append([]byte(marker), r.JSON()[1:]...)
	_, err := l.Lines.Write(append(line, '\n'))
	if err != nil {
		l.Lost(LostInLines, 1)
	}
	l.tell(&l.linesFail, "AUDIT_FILE", err)
}

// tell logs when writing begins to fail, and when it goes on.
func (l *Log) tell(failing *atomic.Bool, where string, err error) {
	switch was := failing.Swap(err != nil); {
	case err != nil && !was:
		l.Logger.Error("Audit records are lost: they cannot be written", "where", where, "error", err)
	case err == nil && was:
		l.Logger.Info("Audit records are written again", "where", where)
	}
}

func now() time.Time { return time.Now().UTC().Truncate(time.Millisecond) }
