package secrets

import (
	"context"
	"os"
	"time"

	"github.com/backstage/functions/internal/function"
)

// fileState tells one text of a file from another.
type fileState struct {
	size  int64
	mtime time.Time
}

// load reads the file for the first time.
func (k *keys) load() error {
	if k.path == "" {
		return nil
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.readLocked()
}

func (k *keys) readLocked() error {
	k.looked = time.Now()
	info, err := os.Stat(k.path)
	if err != nil {
		return err
	}
	now := fileState{info.Size(), info.ModTime()}
	if now == k.read {
		return nil
	}
	keyset, err := ReadKeyset(k.path, k.log)
	if err != nil {
		return err
	}
	k.current.Store(keyset)
	k.read = now
	return nil
}

// again reads the file if it has changed. What cannot be read leaves all as it was.
func (k *keys) again(ctx context.Context) {
	if k.path == "" {
		return
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	before := k.current.Load()
	if err := k.readLocked(); err != nil {
		k.log.WarnContext(ctx, "The keys of secrets cannot be read again, those in memory go on", "error", err)
		return
	}
	now := k.current.Load()
	if now == before {
		return
	}
	k.log.InfoContext(ctx, "The keys of secrets were read again", "keys", len(now.IDs()), "primary", now.Primary())
	if before == nil || before.Primary() != now.Primary() {
		k.rotated.Store(true)
	}
}

// forKey is the keyset for a secret. It is read again before a key is taken for missing, once in a second.
func (k *keys) forKey(s *function.Secret) *Keyset {
	current := k.current.Load()
	id, ok := keyOf(s.Sealed)
	if current == nil || !ok || current.has(id) {
		return current
	}
	k.mu.Lock()
	recent := time.Since(k.looked) < again
	k.mu.Unlock()
	if !recent {
		k.again(context.Background())
	}
	return k.current.Load()
}
