package logs

import (
	"io"
	"net/http"
	"net/netip"
	"sync"
	"time"

	"github.com/backstage/functions/internal/httpd/forwarded"
)

// Request is what the access log tells of one request.
type Request struct {
	*http.Request
	// Status is that of the answer; 0 when there was none.
	Status int
	// Answer holds the answer's headers; it may be nil.
	Answer http.Header
	// Length is the answer's Content-Length; -1 when it had none.
	Length int64
	// Sent is how many bytes of a body were sent, and Aborted says that not all of it was.
	Sent    int64
	Aborted bool
	// Took is the time until the answer was written.
	Took time.Duration
	// ID, TraceID and KeyID, that of the key of the caller, are for lines in JSON; empty for none.
	ID, TraceID, KeyID string

	// Socket is set where the line is about the end of a WebSocket connection: the Method is WEBSOCKET then, the Status is
	// the code of the close, the Length are the bytes that were sent, and Took is for how long it was open.
	Socket *Socket

	trusted []netip.Prefix
}

// Socket is what a WebSocket connection has carried.
type Socket struct {
	// ID is that of the connection.
	ID string
	// Received and Sent are the messages of its caller and to it, with their bytes.
	Received, ReceivedBytes, Sent, SentBytes int64
}

// AccessOptions configure an access log.
type AccessOptions struct {
	// Out receives each line in one Write.
	Out io.Writer
	// Format is one of morgan's: tiny, short, common, combined, dev, default, or a text with tokens such as ":method
	// :url :status". A token that is not known is an error.
	Format string
	// JSON writes an object a line, whatever Format says: time, level, message (as tiny), and what is known of the
	// request.
	JSON bool
	// Trusted are the addresses of proxies whose X-Forwarded-For is believed. Nil believes nobody.
	Trusted []netip.Prefix
}

// Access writes a line for each request. It is safe for concurrent use if its writer is.
type Access struct {
	out     io.Writer
	parts   []part
	trusted []netip.Prefix
	lines   sync.Pool // of *[]byte
}

// NewAccess returns an access log.
func NewAccess(o AccessOptions) (*Access, error) {
	parts, err := compile(o.Format)
	if err != nil {
		return nil, err
	}
	if parts = append(parts, appendSocket); o.JSON {
		parts = []part{appendAccess}
	}
	return &Access{
		out:     o.Out,
		parts:   parts,
		trusted: o.Trusted,
		lines:   sync.Pool{New: func() any { return new([]byte) }},
	}, nil
}

// Log writes the line of r. An error of the writer is not reported: there is nowhere to.
func (a *Access) Log(r *Request) {
	r.trusted = a.trusted
	line := a.lines.Get().(*[]byte)
	text := (*line)[:0]
	for _, appendPart := range a.parts {
		text = appendPart(text, r)
	}
	text = append(text, '\n')
	_, _ = a.out.Write(text)
	*line = text
	a.lines.Put(line)
}

// remoteAddr is the address of the caller, for the trusted proxies of the log.
func remoteAddr(r *Request) string { return forwarded.Addr(r.Request, r.trusted) }
