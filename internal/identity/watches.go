package identity

import (
	"maps"
	"slices"
	"sync"
	"time"
)

// Watches tells those who wait for the end of something that has an ID, such as a key. The zero value has none. It is
// safe for concurrent use.
type Watches struct {
	mu   sync.Mutex // guards the field below
	byID map[string]map[*watch]struct{}
}

// watch waits for one end.
type watch struct{ ended func() }

// Add calls ended once, in a goroutine of its own or of EndUnless: at expires, which is never if it is zero, or when
// the ID is gone. There, which is called once it waits, says whether it is there still. Stop ends that, and is called
// once it is not needed; ended may be called at the same time.
func (w *Watches) Add(id string, expires, at time.Time, there func() bool, ended func()) (stop func()) {
	var once sync.Once
	added := &watch{func() { once.Do(ended) }}
	w.mu.Lock()
	if w.byID == nil {
		w.byID = map[string]map[*watch]struct{}{}
	}
	if w.byID[id] == nil {
		w.byID[id] = map[*watch]struct{}{}
	}
	w.byID[id][added] = struct{}{}
	w.mu.Unlock()
	if !there() { // it went before it was watched
		added.ended()
	}
	stopTimer := func() bool { return true }
	if !expires.IsZero() {
		stopTimer = time.AfterFunc(expires.Sub(at), added.ended).Stop
	}
	return func() {
		stopTimer()
		w.mu.Lock()
		defer w.mu.Unlock()
		delete(w.byID[id], added)
		if len(w.byID[id]) == 0 {
			delete(w.byID, id)
		}
	}
}

// EndUnless tells those who wait for the end of what is not there any more.
func (w *Watches) EndUnless(there func(id string) bool) {
	for _, ended := range w.takeEnded(there) {
		ended.ended()
	}
}

// takeEnded removes and returns the watches of what is not there.
func (w *Watches) takeEnded(there func(id string) bool) (ended []*watch) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for id, watches := range w.byID {
		if !there(id) {
			ended = slices.AppendSeq(ended, maps.Keys(watches))
			delete(w.byID, id)
		}
	}
	return ended
}
