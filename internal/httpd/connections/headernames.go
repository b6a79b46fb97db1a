package connections

import (
	"bytes"
	"net/http"
)

// maxNames bounds the names of headers that are kept of one request, in bytes.
const maxNames = 16 << 10

// headerNames gathers the names of a request's headers as they come: net/http does not keep their order. It takes
// whatever comes for a request, so what it has is no more than an order: names that are not there may be in it.
type headerNames struct {
	text  []byte // the names, a newline behind each
	begun int    // where the name begins in text that is being read
	at    place
}

// place is what the next byte is of.
type place uint8

const (
	inRest  place = iota // the request line, or what follows a name
	inStart              // the first byte of a line
	inName
	inBody // and beyond
)

// reset begins another request.
func (h *headerNames) reset() { *h = headerNames{text: h.text[:0]} }

// read takes the bytes that come next.
func (h *headerNames) read(p []byte) {
	for len(p) > 0 && h.at != inBody {
		switch h.at {
		case inRest:
			end := bytes.IndexByte(p, '\n')
			if end < 0 {
				return
			}
			p = p[end+1:]
			h.at = inStart
		case inStart:
			h.start(p[0])
		case inName:
			p = h.name(p)
		}
	}
}

// start looks at the first byte of a line: an empty one ends the headers, a space goes on with the line before.
func (h *headerNames) start(first byte) {
	switch first {
	case '\r', '\n':
		h.at = inBody
	case ' ', '\t':
		h.at = inRest
	default:
		h.at, h.begun = inName, len(h.text)
	}
}

// name takes a name up to its colon, and returns what is behind it.
func (h *headerNames) name(p []byte) []byte {
	end := bytes.IndexAny(p, ":\n")
	if end < 0 {
		end = len(p)
	}
	if len(h.text)+end >= maxNames {
		h.text = h.text[:h.begun]
		h.at = inBody
		return nil
	}
	h.text = append(h.text, p[:end]...)
	switch {
	case end == len(p):
		return nil
	case p[end] == '\n': // no header
		h.text = h.text[:h.begun]
		h.at = inStart
	default:
		h.text = append(h.text, '\n')
		h.at = inRest
	}
	return p[end+1:]
}

// HeaderNames are the names of the headers of r as its caller sent them, in order and each with a newline behind it.
// Names may come more than once, or be none of its headers; when requests were sent without waiting for answers some
// may be missing. It may be called until r is answered.
func HeaderNames(r *http.Request) string {
	q := requestOf(r)
	if q == nil {
		return ""
	}
	return string(q.names.text)
}
