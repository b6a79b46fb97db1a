package identity

import "slices"

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
