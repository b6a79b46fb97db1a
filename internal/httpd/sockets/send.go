package sockets

import (
	"context"
	"time"
	"unicode/utf8"

	"github.com/coder/websocket"
)

// Info is what is shown of a socket.
type Info struct {
	ID        string    `json:"id"`
	Namespace string    `json:"namespace"`
	Function  string    `json:"function"`
	Protocol  string    `json:"protocol,omitempty"`
	Address   string    `json:"address"`
	Opened    time.Time `json:"opened"`
}

// Send sends a message to the socket of a namespace with that ID, on whatever server it is. It returns when the message
// is in the socket's outbox, or one of the errors of this package.
func (h *Hub) Send(ctx context.Context, namespace, id string, m *Message) error {
	if s := h.find(namespace, id); s != nil {
		return s.send(m)
	}
	if err := h.enter(m); err != nil {
		return err
	}
	defer m.done()
	_, err := h.ask(ctx, envelope{Do: doSend, Namespace: namespace, ID: id, Binary: m.binary, Data: m.data})
	return err
}

// SendAll sends a message to all sockets of a function, on all servers: the one whose name to workers is filename, or
// all of the namespace if that is empty. Those that do not take their messages do not get it.
func (h *Hub) SendAll(ctx context.Context, namespace, filename string, m *Message) error {
	if err := h.enter(m); err != nil {
		return err
	}
	defer m.done()
	h.pushAll(namespace, filename, m)
	return h.tell(ctx, envelope{Do: doSend, Namespace: namespace, Filename: filename, Binary: m.binary, Data: m.data})
}

// pushAll sends m to the sockets on this server.
func (h *Hub) pushAll(namespace, filename string, m *Message) {
	for _, s := range h.list() {
		if s.ref.Namespace == namespace && (filename == "" || s.filename == filename) {
			_ = s.push(m) // counted
		}
	}
}

// Hangup ends the socket of a namespace with that ID, on whatever server it is, with that code and reason.
func (h *Hub) Hangup(ctx context.Context, namespace, id string, code int, reason string) error {
	if !isCode(code) || !isReason(reason) {
		return ErrCode
	}
	if s := h.find(namespace, id); s != nil {
		s.end(closing{websocket.StatusCode(code), reason})
		return nil
	}
	_, err := h.ask(ctx, envelope{Do: doHangup, Namespace: namespace, ID: id, Code: code, Reason: reason})
	return err
}

// isCode says whether a server may close a connection with that code.
func isCode(code int) bool {
	return code == 1000 || code == 1001 || code >= 1007 && code <= 1014 || code >= 3000 && code < 5000
}

// isReason says whether it fits into the frame that closes a connection (RFC 6455, section 5.5).
func isReason(text string) bool { return len(text) <= 123 && utf8.ValidString(text) }

// Info tells of the socket of a namespace with that ID, on whatever server it is.
func (h *Hub) Info(ctx context.Context, namespace, id string) (Info, error) {
	if s := h.find(namespace, id); s != nil {
		return s.info(), nil
	}
	answer, err := h.ask(ctx, envelope{Do: doInfo, Namespace: namespace, ID: id})
	if err != nil || answer.Info == nil {
		return Info{}, err
	}
	return *answer.Info, nil
}

func (s *Socket) info() Info {
	s.mu.Lock()
	defer s.mu.Unlock()
	protocol := ""
	if s.conn != nil {
		protocol = s.conn.Subprotocol()
	}
	return Info{
		ID: s.ID, Namespace: s.ref.Namespace, Function: s.ref.ID, Protocol: protocol,
		Address: s.opening.Address, Opened: s.since.UTC().Truncate(time.Millisecond),
	}
}
