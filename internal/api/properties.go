package api

import (
	"bytes"
	"cmp"
	"encoding/json"
	"slices"
	"strconv"
)

// propertySet holds the members of a JSON object as JavaScript sees them: of a name given twice the last value counts,
// at the first one's place, and array indices come before all other names.
type propertySet struct{ list []property }

type property struct {
	name  string
	value json.RawMessage
}

// properties reads the members of a JSON text; there are none when it is not an object.
func properties(text json.RawMessage) propertySet {
	if !isObject(text) {
		return propertySet{}
	}
	var list []property
	at := map[string]int{}
	dec := json.NewDecoder(bytes.NewReader(text))
	_, _ = dec.Token() // the opening brace; the text is valid JSON, so no call here fails
	for dec.More() {
		key, _ := dec.Token()
		name, _ := key.(string)
		var value json.RawMessage
		if dec.Decode(&value) != nil {
			return propertySet{}
		}
		if i, ok := at[name]; ok {
			list[i].value = value
			continue
		}
		at[name] = len(list)
		list = append(list, property{name, value})
	}
	slices.SortStableFunc(list, byKeyOrder)
	return propertySet{list}
}

func (s propertySet) get(name string) (json.RawMessage, bool) {
	i := slices.IndexFunc(s.list, func(p property) bool { return p.name == name })
	if i < 0 {
		return nil, false
	}
	return s.list[i].value, true
}

// byKeyOrder is JavaScript's order of keys (ECMA-262, OrdinaryOwnPropertyKeys) for a list that is in order of creation.
func byKeyOrder(a, b property) int { return cmp.Compare(keyRank(a.name), keyRank(b.name)) }

// keyRank is the value of an array index, and more than any of them for every other name.
func keyRank(name string) uint64 {
	const other = 1<<32 - 1
	n, err := strconv.ParseUint(name, 10, 32)
	if err != nil || strconv.FormatUint(n, 10) != name {
		return other
	}
	return n
}
