// Package migration tells what differs when functions of Backstage Functions are served by this server, or the other way around. It looks at
// what is stored and configured, and changes nothing.
package migration

import (
	"github.com/backstage/functions/internal/function"
)

// Kind is what a finding is about.
type Kind string

// The kinds, in the order of summaries.
const (
	// Names that meet, or that only one of the two sees.
	Names Kind = "names"
	// Env: variables that are lost, or no text.
	Env Kind = "env"
	// Code that does not compile here.
	Code Kind = "code"
	// Back: code that runs here, but not after a roll-back.
	Back Kind = "back"
	// Modules that are not to be had.
	Modules Kind = "modules"
	// Egress: hosts in code, in variables and of Sentry projects that functions may not reach.
	Egress Kind = "egress"
	// Answers that are other ones here.
	Answers Kind = "answers"
	// Variables of the environment without effect, or with another one.
	Variables Kind = "variables"
)

// Kinds are all of them.
func Kinds() []Kind { return []Kind{Names, Env, Code, Back, Modules, Egress, Answers, Variables} }

// Finding is one thing to look at.
type Finding struct {
	Kind Kind
	// Ref is the function; without an ID it is about the namespace, and zero where it is about the server.
	Ref function.Ref
	// Text is a sentence or two.
	Text string
	// Allow is what EGRESS_ALLOW would have to list; empty where that is not what helps.
	Allow string
}
