package routes

import (
	"net/url"
	"strings"
	"unicode/utf8"
)

// parts are the first segments of a path, as many as a route may have. They are decoded once, however many routes they
// are compared with.
type parts struct {
	path  string
	list  [maxSegments]segment
	count int
	more  bool // segments follow those of the list
}

type segment struct {
	text  string // decoded
	sound bool   // it is percent-encoded as it should be, and UTF-8
	at    int    // where the slash before it stands in the path
}

// split takes apart a path that begins with a slash.
func (p *parts) split(path string) {
	p.path = path
	for at := 0; at < len(path); p.count++ {
		if p.count == len(p.list) {
			p.more = true
			return
		}
		encoded, end := path[at+1:], len(path)
		if i := strings.IndexByte(encoded, '/'); i >= 0 {
			encoded, end = encoded[:i], at+1+i
		}
		text, err := url.PathUnescape(encoded)
		p.list[p.count] = segment{text, err == nil && utf8.ValidString(text), at}
		at = end
	}
}

// rest is the path from the segment at depth on, as it was sent; "/" when there is none.
func (p *parts) rest(depth int) string {
	switch {
	case depth < p.count:
		return p.path[p.list[depth].at:]
	case p.more: // the last segment of the list is a whole one
		last := p.path[p.list[depth-1].at+1:]
		return last[strings.IndexByte(last, '/'):]
	}
	return "/"
}
