// Package keylock is a mutex for each of any number of keys, which a waiting caller can give up on.
package keylock

import (
	"context"
	"sync"
)

// Locks has one lock for each key. The zero value is ready. It is safe for concurrent use.
type Locks struct {
	mu    sync.Mutex // guards the fields below
	locks map[string]*lock
}

// lock exists while somebody holds it or waits for it.
type lock struct {
	token chan struct{} // full while nobody holds the lock
	users int           // who hold it or wait for it
}

// Acquire waits for the lock of key and holds it until release is called. When ctx ends first, the error is its cause.
func (l *Locks) Acquire(ctx context.Context, key string) (release func(), err error) {
	k := l.join(key)
	select {
	case <-ctx.Done():
		l.leave(key, k)
		return nil, context.Cause(ctx)
	case <-k.token:
	}
	return func() {
		k.token <- struct{}{}
		l.leave(key, k)
	}, nil
}

func (l *Locks) join(key string) *lock {
	l.mu.Lock()
	defer l.mu.Unlock()
	k, ok := l.locks[key]
	if !ok {
		k = &lock{token: make(chan struct{}, 1)}
		k.token <- struct{}{}
		if l.locks == nil {
			l.locks = map[string]*lock{}
		}
		l.locks[key] = k
	}
	k.users++
	return k
}

func (l *Locks) leave(key string, k *lock) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if k.users--; k.users == 0 {
		delete(l.locks, key)
	}
}

// Idle says that nobody holds a lock or waits for one.
func (l *Locks) Idle() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return len(l.locks) == 0
}
