package function

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/backstage/functions/sandbox/rawjson"
)

// Var is one environment variable.
type Var struct{ Name, Value string }

// Env is a set of environment variables in the order in which JavaScript would list the keys of the same object: array
// indices ascending first, then the others as they were added. A nil *Env is an empty set that cannot be changed. An
// Env is not safe for concurrent changes. What another program stored may hold values that are no strings: of these the
// Value of a Var is their JSON.
type Env struct {
	vars []Var
	// literal names those whose Value is JSON; nil for none.
	literal map[string]bool
}

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

// compareVars orders variables as JavaScript does the keys of an object.
func compareVars(a, b Var) int { return rawjson.CompareKeys(a.Name, b.Name) }

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
	return &Env{vars: slices.Clone(e.vars), literal: maps.Clone(e.literal)}
}

// Get returns the value of name and whether it is set.
func (e *Env) Get(name string) (string, bool) {
	if i := e.index(name); i >= 0 {
		return e.vars[i].Value, true
	}
	return "", false
}

// IsString says whether name is not set, or a string.
func (e *Env) IsString(name string) bool { return e == nil || !e.literal[name] }

// Odd lists the variables that are neither strings nor numbers nor booleans, in order.
func (e *Env) Odd() (names []string) {
	return e.literals(func(value string) bool { return strings.ContainsAny(value[:1], "{[n") })
}

// Scalars lists the variables that are numbers or booleans, in order.
func (e *Env) Scalars() (names []string) {
	return e.literals(func(value string) bool { return !strings.ContainsAny(value[:1], "{[n") })
}

// literals lists the variables that are no strings and whose JSON is as asked for.
func (e *Env) literals(are func(value string) bool) (names []string) {
	if e == nil || len(e.literal) == 0 {
		return nil
	}
	for _, v := range e.vars {
		if !e.IsString(v.Name) && are(v.Value) {
			names = append(names, v.Name)
		}
	}
	return names
}

// Set adds name or replaces its value.
func (e *Env) Set(name, value string) {
	delete(e.literal, name)
	if i := e.index(name); i >= 0 {
		e.vars[i].Value = value
		return
	}
	at := len(e.vars)
	if n, ok := rawjson.ArrayIndex(name); ok {
		at = slices.IndexFunc(e.vars, func(v Var) bool {
			m, isIndex := rawjson.ArrayIndex(v.Name)
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
	delete(e.literal, name)
	return true
}

// Without returns the variables but those of names, which may be e itself; nil stays nil.
func (e *Env) Without(names []string) *Env {
	hidden := func(v Var) bool { return slices.Contains(names, v.Name) }
	if e == nil || !slices.ContainsFunc(e.vars, hidden) {
		return e
	}
	return &Env{vars: slices.DeleteFunc(slices.Clone(e.vars), hidden), literal: maps.Clone(e.literal)}
}

func (e *Env) index(name string) int {
	if e == nil {
		return -1
	}
	return slices.IndexFunc(e.vars, func(v Var) bool { return v.Name == name })
}

// MarshalJSON writes the variables as one object in order, without HTML escapes, as JSON.stringify does.
func (e *Env) MarshalJSON() ([]byte, error) {
	if e == nil {
		return []byte("null"), nil
	}
	o := rawjson.NewObject(nil)
	for _, v := range e.vars {
		if e.literal[v.Name] {
			o.Raw(v.Name, []byte(v.Value))
		} else {
			o.String(v.Name, v.Value)
		}
	}
	return o.End(), nil
}

// maxDepth is how deep values may nest: that of encoding/json.
const maxDepth = 10_000

// UnmarshalJSON reads an object. Of a name given twice the last value counts.
func (e *Env) UnmarshalJSON(text []byte) error {
	if !rawjson.IsObject(text) || !rawjson.Scan(text, maxDepth).OK {
		return errors.New("environment: not an object")
	}
	var vars []Var
	var literal map[string]bool
	for key, value := range rawjson.Members(text) {
		v := Var{Name: rawjson.Unquote(key)}
		if rawjson.IsString(value) {
			v.Value = rawjson.Unquote(value)
			delete(literal, v.Name)
		} else {
			var compact bytes.Buffer
			if err := json.Compact(&compact, value); err != nil {
				return fmt.Errorf("environment: %q: %w", v.Name, err)
			}
			v.Value = compact.String()
			if literal == nil {
				literal = map[string]bool{}
			}
			literal[v.Name] = true
		}
		vars = append(vars, v)
	}
	*e = *NewEnv(vars...)
	e.literal = literal
	return nil
}
