package logs

import (
	"io"
	"net/http"
	"sync"
	"time"
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
	// Took is the time until the answer was written.
	Took time.Duration
}

// Access writes a line for each request. It is safe for concurrent use if its writer is.
type Access struct {
	out   io.Writer
	parts []part
	lines sync.Pool // of *[]byte
}

// NewAccess returns an access log in one of morgan's formats: tiny, short, common, combined, dev, default, or a text
// with tokens such as ":method :url :status". A token that is not known is an error. Out receives each line in one
// Write.
func NewAccess(out io.Writer, format string) (*Access, error) {
	parts, err := compile(format)
	if err != nil {
		return nil, err
	}
	return &Access{out: out, parts: parts, lines: sync.Pool{New: func() any { return new([]byte) }}}, nil
}

// Log writes the line of r. An error of the writer is not reported: there is nowhere to.
func (a *Access) Log(r *Request) {
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
