package invoke

import (
	"fmt"
	"net/http"
	"sync"
	"time"

	"github.com/backstage/functions/internal/function"
	"github.com/backstage/functions/internal/outcome"
)

// Concurrency limits how many calls may run or wait at the same time, on this server alone; 0 sets no limit. Settings of a function or of a
// namespace take precedence over it.
type Concurrency struct {
	// Function holds for each function, Namespace for all functions of each namespace together; where namespaces have owners, for all of each
	// owner, and settings of a namespace hold beside it.
	Function, Namespace int
}

// Scope is what a limit on concurrency holds for.
type Scope string

// The scopes of limits.
const (
	ScopeFunction  Scope = "function"
	ScopeNamespace Scope = "namespace"
)

// LimitError refuses a call because as many calls of its function or namespace run or wait as may. Nothing was run.
type LimitError struct {
	Scope Scope
	// Name is that of the function, as "namespace/id", of the namespace, or of its owner.
	Name string
	// Owner says that it holds for all namespaces of the owner.
	Owner bool
	Limit int
	// RetryAfter is about when one of these calls will have ended; 0 when nothing is known of them.
	RetryAfter time.Duration
}

func (e *LimitError) Error() string {
	calls := "calls"
	if e.Limit == 1 {
		calls = "call"
	}
	if e.Owner {
		return fmt.Sprintf("namespaces of %s have %d %s at a time, which is their limit", e.Name, e.Limit, calls)
	}
	return fmt.Sprintf("%s %s has %d %s at a time, which is its limit", e.Scope, e.Name, e.Limit, calls)
}

// Outcome says 429: the server has room, but not for this caller.
func (e *LimitError) Outcome() outcome.Outcome {
	return outcome.Outcome{
		Status: http.StatusTooManyRequests, Message: "The " + e.Error(), Reason: string(e.Scope) + "_limit",
		Fault: outcome.FaultCaller, Retry: true, RetryAfter: e.RetryAfter,
	}
}

// gate counts the calls of what has a limit. It is safe for concurrent use.
type gate struct {
	limits    Concurrency
	separator string // of owners; empty for none

	mu         sync.Mutex // guards the fields below
	functions  map[function.Ref]*crowd
	namespaces map[string]*crowd
	owners     map[string]*crowd
}

// crowd is the calls of one function or namespace that run or wait.
type crowd struct {
	calls int
	stay  time.Duration // of a call, smoothed
}

// pass lets one call in. It must be returned with leave.
type pass struct {
	ref       function.Ref
	function  *crowd // nil when it has no limit
	namespace *crowd
	owner     *crowd
	entered   time.Time
}

func newGate(limits Concurrency, separator string) *gate {
	return &gate{
		limits: limits, separator: separator,
		functions: map[function.Ref]*crowd{}, namespaces: map[string]*crowd{}, owners: map[string]*crowd{},
	}
}

// quota are the limits that hold for a call; 0 for none.
type quota struct{ function, namespace, owner int }

// enter lets a call of f in, or returns a *LimitError.
func (g *gate) enter(f *function.Function) (pass, error) {
	return g.enterWithin(f, g.limitsOf(f))
}

// enterTrial is enter for a trial run of f: it does not count for the function.
func (g *gate) enterTrial(f *function.Function) (pass, error) {
	q := g.limitsOf(f)
	q.function = 0
	return g.enterWithin(f, q)
}

func (g *gate) enterWithin(f *function.Function, q quota) (pass, error) {
	if q == (quota{}) {
		return pass{}, nil
	}
	owner := function.Owner(f.Namespace, g.separator)
	g.mu.Lock()
	defer g.mu.Unlock()
	if c := g.functions[f.Ref]; c.full(q.function) {
		return pass{}, c.refusal(LimitError{Scope: ScopeFunction, Name: f.String(), Limit: q.function})
	}
	if c := g.namespaces[f.Namespace]; c.full(q.namespace) {
		return pass{}, c.refusal(LimitError{Scope: ScopeNamespace, Name: f.Namespace, Limit: q.namespace})
	}
	if c := g.owners[owner]; c.full(q.owner) {
		return pass{}, c.refusal(LimitError{Scope: ScopeNamespace, Name: owner, Owner: true, Limit: q.owner})
	}
	p := pass{ref: f.Ref, entered: time.Now()}
	if q.function > 0 {
		p.function = join(g.functions, f.Ref)
	}
	if q.namespace > 0 {
		p.namespace = join(g.namespaces, f.Namespace)
	}
	if q.owner > 0 {
		p.owner = join(g.owners, owner)
	}
	return p, nil
}

// leave ends the stay of a call.
func (g *gate) leave(p pass) {
	if p.function == nil && p.namespace == nil && p.owner == nil {
		return
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	stay := time.Since(p.entered)
	quit(g.functions, p.ref, p.function, stay)
	quit(g.namespaces, p.ref.Namespace, p.namespace, stay)
	quit(g.owners, function.Owner(p.ref.Namespace, g.separator), p.owner, stay)
}

// limitsOf are the limits that hold for f, its namespace and its owner.
func (g *gate) limitsOf(f *function.Function) quota {
	q := quota{function: g.limits.Function, namespace: g.limits.Namespace}
	if g.separator != "" {
		q.namespace, q.owner = 0, g.limits.Namespace
	}
	if own := f.Options.MaxConcurrency; own != nil && *own > 0 {
		q.function = *own
	}
	if f.Settings != nil && f.Settings.MaxConcurrency != nil && *f.Settings.MaxConcurrency > 0 {
		q.namespace = *f.Settings.MaxConcurrency
	}
	return q
}

// full says whether as many calls as may be are there already; a limit of 0 is none.
func (c *crowd) full(limit int) bool { return c != nil && limit > 0 && c.calls >= limit }

func (c *crowd) refusal(e LimitError) error {
	e.RetryAfter = c.stay / time.Duration(c.calls)
	return &e
}

func join[K comparable](crowds map[K]*crowd, key K) *crowd {
	c, ok := crowds[key]
	if !ok {
		c = &crowd{}
		crowds[key] = c
	}
	c.calls++
	return c
}

func quit[K comparable](crowds map[K]*crowd, key K, c *crowd, stay time.Duration) {
	if c == nil {
		return
	}
	if c.stay == 0 {
		c.stay = stay
	}
	c.stay += (stay - c.stay) / 8
	if c.calls--; c.calls == 0 {
		delete(crowds, key)
	}
}
