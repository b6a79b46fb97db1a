package routes

import (
	"errors"
	"net/url"
	"strings"
	"unicode/utf8"

	"github.com/backstage/functions/internal/function"
)

// node is one segment of paths. It does not change once its table is in use. A nil node matches nothing.
type node struct {
	fixed map[string]*node // by what is written out
	named *node            // for any other segment that is not empty
	here  *leaf            // the route that ends here
	rest  *leaf            // the route that ends here with "*"
}

// leaf is a route.
type leaf struct {
	ref   function.Ref
	names []string // of its segments, from the left
}

// add puts r below n.
func (n *node) add(r function.Route) error {
	to := &leaf{ref: r.Function}
	for segment := range strings.SplitSeq(r.Path[1:], "/") {
		if segment == "*" {
			return set(&n.rest, to)
		}
		if name, ok := strings.CutPrefix(segment, "{"); ok {
			to.names = append(to.names, strings.TrimSuffix(name, "}"))
			if n.named == nil {
				n.named = new(node)
			}
			n = n.named
			continue
		}
		if n.fixed == nil {
			n.fixed = map[string]*node{}
		}
		if n.fixed[segment] == nil {
			n.fixed[segment] = new(node)
		}
		n = n.fixed[segment]
	}
	return set(&n.here, to)
}

func set(at **leaf, to *leaf) error {
	if *at != nil {
		return errors.New("another route matches the same requests")
	}
	*at = to
	return nil
}

// find matches path, which begins with a slash, against the routes below n.
func (n *node) find(path string) (Match, bool) {
	var values [maxSegments]string
	return n.match(path, values[:0])
}

// match matches what is left of a path. Values are the segments so far that have names. Each node is visited once at
// most.
func (n *node) match(path string, values []string) (Match, bool) {
	switch {
	case n == nil:
		return Match{}, false
	case path == "": // all segments are matched
		if n.here != nil {
			return n.here.found("/", values), true
		}
	case n.fixed != nil || n.named != nil:
		if m, ok := n.step(path, values); ok {
			return m, true
		}
	}
	if n.rest == nil {
		return Match{}, false
	}
	if path == "" {
		path = "/"
	}
	return n.rest.found(path, values), true
}

// step matches the next segment of path, which is not empty, and all that follow it.
func (n *node) step(path string, values []string) (Match, bool) {
	segment, rest := path[1:], ""
	if i := strings.IndexByte(segment, '/'); i >= 0 {
		segment, rest = segment[:i], segment[i:]
	}
	text, err := url.PathUnescape(segment)
	if err != nil || !utf8.ValidString(text) {
		return Match{}, false
	}
	if m, ok := n.fixed[text].match(rest, values); ok {
		return m, true
	}
	if text == "" || n.named == nil {
		return Match{}, false
	}
	return n.named.match(rest, append(values, text))
}

func (l *leaf) found(path string, values []string) Match {
	m := Match{Ref: l.ref, Path: path}
	if len(l.names) > 0 {
		m.Params = make(map[string]string, len(l.names))
		for i, name := range l.names {
			m.Params[name] = values[i]
		}
	}
	return m
}
