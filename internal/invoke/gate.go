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
	// Function holds for each function, Namespace for all functions of each namespace together.
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
	// Name is that of the function, as "namespace/id", or of the namespace.
	Name  string
	Limit int
	// RetryAfter is about when one of these calls will have ended; 0 when nothing is known of them.
	RetryAfter time.Duration
}

func (e *LimitError) Error() string {
	calls := "calls"
	if e.Limit == 1 {
		calls = "call"
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
	limits Concurrency

	mu         sync.Mutex // guards the fields below
	functions  map[function.Ref]*crowd
	namespaces map[string]*crowd
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
	entered   time.Time
}

func newGate(limits Concurrency) *gate {
	return &gate{limits: limits, functions: map[function.Ref]*crowd{}, namespaces: map[string]*crowd{}}
}

// enter lets a call of f in, or returns a *LimitError.
func (g *gate) enter(f *function.Function) (pass, error) {
	ofFunction, ofNamespace := g.limitsOf(f)
	return g.enterWithin(f, ofFunction, ofNamespace)
}

// enterTrial is enter for a trial run of f: it counts for the namespace alone.
func (g *gate) enterTrial(f *function.Function) (pass, error) {
	_, ofNamespace := g.limitsOf(f)
	return g.enterWithin(f, 0, ofNamespace)
}

func (g *gate) enterWithin(f *function.Function, ofFunction, ofNamespace int) (pass, error) {
	if ofFunction == 0 && ofNamespace == 0 {
		return pass{}, nil
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	if c := g.functions[f.Ref]; c.full(ofFunction) {
		return pass{}, c.refusal(ScopeFunction, f.String(), ofFunction)
	}
	if c := g.namespaces[f.Namespace]; c.full(ofNamespace) {
		return pass{}, c.refusal(ScopeNamespace, f.Namespace, ofNamespace)
	}
	p := pass{ref: f.Ref, entered: time.Now()}
	if ofFunction > 0 {
		p.function = join(g.functions, f.Ref)
	}
	if ofNamespace > 0 {
		p.namespace = join(g.namespaces, f.Namespace)
	}
	return p, nil
}

// leave ends the stay of a call.
func (g *gate) leave(p pass) {
	if p.function == nil && p.namespace == nil {
		return
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	stay := time.Since(p.entered)
	quit(g.functions, p.ref, p.function, stay)
	quit(g.namespaces, p.ref.Namespace, p.namespace, stay)
}

// limitsOf are the limits that hold for f and for its namespace.
func (g *gate) limitsOf(f *function.Function) (ofFunction, ofNamespace int) {
	ofFunction, ofNamespace = g.limits.Function, g.limits.Namespace
	if own := f.Options.MaxConcurrency; own != nil && *own > 0 {
		ofFunction = *own
	}
	if f.Settings != nil && f.Settings.MaxConcurrency != nil && *f.Settings.MaxConcurrency > 0 {
		ofNamespace = *f.Settings.MaxConcurrency
	}
	return ofFunction, ofNamespace
}

// full says whether as many calls as may be are there already; a limit of 0 is none.
func (c *crowd) full(limit int) bool { return c != nil && limit > 0 && c.calls >= limit }

func (c *crowd) refusal(scope Scope, name string, limit int) error {
	return &LimitError{Scope: scope, Name: name, Limit: limit, RetryAfter: c.stay / time.Duration(c.calls)}
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
