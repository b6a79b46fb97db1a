package npm

import (
	"context"
	"errors"
	"net/http"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/backstage/functions/internal/build"
)

// fetchAll fetches all packages of lock, or none.
func (c *Client) fetchAll(caller context.Context, lock lockfile) (*Set, error) {
	token, err := c.token()
	if err != nil {
		return nil, err
	}
	set := &Set{cache: c.cache}
	f := fetch{Client: c, token: token, limit: c.options.LockSize, spent: map[*dependency]int64{}}
	group, ctx := errgroup.WithContext(caller)
	group.SetLimit(maxDownloadsOfLock)
	pinned := map[string]bool{}
	for i := range lock.packages {
		d := &lock.packages[i]
		set.Packages = append(set.Packages, build.Package{
			Path: d.path, Name: d.name, Version: d.version, Tarball: c.cache.path(d.sum), Integrity: d.integrity,
		})
		if pinned[d.sum] {
			continue
		}
		pinned[d.sum] = true
		c.cache.pin(d.sum)
		set.pinned = append(set.pinned, d.sum)
		group.Go(func() error { return f.one(ctx, d) })
	}
	if err := group.Wait(); err != nil {
		set.Close()
		if cause := context.Cause(caller); cause != nil && !errors.Is(cause, errTimeout) {
			return nil, cause
		}
		return nil, err
	}
	return set, nil
}

// fetch fetches the packages of one lock file.
type fetch struct {
	*Client
	token string
	limit int64 // of bytes

	mu    sync.Mutex
	total int64                 // bytes, of tarballs that were kept and of those that were downloaded
	spent map[*dependency]int64 // what each has of total
}

// one has the tarball of d in the cache.
func (f *fetch) one(ctx context.Context, d *dependency) error {
	release, err := f.fetching.Acquire(ctx, d.sum)
	if err != nil {
		return failed(d, err)
	}
	defer release()
	if size, found := f.cache.find(d.sum, f.limit); found {
		return f.spend(d, size)
	}
	select {
	case <-ctx.Done():
		return failed(d, context.Cause(ctx))
	case f.slots <- struct{}{}:
	}
	defer func() { <-f.slots }()
	return f.download(ctx, d)
}

// retryAfter is how long a registry that has failed is left alone before the second attempt.
const retryAfter = 250 * time.Millisecond

func (f *fetch) download(ctx context.Context, d *dependency) error {
	err := f.attempt(ctx, d)
	if err == nil || !mayPass(err) {
		return f.told(ctx, d, err)
	}
	select {
	case <-ctx.Done():
	case <-time.After(retryAfter):
		err = f.attempt(ctx, d)
	}
	return f.told(ctx, d, err)
}

func (f *fetch) attempt(ctx context.Context, d *dependency) error {
	body, err := f.registry.tarball(ctx, d, f.token)
	if err != nil {
		return err
	}
	defer body.Close()
	spent := int64(0)
	err = f.cache.put(ctx, d.sum, body, func(n int) error {
		spent += int64(n)
		return f.spend(d, int64(n))
	})
	if err != nil {
		f.giveBack(d, spent)
	}
	return err
}

// told is err as callers of Packages get it.
func (f *fetch) told(ctx context.Context, d *dependency, err error) error {
	if err == nil {
		return nil
	}
	if disk, ok := errors.AsType[*diskError](err); ok {
		return disk
	}
	if limit, ok := errors.AsType[*tooMuchError](err); ok {
		return limit
	}
	if cause := context.Cause(ctx); cause != nil && !errors.Is(err, cause) {
		err = errors.Join(err, cause)
	}
	return failed(d, err)
}

// mayPass says whether a second attempt could succeed.
func mayPass(err error) bool {
	for _, lasting := range []error{errMissing, errElsewhere, errSum, errTimeout, errIdle, errFull} {
		if errors.Is(err, lasting) {
			return false
		}
	}
	if _, ok := errors.AsType[*diskError](err); ok {
		return false
	}
	if _, ok := errors.AsType[*tooMuchError](err); ok {
		return false
	}
	status, isStatus := errors.AsType[statusError](err)
	return !isStatus || status >= http.StatusInternalServerError || status == http.StatusTooManyRequests
}

// spend counts bytes of d. An error names the largest package so far, which need not be the one that was too much.
func (f *fetch) spend(d *dependency, n int64) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.total += n
	f.spent[d] += n
	if f.total <= f.limit {
		return nil
	}
	for other, size := range f.spent {
		if size > f.spent[d] {
			d = other
		}
	}
	return &tooMuchError{d, f.limit}
}

// giveBack takes bytes of d back that were counted for an attempt that failed.
func (f *fetch) giveBack(d *dependency, n int64) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.total -= n
	f.spent[d] -= n
}
