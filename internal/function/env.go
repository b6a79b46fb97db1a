package function

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
)

// Var is one environment variable.
type Var struct{ Name, Value string }

// Env is a set of environment variables in the order in which JavaScript would list the keys of the same object:
// array indices ascending first, then the others as they were added. A nil *Env is an empty set that cannot be changed.
// An Env is not safe for concurrent changes.
type Env struct{ vars []Var }

// NewEnv returns an Env of vars; a later variable of the same name replaces the value of the earlier one.
func NewEnv(vars ...Var) *Env {
	at := make(map[string]int, len(vars))
	e := &Env{vars: make([]Var, 0, len(vars))}
	for _, v := range vars {
		if i, again := at[v.Name]; again {
			e.vars[i].Value = v.Value
			continue
		}
		at[v.Name] = len(e.vars)
		e.vars = append(e.vars, v)
	}
	slices.SortStableFunc(e.vars, compareVars)
	return e
}

// compareVars orders array indices by their number and before all other names, which it leaves where they are.
func compareVars(a, b Var) int {
	m, aIsIndex := arrayIndex(a.Name)
	n, bIsIndex := arrayIndex(b.Name)
	switch {
	case aIsIndex && bIsIndex:
		return cmp.Compare(m, n)
	case aIsIndex:
		return -1
	case bIsIndex:
		return 1
	}
	return 0
}

// Vars returns a copy of the variables, in order.
func (e *Env) Vars() []Var {
	if e == nil {
		return nil
	}
	return slices.Clone(e.vars)
}

// Len counts the variables.
func (e *Env) Len() int {
	if e == nil {
		return 0
	}
	return len(e.vars)
}

// Clone returns an independent copy; nil stays nil.
func (e *Env) Clone() *Env {
	if e == nil {
		return nil
	}
	return &Env{vars: slices.Clone(e.vars)}
}

// Get returns the value of name and whether it is set.
func (e *Env) Get(name string) (string, bool) {
	if i := e.index(name); i >= 0 {
		return e.vars[i].Value, true
	}
	return "", false
}

// Set adds name or replaces its value.
func (e *Env) Set(name, value string) {
	if i := e.index(name); i >= 0 {
		e.vars[i].Value = value
		return
	}
	at := len(e.vars)
	if n, ok := arrayIndex(name); ok {
		at = slices.IndexFunc(e.vars, func(v Var) bool {
			m, isIndex := arrayIndex(v.Name)
			return !isIndex || m > n
		})
		if at < 0 {
			at = len(e.vars)
		}
	}
	e.vars = slices.Insert(e.vars, at, Var{name, value})
}

// Unset removes name and says whether it was set.
func (e *Env) Unset(name string) bool {
	i := e.index(name)
	if i < 0 {
		return false
	}
	e.vars = slices.Delete(e.vars, i, i+1)
	return true
}

func (e *Env) index(name string) int {
	if e == nil {
		return -1
	}
	return slices.IndexFunc(e.vars, func(v Var) bool { return v.Name == name })
}

// arrayIndex says whether JavaScript orders the key name as an array index (ECMA-262, OrdinaryOwnPropertyKeys).
func arrayIndex(name string) (uint32, bool) {
	n, err := strconv.ParseUint(name, 10, 32)
	if err != nil || n == 1<<32-1 || strconv.FormatUint(n, 10) != name {
		return 0, false
	}
	return uint32(n), true
}

// MarshalJSON writes the variables as one object in order, without HTML escapes, as JSON.stringify does.
func (e *Env) MarshalJSON() ([]byte, error) {
	if e == nil {
		return []byte("null"), nil
	}
	out := []byte{'{'}
	for i, v := range e.vars {
		if i > 0 {
			out = append(out, ',')
		}
		out = AppendJSONString(out, v.Name)
		out = append(out, ':')
		out = AppendJSONString(out, v.Value)
	}
	return append(out, '}'), nil
}

// UnmarshalJSON reads an object whose values are all strings. Of a name given twice the last value counts.
func (e *Env) UnmarshalJSON(text []byte) error {
	dec := json.NewDecoder(bytes.NewReader(text))
	open, err := dec.Token()
	if err != nil {
		return fmt.Errorf("environment: %w", err)
	}
	if open != json.Delim('{') {
		return errors.New("environment: not an object")
	}
	var vars []Var
	for dec.More() {
		key, err := dec.Token()
		if err != nil {
			return fmt.Errorf("environment: %w", err)
		}
		value, err := dec.Token()
		if err != nil {
			return fmt.Errorf("environment: %w", err)
		}
		text, ok := value.(string)
		if !ok {
			return fmt.Errorf("environment: %q is not a string", key)
		}
		vars = append(vars, Var{key.(string), text})
	}
	*e = *NewEnv(vars...)
	return nil
}
