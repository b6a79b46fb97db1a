package api

import (
	"context"
	"net"
	"net/http"
	"sync"

	"github.com/backstage/functions/internal/outcome"
)

// errOutnumbered ends a follower whose place somebody gets who holds fewer.
var errOutnumbered = crowded("Too many requests follow the output of functions: this one made room for another")

// followers are the requests that follow output. There are most of them in all, and those who want one of these places share
// them fairly: a client, or the owner of namespaces, has all of them as long as nobody else comes. Then who holds the most gives one up,
// unless who comes would hold as many. It is safe for concurrent use.
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

// crowded is the error of a request for output for which there is no room beside the others.
func crowded(message string) error {
	return outcome.New(outcome.Outcome{Status: http.StatusServiceUnavailable, Message: message, Retry: true})
}

// join takes a place until leave is called, or returns errFollowers. The context ends with errOutnumbered when somebody else
// gets the place.
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
// than who comes would hold then; else nil.
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
