package routes

import (
	"errors"
	"strings"
	"sync/atomic"

	"github.com/backstage/functions/internal/function"
)

// Match is the route of a request.
type Match struct {
	Ref function.Ref
	// Params has the decoded segments that stand for names of the route; nil when it has none.
	Params map[string]string
	// Path is the rest of the path that the "*" of the route stands for, as it was sent; it begins with a slash.
	Path string
	// NamesHost says that the route is for some hosts, not for any.
	NamesHost bool
}

// Table is an index of routes. Its zero value has none and is ready to use. It is safe for concurrent use: Set
// replaces the whole index at once.
type Table struct{ hosts atomic.Pointer[hosts] }

// hosts has the paths by the hosts that they belong to.
type hosts struct {
	// exact has whole names, below the names after "*.".
	exact, below map[string]*node
	any          *node // nil when there is none
}

// Set makes routes all there is. Routes that Check refuses are left out, as is the later one of two with the same
// pattern; the error names them.
func (t *Table) Set(routes []function.Route) error {
	h := &hosts{exact: map[string]*node{}, below: map[string]*node{}}
	var errs []error
	for _, r := range routes {
		err := Check(r.Host, r.Path)
		if err == nil {
			err = h.root(r.Host).add(r)
		}
		if err != nil {
			errs = append(errs, errors.New("route "+r.Name+": "+err.Error()))
		}
	}
	t.hosts.Store(h)
	return errors.Join(errs...)
}

// root is where the paths of host begin.
func (h *hosts) root(host string) *node {
	if host == "" {
		if h.any == nil {
			h.any = new(node)
		}
		return h.any
	}
	name, below := strings.CutPrefix(host, "*.")
	names := h.exact
	if below {
		names = h.below
	}
	if names[name] == nil {
		names[name] = new(node)
	}
	return names[name]
}

// Find returns the most specific route that matches. Of its host a whole name comes before "*.", of that the longest
// one first, and any host last. Of its path what is written out comes before a name, and that before "*", segment by
// segment from the left. Host is a Host header, path is percent-encoded as it was sent.
func (t *Table) Find(host, path string) (Match, bool) {
	h := t.hosts.Load()
	if h == nil || !strings.HasPrefix(path, "/") || h.any == nil && len(h.exact)+len(h.below) == 0 {
		return Match{}, false
	}
	var p parts
	p.split(path)
	var values [maxSegments]string
	if name := hostname(host); len(name) <= maxHost {
		if m, ok := h.exact[name].match(&p, 0, values[:0]); ok {
			return m, true
		}
		for len(h.below) > 0 {
			_, rest, more := strings.Cut(name, ".")
			if !more {
				break
			}
			if m, ok := h.below[rest].match(&p, 0, values[:0]); ok {
				return m, true
			}
			name = rest
		}
	}
	return h.any.match(&p, 0, values[:0])
}

// hostname is the name in a Host header, as routes have it.
func hostname(host string) string {
	if i := strings.LastIndexByte(host, ':'); i >= 0 && strings.IndexByte(host[i:], ']') < 0 {
		host = host[:i]
	}
	return strings.ToLower(strings.TrimSuffix(host, "."))
}
