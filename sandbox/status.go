package sandbox

import "errors"

// Status is what was configured for a pool, what it obtained and what happens in it, for people to read. It marshals to JSON.
type Status struct {
	Report
	// Start says how workers start: forked, or directly and why.
	Start StartMethod `json:"start"`
	// Pool is its state at the moment.
	Pool PoolStats `json:"pool"`
	// Prewarmed is how many unbound workers are kept ready; MaxInvocations, the calls a worker serves, 0 for no limit.
	Prewarmed      int `json:"prewarmed"`
	MaxInvocations int `json:"maxInvocations"`
	// Problem is why calls get no worker, in a few words; empty when they do.
	Problem string `json:"problem,omitempty"`
}

// StartMethod is how the workers of a pool start.
type StartMethod struct {
	// Forked says that they are forked from a process that has everything loaded; else Node.js starts anew for each.
	Forked bool   `json:"forked"`
	Reason string `json:"reason,omitempty"`
}

// methodTeller is a starter that can tell how it starts workers.
type methodTeller interface{ method() StartMethod }

// Status tells of the pool as it is now.
func (p *Pool) Status() Status {
	s := Status{
		Report: p.Report(), Pool: p.Stats(), Prewarmed: p.cfg.Prewarmed, MaxInvocations: p.cfg.MaxInvocations,
	}
	if starter, ok := p.starter.(methodTeller); ok {
		s.Start = starter.method()
	}
	switch err := p.Ready(); {
	case errors.Is(err, ErrClosed):
		s.Problem = ErrClosed.Error()
	case err != nil && !errors.Is(err, ErrWarming): // the cause may hold paths of the host: it is in the log
		s.Problem = ErrFailing.Error()
	}
	return s
}

// Status tells of the pool of each runtime, by the runtime's name.
func (r *Runtimes) Status() map[string]Status {
	all := map[string]Status{}
	for name, pool := range r.pools {
		all[name] = pool.Status()
	}
	return all
}
