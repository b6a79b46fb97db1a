package egress

import "sync/atomic"

// Policies are the policy of all functions and those of the namespaces that have one of their own. They are safe for
// concurrent use, and can be replaced at any time: a call keeps the policy that it began with, the next one has the
// new.
type Policies struct {
	current atomic.Pointer[policySet]
}

// policySet is not changed once it is in use.
type policySet struct {
	all        Policy
	namespaces map[string]Policy
}

// NewPolicies returns policies: all is for the functions of every namespace that is not in namespaces.
func NewPolicies(all Policy, namespaces map[string]Policy) *Policies {
	p := new(Policies)
	p.Replace(all, namespaces)
	return p
}

// Replace puts others in their place, all at once.
func (p *Policies) Replace(all Policy, namespaces map[string]Policy) {
	p.current.Store(&policySet{all, namespaces})
}

// of returns the policy of a namespace: its own, else that of its owner, else that of all.
func (p *Policies) of(namespace, owner string) *Policy {
	set := p.current.Load()
	for _, name := range [...]string{namespace, owner} {
		if _, ok := set.namespaces[name]; ok {
			policy := set.namespaces[name] // declared here, it is allocated only for namespaces that have one
			return &policy
		}
	}
	return &set.all
}
