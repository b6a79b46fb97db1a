package qs

import (
	"slices"

	"github.com/backstage/functions/sandbox/rawjson"
)

// fewMembers is how many members are searched one by one before an index is worth its memory.
const fewMembers = 8

// protoName is the one name that assigning to a JavaScript object does not create.
const protoName = "__proto__"

type member struct {
	name  string
	value *Value
}

// record is the own properties of a JavaScript object. The zero record is empty.
type record struct {
	members []member
	index   map[string]int // position in members; nil while they are few
}

func (r *record) find(name string) int {
	if r.index != nil {
		if i, ok := r.index[name]; ok {
			return i
		}
		return -1
	}
	return slices.IndexFunc(r.members, func(m member) bool { return m.name == name })
}

// set creates or replaces the member called name, which keeps its place.
func (r *record) set(name string, value *Value) {
	if name == protoName {
		return
	}
	if i := r.find(name); i >= 0 {
		r.members[i].value = value
		return
	}
	r.members = append(r.members, member{name, value})
	if r.index != nil {
		r.index[name] = len(r.members) - 1
	} else if len(r.members) > fewMembers {
		r.reindex()
	}
}

func (r *record) reindex() {
	r.index = make(map[string]int, len(r.members))
	for i, m := range r.members {
		r.index[m.name] = i
	}
}

// sort puts the members into the order in which JavaScript lists keys.
func (r *record) sort() {
	if !slices.ContainsFunc(r.members, func(m member) bool { return isIndex(m.name) }) {
		return
	}
	slices.SortStableFunc(r.members, func(a, b member) int { return rawjson.CompareKeys(a.name, b.name) })
	if r.index != nil {
		r.reindex()
	}
}

func isIndex(name string) bool {
	_, ok := rawjson.ArrayIndex(name)
	return ok
}
