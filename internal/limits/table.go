package limits

import (
	"slices"
	"sync"
	"sync/atomic"

	"github.com/backstage/functions/internal/function"
	"github.com/backstage/functions/internal/usage"
)

// Table has the limits of namespaces in memory. It is safe for concurrent use: Set replaces all of them at once. Use
// NewTable.
type Table struct {
	separator string // of owners; empty for none
	all       atomic.Pointer[map[string]usage.Namespace]

	mu      sync.Mutex // guards the field below
	watches map[*watch]string
}

// watch waits until a namespace is disabled.
type watch struct{ ended func() }

// NewTable returns a Table without limits. What is set for the owner of a namespace, whose name the separator ends,
// holds for the namespace too; an empty separator makes each namespace its own owner.
func NewTable(separator string) *Table {
	t := &Table{separator: separator, watches: map[*watch]string{}}
	t.all.Store(&map[string]usage.Namespace{})
	return t
}

// Set makes these all limits there are. It calls what watches namespaces that are disabled from then on.
func (t *Table) Set(all []usage.Namespace) {
	byName := make(map[string]usage.Namespace, len(all))
	for _, n := range all {
		byName[n.Name] = n
	}
	t.all.Store(&byName)
	for _, w := range t.takeDisabled() {
		w.ended()
	}
}

// takeDisabled removes and returns the watches of namespaces that are disabled.
func (t *Table) takeDisabled() []*watch {
	t.mu.Lock()
	defer t.mu.Unlock()
	var ended []*watch
	for w, namespace := range t.watches {
		if t.Check(namespace) != nil {
			ended = append(ended, w)
		}
	}
	for _, w := range ended {
		delete(t.watches, w)
	}
	return ended
}

// None says whether no namespace has limits.
func (t *Table) None() bool { return len(*t.all.Load()) == 0 }

// Of returns what is set for the namespace itself, or else for its owner, under whose name it is.
func (t *Table) Of(namespace string) usage.Namespace {
	all := *t.all.Load()
	if n, ok := all[namespace]; ok {
		return n
	}
	owner := t.ownerOf(namespace)
	n := all[owner]
	n.Name = owner
	return n
}

func (t *Table) ownerOf(namespace string) string { return function.Owner(namespace, t.separator) }

// Check returns a *DisabledError if the namespace or its owner is disabled. It takes the same time whatever there is
// in the namespace.
func (t *Table) Check(namespace string) error {
	all := *t.all.Load()
	if len(all) == 0 {
		return nil
	}
	if all[namespace].Disabled || all[t.ownerOf(namespace)].Disabled {
		return &DisabledError{namespace}
	}
	return nil
}

// Watch calls ended once, in a goroutine of its caller or of Set, when one of the namespaces is disabled, which it may
// be already. Stop ends that, and is called once it is not needed; ended may be called at the same time.
func (t *Table) Watch(namespaces []string, ended func()) (stop func()) {
	var once sync.Once
	w := &watch{func() { once.Do(ended) }}
	all := make([]*watch, len(namespaces))
	t.mu.Lock()
	for i, namespace := range namespaces {
		all[i] = &watch{w.ended}
		t.watches[all[i]] = namespace
	}
	t.mu.Unlock()
	if slices.ContainsFunc(namespaces, func(name string) bool { return t.Check(name) != nil }) {
		w.ended() // it was disabled before it was watched
	}
	return func() {
		t.mu.Lock()
		defer t.mu.Unlock()
		for _, w := range all {
			delete(t.watches, w)
		}
	}
}
