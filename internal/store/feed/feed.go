// Package feed tells everybody who watches a store which writes were done.
package feed

import (
	"context"
	"sync"

	"github.com/backstage/functions/internal/function"
)

// maxBacklog is how many changes may wait for one watcher. More are replaced by a single one with All set.
const maxBacklog = 1024

// Feed passes changes to any number of watchers. The zero value is ready. It is safe for concurrent use.
type Feed struct {
	mu       sync.Mutex // guards the fields below
	watchers map[*watcher]struct{}
}

// watcher holds what one call of Watch has not delivered yet. The Feed's mutex guards it.
type watcher struct {
	backlog []function.Change
	wake    chan struct{} // holds one token while the backlog is not empty
}

// Publish adds c to the backlog of every watcher. It does not wait for them.
func (f *Feed) Publish(c function.Change) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for w := range f.watchers {
		if len(w.backlog) < maxBacklog {
			w.backlog = append(w.backlog, c)
		} else {
			w.backlog = append(w.backlog[:0], function.Change{All: true})
		}
		select {
		case w.wake <- struct{}{}:
		default:
		}
	}
}

// Watch calls notify for every change published from now on, one at a time and in order, until ctx ends. It returns
// after the last call.
func (f *Feed) Watch(ctx context.Context, notify func(function.Change)) {
	w := f.join()
	defer f.leave(w)
	for {
		select {
		case <-ctx.Done():
			return
		case <-w.wake:
		}
		for _, c := range f.take(w) {
			if ctx.Err() != nil {
				return
			}
			notify(c)
		}
	}
}

func (f *Feed) join() *watcher {
	w := &watcher{wake: make(chan struct{}, 1)}
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.watchers == nil {
		f.watchers = make(map[*watcher]struct{})
	}
	f.watchers[w] = struct{}{}
	return w
}

func (f *Feed) leave(w *watcher) {
	f.mu.Lock()
	defer f.mu.Unlock()
	delete(f.watchers, w)
}

func (f *Feed) take(w *watcher) []function.Change {
	f.mu.Lock()
	defer f.mu.Unlock()
	taken := w.backlog
	w.backlog = nil
	return taken
}
