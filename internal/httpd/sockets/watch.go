package sockets

import (
	"errors"

	"github.com/backstage/functions/internal/function"
)

// Changed has sockets end whose function is gone, or has no sockets any more, after that change. It does not wait for
// that.
func (h *Hub) Changed(c function.Change) {
	if c.Routes {
		return
	}
	h.mu.Lock()
	for _, s := range h.sockets {
		if c.All || s.ref == c.Ref {
			h.checked[s.ref] = struct{}{}
		}
	}
	h.mu.Unlock()
	select {
	case h.checks <- struct{}{}:
	default:
	}
}

// check looks at functions that may be gone.
func (h *Hub) check() {
	for {
		select {
		case <-h.life.Done():
			return
		case <-h.checks:
		}
		h.mu.Lock()
		refs := h.checked
		h.checked = map[function.Ref]struct{}{}
		h.mu.Unlock()
		for ref := range refs {
			h.checkOne(ref)
		}
	}
}

func (h *Hub) checkOne(ref function.Ref) {
	found, err := h.o.Invoker.Find(h.life, ref)
	if !isMissing(err) && (err != nil || found.WebSocket() != nil) { // it is there, or nobody knows
		return
	}
	for _, s := range h.list() {
		if s.ref == ref {
			s.end(endDeleted)
		}
	}
}

// isMissing says whether err means that there is no such function.
func isMissing(err error) bool { return errors.Is(err, function.ErrNotFound) }
