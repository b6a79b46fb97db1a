package identity

import (
	"slices"
	"strings"
)

// Role is what a key may do in its namespaces. Each role may do what the ones before it may.
type Role string

// The roles.
const (
	Invoke Role = "invoke" // call functions
	Deploy Role = "deploy" // see and change functions, their variables and their output
	Admin  Role = "admin"  // see and change namespaces, routes and keys
)

// Roles are all of them, the one that may do least first.
var Roles = []Role{Invoke, Deploy, Admin}

// Valid says whether there is such a role.
func (r Role) Valid() bool { return slices.Contains(Roles, r) }

// Includes says whether who has r may do what other may.
func (r Role) Includes(other Role) bool {
	mine, its := slices.Index(Roles, r), slices.Index(Roles, other)
	return its >= 0 && mine >= its
}

// Everywhere is the pattern that matches all namespaces.
const Everywhere = "*"

// Pattern names one namespace, or with a last "*" all whose names begin with what is before it.
type Pattern string

// Matches says whether p stands for the namespace.
func (p Pattern) Matches(namespace string) bool {
	prefix, open := strings.CutSuffix(string(p), "*")
	return open && strings.HasPrefix(namespace, prefix) || namespace == string(p)
}

// Covers says whether p stands for every namespace that other stands for.
func (p Pattern) Covers(other Pattern) bool {
	prefix, open := strings.CutSuffix(string(p), "*")
	its, _ := strings.CutSuffix(string(other), "*")
	return p == other || open && strings.HasPrefix(its, prefix)
}
