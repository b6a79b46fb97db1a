package oidc

import "slices"

// count counts a token by what came of it.
func (i *issuer) count(r Result) { i.counts[slices.Index(Results, r)].Add(1) }

// Stats returns the state of each issuer.
func (v *Verifier) Stats() []Stats {
	all := make([]Stats, len(v.issuers))
	for n, i := range v.issuers {
		set := i.keys.Load()
		all[n] = Stats{
			Issuer: i.URL, Tokens: map[Result]uint64{}, Fetches: i.fetches.Load(), FailedFetches: i.failedFetches.Load(),
			Keys: len(set.keys),
		}
		if !set.fetched.IsZero() {
			all[n].Age = i.now().Sub(set.fetched)
		}
		for r, result := range Results {
			all[n].Tokens[result] = i.counts[r].Load()
		}
	}
	return all
}
