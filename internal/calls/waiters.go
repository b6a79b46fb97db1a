package calls

import "sync"

// waiters are those who wait for a change of a call. The zero value is ready. It is safe for concurrent use.
type waiters struct {
	mu  sync.Mutex // guards all
	all map[string]map[chan struct{}]struct{}
}

// join returns a channel that gets a token when the call may have changed, until leave is called.
func (w *waiters) join(id string) (changed <-chan struct{}, leave func()) {
	c := make(chan struct{}, 1)
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.all == nil {
		w.all = map[string]map[chan struct{}]struct{}{}
	}
	if w.all[id] == nil {
		w.all[id] = map[chan struct{}]struct{}{}
	}
	w.all[id][c] = struct{}{}
	return c, func() {
		w.mu.Lock()
		defer w.mu.Unlock()
		if delete(w.all[id], c); len(w.all[id]) == 0 {
			delete(w.all, id)
		}
	}
}

// wake tells all who wait for that call.
func (w *waiters) wake(id string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for c := range w.all[id] {
		select {
		case c <- struct{}{}:
		default:
		}
	}
}
