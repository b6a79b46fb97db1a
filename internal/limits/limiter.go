package limits

import (
	"context"
	"crypto/rand"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/backstage/functions/internal/function"
	"github.com/backstage/functions/internal/usage"
)

// Store is what servers share. Its methods are those of store.Metering.
type Store interface {
	AddUsage(ctx context.Context, b usage.Batch) (usage.Totals, error)
	TakeTokens(ctx context.Context, takes []usage.Take) ([]usage.Grant, error)
}

// Options configure a Limiter. Store and Table are required.
type Options struct {
	Store Store
	// Table has the limits of namespaces.
	Table *Table
	// Function, Namespace and Key are the limits of functions, namespaces and keys that have none of their own.
	Function, Namespace, Key usage.Limits
	// Memory is that of a worker, in bytes, whose function asks for none.
	Memory int64
	// Keep is how long usage is kept; 0 stands for DefaultKeep.
	Keep   time.Duration
	Logger *slog.Logger
}

// DefaultKeep is how long usage is kept.
const DefaultKeep = 400 * 24 * time.Hour

// Limiter counts what calls use, and refuses those that are beyond a rate or a quota. It is safe for concurrent use.
// Use New, and Run it.
type Limiter struct {
	Options
	server   string       // in batches
	servers  atomic.Int64 // that there are
	away     atomic.Bool  // the store did not take the last batch
	failures atomic.Uint64
	unsent   atomic.Int64 // batches

	mu      sync.RWMutex // guards the field below
	entries map[usage.Subject]*entry

	askMu  sync.Mutex // guards the fields below
	asking []*entry   // for tokens
	early  map[*entry]struct{}
	ask    chan struct{} // has one token while somebody asks
	sync   chan struct{} // has one token while an entry is to be sent early

	calls callKeys
	// the fields below are of the goroutine that sends
	number  uint64
	pending []sending
}

// New returns a Limiter that has counted nothing.
func New(o Options) *Limiter {
	if o.Keep == 0 {
		o.Keep = DefaultKeep
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	l := &Limiter{
		Options: o, server: rand.Text()[:12], entries: map[usage.Subject]*entry{}, early: map[*entry]struct{}{},
		ask: make(chan struct{}, 1), sync: make(chan struct{}, 1),
	}
	l.servers.Store(1)
	return l
}

// Key is the key of a caller; the zero value is none.
type Key struct {
	ID string
	usage.Limits
}

// Call is a call that is to begin.
type Call struct {
	// ID is that of the Invocation.
	ID       string
	Key      Key
	Function *function.Function
	// Standing is told how the limits of the call stand, before it begins or is refused, if there are any. Nil is not.
	Standing func([]Standing)
}

// limited is a subject with limits.
type limited struct {
	*entry
	usage.Limits
}

// Running is a call that was let begin. The zero value counts nothing.
type Running struct {
	limiter *Limiter
	of      *entry // its namespace
	limited [3]*entry
	count   int
}

// Allowed returns why nothing of a namespace may run; nil if it may.
func (l *Limiter) Allowed(namespace string) error { return l.Table.Check(namespace) }

// Begin lets a call begin, or returns a *DisabledError, a *RateError or a *QuotaError. It waits for the store only when
// it does not know whether the call may, and not for long. Running must be told the end of the call.
func (l *Limiter) Begin(ctx context.Context, c Call) (Running, error) {
	namespace := c.Function.Namespace
	if err := l.Table.Check(namespace); err != nil {
		return Running{}, err
	}
	var all [3]limited
	running := Running{limiter: l}
	subjects := l.limitsOf(&c, &all)
	if err := l.checkAll(ctx, &c, all[:subjects]); err != nil {
		return Running{}, err
	}
	running.of = l.start(usage.Subject{Kind: usage.OfNamespace, Name: namespace})
	running.of.used.calls.Add(1)
	for _, s := range all[:subjects] {
		if s.entry != running.of {
			s.inFlight.Add(1)
			s.used.calls.Add(1)
			running.limited[running.count] = s.entry
			running.count++
		}
	}
	if subjects > 0 && c.Key.Quotas.Egress > 0 {
		l.calls.put(c.ID, c.Key.ID)
	}
	return running, nil
}

// limitsOf has the subjects of a call that have limits.
func (l *Limiter) limitsOf(c *Call, all *[3]limited) (count int) {
	add := func(subject usage.Subject, limits usage.Limits) {
		if limits.IsSet() {
			all[count] = limited{l.entry(subject), limits}
			count++
		}
	}
	if c.Key.ID != "" {
		c.Key.Limits = c.Key.Limits.Over(l.Key)
		add(usage.Subject{Kind: usage.OfKey, Name: c.Key.ID}, c.Key.Limits)
	}
	own := usage.Limits{}
	if rate := c.Function.Options.Rate; rate != nil {
		own.Rate = *rate
	}
	if quotas := c.Function.Options.Quotas; quotas != nil {
		own.Quotas = *quotas
	}
	if own = own.Over(l.Function); own.IsSet() {
		add(usage.Subject{Kind: usage.OfFunction, Name: c.Function.String()}, own)
	}
	if ofNamespace := l.limitsOfNamespace(c.Function.Namespace); ofNamespace.IsSet() {
		add(l.Table.subjectOf(c.Function.Namespace), ofNamespace)
	}
	return count
}

func (l *Limiter) limitsOfNamespace(namespace string) usage.Limits {
	if l.Table.None() {
		return l.Namespace
	}
	return l.Table.Of(namespace).Limits.Over(l.Namespace)
}

// checkAll returns why a call is refused. A token that was taken for it is given back then.
func (l *Limiter) checkAll(ctx context.Context, c *Call, all []limited) (err error) {
	if len(all) == 0 {
		return nil
	}
	if c.Standing != nil {
		defer func() { c.Standing(l.standings(all)) }()
	}
	for _, s := range all {
		if err := l.checkQuotas(ctx, s); err != nil {
			return err
		}
	}
	for i, s := range all {
		if !s.Rate.IsSet() {
			continue
		}
		if err = l.takeToken(ctx, s); err == nil {
			continue
		}
		for _, taken := range all[:i] {
			taken.giveBack()
		}
		return err
	}
	return nil
}

// giveBack gives a token back.
func (s limited) giveBack() {
	if s.Rate.IsSet() {
		s.mu.Lock()
		s.bucket.tokens++
		s.mu.Unlock()
	}
}

// Refused takes back that the call has begun: no worker has taken it.
func (r *Running) Refused() { r.end(usage.Amount{Calls: -1}) }

// Done adds what the call used: the time of processors, and its memory, 0 for that of any worker, for that time.
func (r *Running) Done(cpu time.Duration, memory int64, took time.Duration) {
	if r.of == nil {
		return
	}
	if memory == 0 {
		memory = r.limiter.Memory
	}
	r.end(usage.Amount{CPU: cpu, Memory: usage.MemoryOf(memory, took)})
}

func (r *Running) end(a usage.Amount) {
	if r.of == nil {
		return
	}
	for _, e := range r.limited[:r.count] {
		e.used.add(a)
		e.inFlight.Add(-1)
	}
	r.of.used.add(a)
	r.of.inFlight.Add(-1)
}

// Sent adds bytes that a function has sent to the outside in the call of that ID.
func (l *Limiter) Sent(ref function.Ref, call string, bytes int64) {
	if bytes == 0 {
		return
	}
	a := usage.Amount{Egress: bytes}
	add := func(s usage.Subject) {
		e := l.start(s)
		e.used.add(a)
		e.inFlight.Add(-1)
	}
	add(usage.Subject{Kind: usage.OfNamespace, Name: ref.Namespace})
	if s := l.Table.subjectOf(ref.Namespace); s.Kind != usage.OfNamespace && l.known(s) {
		add(s)
	}
	if s := (usage.Subject{Kind: usage.OfFunction, Name: ref.String()}); l.known(s) {
		add(s)
	}
	if key := l.calls.get(call); key != "" {
		add(usage.Subject{Kind: usage.OfKey, Name: key})
	}
}

func (l *Limiter) known(s usage.Subject) bool {
	l.mu.RLock()
	defer l.mu.RUnlock()
	return l.entries[s] != nil
}

// start is entry for a call that will add to it.
func (l *Limiter) start(s usage.Subject) *entry {
	l.mu.RLock()
	e := l.entries[s]
	if e != nil {
		e.inFlight.Add(1)
	}
	l.mu.RUnlock()
	if e == nil {
		e = l.add(s, 1)
	}
	return e
}

// entry is that of a subject whose limits are looked at. It is kept for a while.
func (l *Limiter) entry(s usage.Subject) *entry {
	l.mu.RLock()
	e := l.entries[s]
	if e != nil {
		e.touch()
	}
	l.mu.RUnlock()
	if e == nil {
		e = l.add(s, 0)
	}
	return e
}

func (e *entry) touch() {
	e.mu.Lock()
	e.touched = time.Now()
	e.mu.Unlock()
}

func (l *Limiter) add(s usage.Subject, inFlight int64) *entry {
	l.mu.Lock()
	defer l.mu.Unlock()
	e := l.entries[s]
	if e == nil {
		e = &entry{subject: s, told: make(chan struct{}), touched: time.Now()}
		l.entries[s] = e
	}
	e.inFlight.Add(inFlight)
	return e
}
