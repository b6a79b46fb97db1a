package feed

import (
	"context"
	"fmt"
	"slices"
	"sync"

	"github.com/backstage/functions/internal/function"
)

// maxMessages is how many messages may wait for one listener. More are dropped.
const maxMessages = 256

// Messages passes messages to those who listen to their names. The zero value is ready. It is safe for concurrent use.
type Messages struct {
	mu        sync.Mutex // guards the fields below
	closed    bool
	listeners map[*listener]struct{}
}

type listener struct {
	names   []string
	waiting chan []byte
}

// Publish passes message to all who listen to that name, and says whether anybody does. It does not wait for them.
func (m *Messages) Publish(ctx context.Context, to string, message []byte) (heard bool, err error) {
	if ctx.Err() != nil {
		return false, context.Cause(ctx)
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.closed {
		return false, fmt.Errorf("publish a message: %w: closed", function.ErrUnavailable)
	}
	for l := range m.listeners {
		if !slices.Contains(l.names, to) {
			continue
		}
		heard = true
		select {
		case l.waiting <- slices.Clone(message):
		default:
		}
	}
	return heard, nil
}

// Subscribe calls receive with each message to one of names, one at a time, until ctx ends.
func (m *Messages) Subscribe(ctx context.Context, names []string, receive func(message []byte)) {
	l := &listener{names: names, waiting: make(chan []byte, maxMessages)}
	m.mu.Lock()
	if m.listeners == nil {
		m.listeners = map[*listener]struct{}{}
	}
	m.listeners[l] = struct{}{}
	m.mu.Unlock()
	defer func() {
		m.mu.Lock()
		defer m.mu.Unlock()
		delete(m.listeners, l)
	}()
	for {
		select {
		case <-ctx.Done():
			return
		case message := <-l.waiting:
			receive(message)
		}
	}
}

// Close makes later calls of Publish wrap function.ErrUnavailable.
func (m *Messages) Close() {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.closed = true
}
