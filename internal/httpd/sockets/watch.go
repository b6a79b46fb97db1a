package sockets

import (
	"errors"

	"github.com/backstage/functions/internal/function"
)

// Changed has sockets end, after that change, whose function is gone, has no sockets any more, or is not public any
// more and they need that. It does not wait for that.
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
	h.wakeCheck()
}

// recheck has check look at the function of s, which may have changed while s was opened.
func (h *Hub) recheck(s *Socket) {
	h.mu.Lock()
	h.checked[s.ref] = struct{}{}
	h.mu.Unlock()
	h.wakeCheck()
}

func (h *Hub) wakeCheck() {
	select {
	case h.checks <- struct{}{}:
	default:
	}
}

// check looks at functions that may be gone, or may not be public any more.
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
	switch {
	case isMissing(err):
		h.endAll(ref, endDeleted, nil)
	case err != nil: // nobody knows
	case found.WebSocket() == nil:
		h.endAll(ref, endDeleted, nil)
	default:
		h.endAll(ref, endPrivate, func(s *Socket) bool { return isClosed(s.opening.Access, found.Access()) })
	}
}

// isClosed says whether a function with the access now does not let somebody run it any more whom needed did.
func isClosed(needed, now string) bool {
	return needed != "" && now != function.AccessPublic && now != needed
}

// endAll ends the sockets of a function that are among those; nil stands for all.
func (h *Hub) endAll(ref function.Ref, as closing, among func(*Socket) bool) {
	for _, s := range h.list() {
		if s.ref == ref && (among == nil || among(s)) {
			s.end(as)
		}
	}
}

// isMissing says whether err means that there is no such function.
func isMissing(err error) bool { return errors.Is(err, function.ErrNotFound) }
