// Package ring keeps the newest lines that functions printed in memory, for stores that no other server shares.
// They are lost when the server ends: docs/decisions/0005-kept-output-is-not-on-disk.md says why.
package ring

import (
	"container/list"
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/backstage/functions/internal/function"
)

// Ring keeps lines of any number of functions. The zero value is ready. It is safe for concurrent use.
type Ring struct {
	// OwnerSeparator ends the name of an owner in that of a namespace. The namespaces of one owner share its memory. It
	// must not change once the ring is in use.
	OwnerSeparator string

	mu      sync.Mutex // guards the fields below
	closed  bool
	logs    map[function.Ref]*list.Element
	owners  map[string]*ownerLogs // by name
	largest ownersBySize          // the same
	size    int64                 // of all logs, in bytes
	last    function.LogCursor
	waiting map[function.Ref]*waiters
}

// AppendLog keeps lines, and no more than keep allows; it returns how many it took. The error is that of an ended
// context or wraps function.ErrUnavailable after Close.
func (r *Ring) AppendLog(ctx context.Context, lines []function.LogLine, keep function.LogLimits) (kept int, err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if err := r.usableLocked(ctx, "append"); err != nil {
		return 0, err
	}
	for _, line := range lines {
		line.Cursor = r.nextLocked()
		r.addLocked(line, keep.Lines)
		r.wakeLocked(line.Ref)
	}
	r.shrinkLocked(keep.Memory)
	return len(lines), nil
}

// ReadLog returns the lines that q selects. Its errors are those of AppendLog.
func (r *Ring) ReadLog(ctx context.Context, ref function.Ref, q function.LogQuery) ([]function.LogLine, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if err := r.usableLocked(ctx, "read"); err != nil {
		return nil, err
	}
	return r.selectLocked(ref, q), nil
}

// Forget drops the lines of a function.
func (r *Ring) Forget(ref function.Ref) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if e, ok := r.logs[ref]; ok {
		r.removeLocked(e)
	}
}

// ForgetNamespace drops the lines of all functions of a namespace.
func (r *Ring) ForgetNamespace(name string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	s, ok := r.owners[function.Owner(name, r.OwnerSeparator)]
	if !ok {
		return
	}
	for e := s.recent.Front(); e != nil; {
		next := e.Next()
		if e.Value.(*log).ref.Namespace == name {
			r.removeLocked(e)
		}
		e = next
	}
}

// Close forgets everything and ends every AwaitLog; later calls wrap function.ErrUnavailable.
func (r *Ring) Close() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.closed = true
	r.logs, r.owners, r.largest, r.size = nil, nil, nil, 0
	for ref := range r.waiting {
		r.wakeLocked(ref)
	}
}

func (r *Ring) usableLocked(ctx context.Context, operation string) error {
	if ctx.Err() != nil {
		return fmt.Errorf("log in memory: %s: %w", operation, context.Cause(ctx))
	}
	if r.closed {
		return fmt.Errorf("log in memory: %s: %w: closed", operation, function.ErrUnavailable)
	}
	return nil
}

// nextLocked returns a cursor after all earlier ones, those of an earlier server too unless the clock was set back.
func (r *Ring) nextLocked() function.LogCursor {
	if now := uint64(max(0, time.Now().UnixMilli())); now > r.last.Millis {
		r.last = function.LogCursor{Millis: now}
	} else {
		r.last = r.last.Next()
	}
	return r.last
}
