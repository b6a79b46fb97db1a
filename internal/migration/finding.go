// Package migration lists what differs when this server serves functions of Backstage Functions, or the other way
// around. It reads what is stored and configured, and changes nothing.
package migration

import (
	"github.com/backstage/functions/internal/function"
)

// Kind is what a finding is about.
type Kind string

// The kinds, in the order of summaries.
const (
	// Names that collide, or that only one of the two servers sees.
	Names Kind = "names"
	// Env: variables that are lost, or are not text.
	Env Kind = "env"
	// Code that does not compile here.
	Code Kind = "code"
	// Back: code that runs here, but not after a return.
	Back Kind = "back"
	// Modules that are not available.
	Modules Kind = "modules"
	// Egress: hosts in code, in variables and of Sentry projects that functions may not reach.
	Egress Kind = "egress"
	// Answers that differ here.
	Answers Kind = "answers"
	// Variables of the environment without effect, or with a different one.
	Variables Kind = "variables"
)

// Kinds are all kinds.
func Kinds() []Kind { return []Kind{Names, Env, Code, Back, Modules, Egress, Answers, Variables} }

// Finding is one thing to look at.
type Finding struct {
	Kind Kind
	// Ref is the function; without an ID the finding is about the namespace, the zero value is about the server.
	Ref function.Ref
	// Text is one or two sentences.
	Text string
	// Allow is what EGRESS_ALLOW would have to list; empty if that would not help.
	Allow string
}
