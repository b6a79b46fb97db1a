package oidc

import (
	"context"
	"log/slog"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"github.com/backstage/functions/internal/identity"
)

// issuer is one whose keys are fetched and kept. It is safe for concurrent use. Use newIssuer.
type issuer struct {
	identity.Issuer
	client  *http.Client
	log     *slog.Logger
	now     func() time.Time
	keys    atomic.Pointer[keyset]
	watches identity.Watches // of bearers, by the names of the keys that have signed their tokens
	wake    chan struct{}    // holds one token when a fetch is asked for
	stopped chan struct{}    // is closed when nothing is fetched any more

	counts                 [4]atomic.Uint64 // by the place of a Result in Results
	fetches, failedFetches atomic.Uint64

	mu      sync.Mutex    // guards the fields below
	done    chan struct{} // is closed after the next fetch
	asked   bool          // a fetch was asked for that is not over
	askedAt time.Time
	failure error // of the last fetch
	saidAt  time.Time
}

func newIssuer(described identity.Issuer, o *Options) *issuer {
	i := &issuer{
		Issuer: described, client: newClient(described.URL, o.Authorities[described.URL]), log: o.Logger, now: o.Now,
		wake: make(chan struct{}, 1), stopped: make(chan struct{}), done: make(chan struct{}),
		asked: true, // the first one
	}
	i.keys.Store(&keyset{})
	return i
}

// run fetches the keys now, every few minutes, after a failure sooner, and when it is asked to, until ctx ends.
func (i *issuer) run(ctx context.Context) {
	defer close(i.stopped)
	retry := retryFirst
	for {
		pause := refreshEvery
		if err := i.fetch(ctx); err != nil {
			pause = retry
			retry = min(2*retry, retryMost)
		} else {
			retry = retryFirst
		}
		timer := time.NewTimer(pause)
		select {
		case <-ctx.Done():
			timer.Stop()
			return
		case <-timer.C:
		case <-i.wake:
			timer.Stop()
		}
	}
}

// fetch fetches the keys once, and tells those who wait for that.
func (i *issuer) fetch(ctx context.Context) error {
	fetched, err := fetch(ctx, i.client, i.URL)
	if ctx.Err() != nil {
		return err
	}
	i.fetches.Add(1)
	if err == nil {
		next := i.keys.Load().with(fetched, i.now())
		i.keys.Store(next)
		i.watches.EndUnless(func(signer string) bool {
			_, ok := next.keys[signer]
			return ok
		})
	} else {
		i.failedFetches.Add(1)
	}
	i.mu.Lock()
	before := i.failure
	i.failure, i.asked = err, false
	close(i.done)
	i.done = make(chan struct{})
	i.mu.Unlock()
	switch {
	case err != nil && before == nil:
		i.log.Warn("The keys of an issuer cannot be fetched; it is tried again", "issuer", i.URL, "error", err)
	case err == nil && before != nil:
		i.log.Info("The keys of an issuer are fetched again", "issuer", i.URL)
	}
	return err
}

// await waits for the fetch that runs, if one was asked for. It returns at the end of ctx too.
func (i *issuer) await(ctx context.Context) {
	i.mu.Lock()
	asked, done := i.asked, i.done
	i.mu.Unlock()
	if !asked {
		return
	}
	select {
	case <-done:
	case <-i.stopped:
	case <-ctx.Done():
	}
}

// refetch has the keys fetched for a token whose key is not known, unless they were lately: who makes such tokens up is
// not to flood the issuer. It waits for that.
func (i *issuer) refetch(ctx context.Context) {
	i.mu.Lock()
	if now := i.now(); !i.asked && now.Sub(i.askedAt) >= unknownEvery {
		i.asked, i.askedAt = true, now
		select {
		case i.wake <- struct{}{}:
		default:
		}
	}
	i.mu.Unlock()
	i.await(ctx)
}

// refused counts a token and logs now and then why one is refused: callers are not told.
func (i *issuer) refused(reason error) {
	i.count(Refused)
	const every = 10 * time.Second
	i.mu.Lock()
	now := i.now()
	says := now.Sub(i.saidAt) >= every
	if says {
		i.saidAt = now
	}
	i.mu.Unlock()
	if says {
		const most = 300 // bytes: some of the text is the caller's
		text := reason.Error()
		i.log.Info("A token was refused", "issuer", i.URL, "reason", text[:min(len(text), most)])
	}
}

// state says what is wrong with the issuer; nil if nothing is.
func (i *issuer) state() error {
	i.mu.Lock()
	defer i.mu.Unlock()
	return i.failure
}
