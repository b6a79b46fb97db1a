package line

import (
	"context"
	"errors"
	"sync"
	"time"
)

// Operations that wait for each other are written together: one transaction, and one wait for the disk, for all of
// them. Each happens as a whole or not at all, and returns once it is written.
//
//	an operation ──► jobs ──► the one that gets the writer runs all jobs, saves their changes, and ends them

// mostJobs is how many operations are written together at most.
const mostJobs = 256

// job is an operation that writes. What may run twice: when a batch cannot be saved, each of its jobs is tried alone.
type job struct {
	ctx  context.Context //nolint:containedctx // it ends the operation of its caller, whoever runs it
	what func(*change) error
	err  error         // how it ended; valid once done is closed
	done chan struct{} // closed when it has ended
}

// jobs are operations that wait for the writer. The zero value is ready. It is safe for concurrent use.
type jobs struct {
	mu  sync.Mutex // guards all
	all []*job
}

func (j *jobs) add(one *job) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.all = append(j.all, one)
}

// take returns the oldest jobs, at most mostJobs, and removes them.
func (j *jobs) take() []*job {
	j.mu.Lock()
	defer j.mu.Unlock()
	n := min(len(j.all), mostJobs)
	batch := j.all[:n:n]
	j.all = j.all[n:]
	if len(j.all) == 0 {
		j.all = nil
	}
	return batch
}

// change runs what and saves what it has changed, perhaps together with other operations. When either fails, nothing
// has changed. What may run twice, so it sets its results anew each time.
func (l *Line) change(ctx context.Context, what func(*change) error) error {
	one := &job{ctx: ctx, what: what, done: make(chan struct{})}
	l.jobs.add(one)
	for {
		select {
		case <-one.done:
			return one.err
		case l.writer <- struct{}{}:
			l.writeNext()
		}
	}
}

// writeNext writes the next batch and gives the writer back.
func (l *Line) writeNext() {
	defer func() { <-l.writer }()
	l.write(l.jobs.take())
}

// errUnwritten is what an operation returns whose batch has ended in a panic.
var errUnwritten = errors.New("the write was broken off")

// write runs jobs and saves their changes, all or none. The caller has the writer.
func (l *Line) write(batch []*job) {
	l.mu.Lock()
	defer l.mu.Unlock()
	defer func() {
		for _, one := range batch {
			close(one.done)
		}
	}()
	if err := l.tryLocked(batch); err != nil && len(batch) > 1 {
		for i := range batch { // one of them may be at fault, such as a large one
			_ = l.tryLocked(batch[i : i+1]) // the job has its error
		}
	}
	l.sweepLocked()
}

// tryLocked runs jobs and saves their changes. When that fails nothing has changed, and the error is that of each.
func (l *Line) tryLocked(batch []*job) error {
	ch := &change{Line: l, now: l.now().UTC().Truncate(time.Millisecond)}
	l.seeLocked(ch.now)
	errs := make([]error, len(batch))
	for i, one := range batch {
		one.err = errUnwritten
		errs[i] = ch.run(one)
	}
	var err error
	if len(ch.changes) > 0 {
		err = l.keeper.Save(ch.changes)
	}
	if err != nil {
		ch.revert(0)
	}
	for i, one := range batch {
		if one.err = errs[i]; err != nil {
			one.err = err
		}
	}
	return err
}

// run runs one job, and takes back what it has changed if it fails.
func (ch *change) run(one *job) error {
	before := len(ch.changes)
	err := ended(one.ctx)
	if err == nil {
		err = one.what(ch)
	}
	if err != nil {
		ch.revert(before)
	}
	return err
}

// revert takes back all changes but the first so many.
func (ch *change) revert(first int) {
	for i := len(ch.undo) - 1; i >= first; i-- {
		ch.undo[i]()
	}
	ch.changes, ch.undo = ch.changes[:first], ch.undo[:first]
}

// payload returns that of a call, which may be written in this very batch.
func (ch *change) payload(id string) ([]byte, error) {
	for i := len(ch.changes) - 1; i >= 0; i-- {
		if c := &ch.changes[i]; c.ID == id && !c.OfCallback && (c.Payload != nil || c.NoPayload) {
			return append([]byte{}, c.Payload...), nil
		}
	}
	return ch.keeper.Payload(id)
}

// result is payload for the answer of a call.
func (ch *change) result(id string) ([]byte, error) {
	for i := len(ch.changes) - 1; i >= 0; i-- {
		if c := &ch.changes[i]; c.ID == id && !c.OfCallback && (c.Result != nil || c.NoResult) {
			return append([]byte{}, c.Result...), nil
		}
	}
	return ch.keeper.Result(id)
}
