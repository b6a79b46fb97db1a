package api

import (
	"context"
	"net"
	"net/http"
	"sync"

	"github.com/backstage/functions/internal/outcome"
)

// errOutnumbered ends a follower whose place goes to a client that has fewer.
var errOutnumbered = tooManyRequests("Too many requests follow the output of functions: this one made room for another")

// followers are the requests that follow output. Their number is bounded, and clients and owners of namespaces share
// the places fairly: one has all of them as long as no other asks. Then the one that has the most gives one up, unless
// the new one would have as many. It is safe for concurrent use.
type followers struct {
	most int

	mu  sync.Mutex // guards the field below
	all []*place   // the newest last
}

// place is that of one follower.
type place struct {
	owner, client string
	end           context.CancelCauseFunc
}

// tooManyRequests is the error of a request for output that is one more than the server serves.
func tooManyRequests(message string) error {
	return outcome.New(outcome.Outcome{Status: http.StatusServiceUnavailable, Message: message, Retry: true})
}

// join takes a place until leave is called, or returns errFollowers. The context ends with errOutnumbered when another
// follower gets the place.
func (f *followers) join(ctx context.Context, owner, client string) (_ context.Context, leave func(), err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if len(f.all) >= f.most {
		given := f.richestLocked(owner, client)
		if given == nil {
			return nil, nil, errFollowers
		}
		given.end(errOutnumbered)
		f.removeLocked(given)
	}
	ctx, end := context.WithCancelCause(ctx)
	p := &place{owner, client, end}
	f.all = append(f.all, p)
	return ctx, func() {
		end(nil)
		f.mu.Lock()
		defer f.mu.Unlock()
		f.removeLocked(p)
	}, nil
}

// richestLocked is the newest place of the client that holds the most, or else of the owner that does, if that is more
// than the new follower would have then; else nil.
func (f *followers) richestLocked(owner, client string) *place {
	byClient, byOwner := map[string]int{}, map[string]int{}
	for _, p := range f.all {
		byClient[p.client]++
		byOwner[p.owner]++
	}
	var byC, byO *place
	for _, p := range f.all {
		if n := byClient[p.client]; n > byClient[client]+1 && (byC == nil || n >= byClient[byC.client]) {
			byC = p
		}
		if n := byOwner[p.owner]; n > byOwner[owner]+1 && (byO == nil || n >= byOwner[byO.owner]) {
			byO = p
		}
	}
	if byC != nil {
		return byC
	}
	return byO
}

// removeLocked gives up a place, once.
func (f *followers) removeLocked(p *place) {
	for i, other := range f.all {
		if other == p {
			f.all = append(f.all[:i], f.all[i+1:]...)
			return
		}
	}
}

// clientOf is the address of the caller, without its port: that of a proxy for all who come through it.
func clientOf(r *http.Request) string {
	host, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil {
		return r.RemoteAddr
	}
	return host
}
