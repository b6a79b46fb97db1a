package egress

import (
	"context"
	"io"
	"net"
	"net/url"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sync/semaphore"
)

// Sockets has WebSocket connections, to which functions send messages. It must be safe for concurrent use. The codes
// that its methods return are empty for success, else error codes for functions.
type Sockets interface {
	// Longest is the longest message, in bytes.
	Longest() int
	// Send sends data to the connection of a namespace with that ID, which is data of the function. Empty stands for all
	// connections of the function.
	Send(ctx context.Context, namespace, function, id string, binary bool, data []byte) (code string)
	// Hangup ends the connection of a namespace with that ID.
	Hangup(ctx context.Context, namespace, id string, status int, reason string) (code string)
}

// The error codes of messages.
const (
	codeTooLong = "EMSGSIZE"
	codeNoRoom  = "EAGAIN"
	codeOff     = "ENOTSUP"
)

// allOf stands for all connections of a function in the place of an ID.
const allOf = "*"

// messageMemory is how many bytes of messages may be on their way from workers at a time, apart from one of any length.
const messageMemory = 32 << 20

// messages bounds what is on its way from workers.
type messages struct {
	sockets Sockets // nil for none
	memory  *semaphore.Weighted
}

func newMessages(s Sockets) messages { return messages{s, semaphore.NewWeighted(messageMemory)} }

// send answers SEND: text/ID/LENGTH or bytes/ID/LENGTH, and so many bytes after the line.
func (p *Proxy) send(c *call, conn *net.UnixConn, argument string, early []byte) {
	kind, rest, _ := strings.Cut(argument, "/")
	id, length, _ := strings.Cut(rest, "/")
	size, err := strconv.Atoi(length)
	if err != nil || size < 0 || len(early) > size || kind != "text" && kind != "bytes" {
		refuse(conn, refusal{reason: ReasonProtocol})
		return
	}
	if failed := p.mayPass(c, size); failed != nil {
		p.drop(conn, size-len(early))
		refuse(conn, *failed)
		return
	}
	p.passOn(c, conn, size, func(ctx context.Context) string {
		data := make([]byte, size)
		if conn.SetReadDeadline(time.Now().Add(p.o.Limits.Connect)) != nil {
			return codeGivenUp
		}
		if _, err := io.ReadFull(conn, data[copy(data, early):]); err != nil {
			return codeGivenUp
		}
		if id == allOf {
			id = ""
		}
		return p.messages.sockets.Send(ctx, c.namespace, c.function, id, kind == "bytes", data)
	})
}

// hangup answers HANGUP: ID/STATUS/REASON, whose last part is percent-encoded.
func (p *Proxy) hangup(c *call, conn *net.UnixConn, argument string) {
	id, rest, _ := strings.Cut(argument, "/")
	code, encoded, _ := strings.Cut(rest, "/")
	status, err := strconv.Atoi(code)
	reason, bad := url.PathUnescape(encoded)
	if err != nil || bad != nil {
		refuse(conn, refusal{reason: ReasonProtocol})
		return
	}
	if failed := p.mayPass(c, 0); failed != nil {
		refuse(conn, *failed)
		return
	}
	p.passOn(c, conn, 0, func(ctx context.Context) string {
		return p.messages.sockets.Hangup(ctx, c.namespace, id, status, reason)
	})
}

// mayPass says why c may not send a message of that size; nil if it may.
func (p *Proxy) mayPass(c *call, size int) *refusal {
	switch {
	case p.messages.sockets == nil:
		return &refusal{code: codeOff}
	case size > p.messages.sockets.Longest():
		return &refusal{code: codeTooLong}
	}
	if _, ok, _ := c.attempt(1); !ok {
		return &refusal{reason: ReasonLimit}
	}
	return nil
}

// drop reads the rest of a message that is refused: a connection that is closed before is reset, and the worker does
// not see why.
func (p *Proxy) drop(conn *net.UnixConn, rest int) {
	if conn.SetReadDeadline(time.Now().Add(p.o.Limits.Connect)) == nil {
		_, _ = io.CopyN(io.Discard, conn, int64(rest)) // a worker that is gone needs no answer
	}
}

// passOn calls act with room for size bytes, and tells the worker the code that it returns.
func (p *Proxy) passOn(c *call, conn *net.UnixConn, size int, act func(context.Context) (code string)) {
	ctx, cancel := context.WithTimeout(c.context(), p.o.Limits.Connect)
	defer cancel()
	room := min(int64(size), messageMemory)
	if p.messages.memory.Acquire(ctx, room) != nil {
		p.drop(conn, size)
		refuse(conn, refusal{code: codeNoRoom})
		return
	}
	defer p.messages.memory.Release(room)
	if code := act(ctx); code != "" {
		refuse(conn, refusal{code: code})
		return
	}
	writeLine(conn, "200 -\n")
}
