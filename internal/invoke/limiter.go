package invoke

import (
	"fmt"
	"net/http"
	"sync"
	"time"

	"github.com/backstage/functions/internal/function"
	"github.com/backstage/functions/internal/outcome"
)

// Concurrency limits how many calls may run or wait at the same time, on this server alone; 0 sets no limit. Settings
// of a function or of a namespace take precedence over it.
type Concurrency struct {
	// Function holds for each function, Namespace for all functions of each namespace together; where namespaces have
	// owners, for all of each owner, and settings of a namespace hold as well.
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
	noun := "calls"
	if e.Limit == 1 {
		noun = "call"
	}
	if e.Owner {
		return fmt.Sprintf("namespaces of %s have %d %s at a time, which is their limit", e.Name, e.Limit, noun)
	}
	return fmt.Sprintf("%s %s has %d %s at a time, which is its limit", e.Scope, e.Name, e.Limit, noun)
}

// Outcome says 429: the server has room, but not for this caller.
func (e *LimitError) Outcome() outcome.Outcome {
	return outcome.Outcome{
		Status: http.StatusTooManyRequests, Message: "The " + e.Error(), Reason: string(e.Scope) + "_limit",
		Fault: outcome.FaultCaller, Retry: true, RetryAfter: e.RetryAfter,
	}
}

// limiter counts the calls in flight, those that run or wait, of what has a limit. It is safe for concurrent use.
type limiter struct {
	limits    Concurrency
	separator string // of owners; empty for none

	mu         sync.Mutex // guards the fields below
	functions  map[function.Ref]*calls
	namespaces map[string]*calls
	owners     map[string]*calls
}

// calls are those of one function, namespace or owner in flight.
type calls struct {
	count       int
	serviceTime time.Duration // of one call, a moving average
}

// token is the right of one call to run. It must be given back with release.
type token struct {
	ref       function.Ref
	function  *calls // nil when it has no limit
	namespace *calls
	owner     *calls
	acquired  time.Time
}

func newLimiter(limits Concurrency, separator string) *limiter {
	return &limiter{
		limits: limits, separator: separator,
		functions: map[function.Ref]*calls{}, namespaces: map[string]*calls{}, owners: map[string]*calls{},
	}
}

// quota are the limits that hold for a call; 0 for none.
type quota struct{ function, namespace, owner int }

// acquire returns a token for a call of f, or a *LimitError.
func (l *limiter) acquire(f *function.Function) (token, error) {
	return l.acquireWithin(f, l.limitsOf(f))
}

// acquireTrial is acquire for a trial run of f: it does not count for the function.
func (l *limiter) acquireTrial(f *function.Function) (token, error) {
	q := l.limitsOf(f)
	q.function = 0
	return l.acquireWithin(f, q)
}

func (l *limiter) acquireWithin(f *function.Function, q quota) (token, error) {
	if q == (quota{}) {
		return token{}, nil
	}
	owner := function.Owner(f.Namespace, l.separator)
	l.mu.Lock()
	defer l.mu.Unlock()
	if c := l.functions[f.Ref]; c.full(q.function) {
		return token{}, c.refusal(LimitError{Scope: ScopeFunction, Name: f.String(), Limit: q.function})
	}
	if c := l.namespaces[f.Namespace]; c.full(q.namespace) {
		return token{}, c.refusal(LimitError{Scope: ScopeNamespace, Name: f.Namespace, Limit: q.namespace})
	}
	if c := l.owners[owner]; c.full(q.owner) {
		return token{}, c.refusal(LimitError{Scope: ScopeNamespace, Name: owner, Owner: true, Limit: q.owner})
	}
	t := token{ref: f.Ref, acquired: time.Now()}
	if q.function > 0 {
		t.function = add(l.functions, f.Ref)
	}
	if q.namespace > 0 {
		t.namespace = add(l.namespaces, f.Namespace)
	}
	if q.owner > 0 {
		t.owner = add(l.owners, owner)
	}
	return t, nil
}

// release gives the token of a call back, once it has ended.
func (l *limiter) release(t token) {
	if t.function == nil && t.namespace == nil && t.owner == nil {
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	serviceTime := time.Since(t.acquired)
	remove(l.functions, t.ref, t.function, serviceTime)
	remove(l.namespaces, t.ref.Namespace, t.namespace, serviceTime)
	remove(l.owners, function.Owner(t.ref.Namespace, l.separator), t.owner, serviceTime)
}

// limitsOf are the limits that hold for f, its namespace and its owner.
func (l *limiter) limitsOf(f *function.Function) quota {
	q := quota{function: l.limits.Function, namespace: l.limits.Namespace}
	if l.separator != "" {
		q.namespace, q.owner = 0, l.limits.Namespace
	}
	if own := f.Options.MaxConcurrency; own != nil && *own > 0 {
		q.function = *own
	}
	if f.Settings != nil && f.Settings.MaxConcurrency != nil && *f.Settings.MaxConcurrency > 0 {
		q.namespace = *f.Settings.MaxConcurrency
	}
	return q
}

// full says whether as many calls are in flight as the limit allows; a limit of 0 is none.
func (c *calls) full(limit int) bool { return c != nil && limit > 0 && c.count >= limit }

func (c *calls) refusal(e LimitError) error {
	e.RetryAfter = c.serviceTime / time.Duration(c.count)
	return &e
}

func add[K comparable](inFlight map[K]*calls, key K) *calls {
	c, ok := inFlight[key]
	if !ok {
		c = &calls{}
		inFlight[key] = c
	}
	c.count++
	return c
}

func remove[K comparable](inFlight map[K]*calls, key K, c *calls, serviceTime time.Duration) {
	if c == nil {
		return
	}
	if c.serviceTime == 0 {
		c.serviceTime = serviceTime
	}
	c.serviceTime += (serviceTime - c.serviceTime) / 8
	if c.count--; c.count == 0 {
		delete(inFlight, key)
	}
}
