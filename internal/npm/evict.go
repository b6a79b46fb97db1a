package npm

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"slices"
	"time"
)

// kept is a file of the cache.
type kept struct {
	sum  string
	size int64
	used time.Time
}

// makeRoom counts size bytes that are about to be kept, and removes the files that were used longest ago as far as that
// is needed. It is errFull if what is in use leaves too little.
func (c *cache) makeRoom(ctx context.Context, size int64) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.used+size <= c.size && time.Since(c.counted) < recount {
		c.used += size
		return nil
	}
	files, total, err := c.list(ctx)
	if err != nil {
		return err
	}
	slices.SortFunc(files, func(a, b kept) int { return a.used.Compare(b.used) })
	for _, file := range files {
		if total+size <= c.size {
			break
		}
		if c.pins[file.sum] > 0 || time.Since(file.used) < recently {
			continue
		}
		if err := os.Remove(c.path(file.sum)); err == nil || errors.Is(err, fs.ErrNotExist) {
			total -= file.size
		}
	}
	c.used, c.counted = total, time.Now()
	if total+size > c.size {
		return errFull
	}
	c.used += size
	return nil
}

// list is what the directory holds.
func (c *cache) list(ctx context.Context) (files []kept, total int64, err error) {
	entries, err := os.ReadDir(c.dir)
	if err != nil {
		return nil, 0, &diskError{err}
	}
	for _, entry := range entries {
		if ctx.Err() != nil {
			return nil, 0, context.Cause(ctx)
		}
		sum := sumOf(entry.Name())
		info, err := entry.Info()
		if sum == "" || err != nil { // another server has removed it
			continue
		}
		files = append(files, kept{sum, info.Size(), info.ModTime()})
		total += info.Size()
	}
	return files, total, nil
}
