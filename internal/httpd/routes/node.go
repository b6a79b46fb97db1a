package routes

import (
	"errors"
	"strings"

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
	ref       function.Ref
	names     []string // of its segments, from the left
	namesHost bool
}

// add puts r below n.
func (n *node) add(r function.Route) error {
	to := &leaf{ref: r.Function, namesHost: r.Host != ""}
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

// match matches what of a path is left after depth segments. Values are those of them that have names. Each node is
// visited once at most.
func (n *node) match(p *parts, depth int, values []string) (Match, bool) {
	if n == nil {
		return Match{}, false
	}
	if depth == p.count {
		if n.here != nil && !p.more {
			return n.here.found("/", values), true
		}
	} else if m, ok := n.step(p, depth, values); ok {
		return m, true
	}
	if n.rest == nil {
		return Match{}, false
	}
	return n.rest.found(p.rest(depth), values), true
}

// step matches the segment at depth, and all that follow it.
func (n *node) step(p *parts, depth int, values []string) (Match, bool) {
	segment := &p.list[depth]
	if !segment.sound {
		return Match{}, false
	}
	if m, ok := n.fixed[segment.text].match(p, depth+1, values); ok {
		return m, true
	}
	if segment.text == "" || n.named == nil {
		return Match{}, false
	}
	return n.named.match(p, depth+1, append(values, segment.text))
}

func (l *leaf) found(path string, values []string) Match {
	m := Match{Ref: l.ref, Path: path, NamesHost: l.namesHost}
	if len(l.names) > 0 {
		m.Params = make(map[string]string, len(l.names))
		for i, name := range l.names {
			m.Params[name] = values[i]
		}
	}
	return m
}
