package qs

import "strconv"

// merge adds source to target and returns the result, which may be target itself, changed. Nil and empty text add
// nothing. Neither argument may be used afterwards.
func merge(target, source *Value) *Value {
	switch {
	case source == nil || source.kind == Text && source.text == "":
		return target
	case source.kind == Text:
		return mergeText(target, source)
	case target.kind == Text || target.kind == True:
		return concat(target, source)
	case target.kind == List && source.kind == List:
		return mergeLists(target, source)
	case target.kind == List:
		target = objectOf(target)
	}
	for i, item := range source.items {
		if item != nil {
			target.mergeMember(strconv.Itoa(i), item)
		}
	}
	for _, m := range source.members {
		target.mergeMember(m.name, m.value)
	}
	return target
}

func mergeText(target, text *Value) *Value {
	if target.kind == Object {
		target.set(text.text, &Value{kind: True})
		return target
	}
	return appendItem(target, text)
}

// appendItem adds item to the end of target, which becomes a list if it is none.
func appendItem(target, item *Value) *Value {
	if target.kind == List {
		target.items = append(target.items, item)
		return target
	}
	return &Value{kind: List, items: []*Value{target, item}}
}

// concat is a list of first and then the items of rest, holes included, or rest itself when it is no list.
func concat(first, rest *Value) *Value {
	if rest.kind != List {
		return appendItem(first, rest)
	}
	return &Value{kind: List, items: append([]*Value{first}, rest.items...)}
}

// mergeLists merges the items of source into those at the same index of target.
func mergeLists(target, source *Value) *Value {
	for i, item := range source.items {
		switch {
		case item == nil:
		case i >= len(target.items):
			target.items = append(target.items, make([]*Value, i-len(target.items))...)
			target.items = append(target.items, item)
		case target.items[i] == nil:
			target.items[i] = item
		default:
			target.items[i] = merge(target.items[i], item)
		}
	}
	return target
}

// objectOf is list as an object whose names are the indices.
func objectOf(list *Value) *Value {
	object := &Value{kind: Object}
	for i, item := range list.items {
		if item != nil {
			object.set(strconv.Itoa(i), item)
		}
	}
	return object
}

func (v *Value) mergeMember(name string, value *Value) {
	if i := v.find(name); i >= 0 {
		v.members[i].value = merge(v.members[i].value, value)
		return
	}
	v.set(name, value)
}
