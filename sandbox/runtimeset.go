package sandbox

import (
	"maps"
	"slices"
)

// runtimeSet is the runtimes of a pool at one moment. It does not change: another takes its place.
type runtimeSet struct {
	runtimes []Runtime // the first one first
	parts    map[string]*runtimePool
}

// part is that of the runtime of that name, of the first one for an empty name.
func (s *runtimeSet) part(name string) (*runtimePool, error) {
	if name == "" && len(s.runtimes) > 0 {
		name = s.runtimes[0].Name
	}
	if part, ok := s.parts[name]; ok {
		return part, nil
	}
	return nil, &RuntimeError{Name: name, Known: s.names()}
}

func (s *runtimeSet) names() []string {
	names := make([]string, len(s.runtimes))
	for i, rt := range s.runtimes {
		names[i] = rt.Name
	}
	return names
}

// with is s with rt at its end, or in place of the one of the same name.
func (s *runtimeSet) with(rt Runtime, part *runtimePool) *runtimeSet {
	next := &runtimeSet{slices.Clone(s.runtimes), maps.Clone(s.parts)}
	if next.parts == nil {
		next.parts = map[string]*runtimePool{}
	}
	if i := slices.Index(s.names(), rt.Name); i >= 0 {
		next.runtimes[i] = rt
	} else {
		next.runtimes = append(next.runtimes, rt)
	}
	next.parts[rt.Name] = part
	return next
}

// without is s without the runtime of that name.
func (s *runtimeSet) without(name string) *runtimeSet {
	next := &runtimeSet{slices.Clone(s.runtimes), maps.Clone(s.parts)}
	next.runtimes = slices.DeleteFunc(next.runtimes, func(rt Runtime) bool { return rt.Name == name })
	delete(next.parts, name)
	return next
}
