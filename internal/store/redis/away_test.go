package redis

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/backstage/functions/internal/function"
	"github.com/backstage/functions/internal/store/storetest"
	"github.com/backstage/functions/internal/testenv"
)

func TestALostRedisIsUnavailableAndComesBack(t *testing.T) {
	server := testenv.Redis(t)
	s := open(t, "redis://"+server.Addr)
	changes, _ := storetest.Watching(t, s)
	for range 2 {
		put(t, s, ref, "1", nil)
		if got := storetest.Next(t, changes); got != (function.Change{Ref: ref}) {
			t.Errorf("a put was announced as %+v", got)
		}
		server.Stop()
		storetest.WantUnavailable(t, s)
		server.Start()
		if got := storetest.Next(t, changes); got != (function.Change{All: true}) {
			t.Errorf("the return of Redis was announced as %+v", got)
		}
		// After as many failures as it may have connections, the client tries to connect once a second.
		eventually(t, func() error {
			if _, err := s.Get(t.Context(), ref); !errors.Is(err, function.ErrNotFound) {
				return fmt.Errorf("get from the server that came back: %w", err)
			}
			return nil
		})
	}
}

func TestARedisThatIsAwayAtFirstIsUsedLater(t *testing.T) {
	server := testenv.Redis(t)
	server.Stop()
	for _, endpoint := range []string{"redis://" + server.Addr, "redis+cluster://" + server.Addr, "sentinel://:@" + server.Addr + "/service_name:main"} {
		storetest.WantUnavailable(t, open(t, endpoint))
	}
	s := open(t, "redis://"+server.Addr)
	server.Start()
	put(t, s, ref, "1", nil)
}

func TestASilentRedisIsUnavailable(t *testing.T) {
	server := testenv.Redis(t)
	s := open(t, "redis://"+server.Addr)
	s.heartbeat = 50 * time.Millisecond
	changes, stop := storetest.Watching(t, s)
	server.Pause()
	if err := s.Ping(t.Context()); !errors.Is(err, function.ErrUnavailable) {
		t.Errorf("ping: %v", err)
	}
	short, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if _, err := s.Get(short, ref); !errors.Is(err, function.ErrUnavailable) {
		t.Errorf("get with a deadline: %v", err)
	}
	server.Resume()
	if got := storetest.Next(t, changes); got != (function.Change{All: true}) {
		t.Errorf("the return of Redis was announced as %+v", got)
	}
	stop()
}

func TestAReplicaIsUnavailableForWrites(t *testing.T) {
	server := testenv.Redis(t)
	s := open(t, "redis://"+server.Addr)
	raw := redis.NewClient(&redis.Options{Addr: server.Addr})
	defer raw.Close()
	put(t, s, ref, "1", nil)
	check(t, raw.ConfigSet(t.Context(), "min-replicas-to-write", "1").Err())
	wantWritesUnavailable(t, s)
	check(t, raw.ConfigSet(t.Context(), "min-replicas-to-write", "0").Err())
	check(t, raw.ReplicaOf(t.Context(), "127.0.0.1", "1").Err())
	wantWritesUnavailable(t, s)
}

func wantWritesUnavailable(t *testing.T, s *Store) {
	t.Helper()
	_, err := s.Put(t.Context(), &function.Function{Ref: ref, Code: "2"})
	for _, err := range []error{err, s.SetEnv(t.Context(), ref, "A", "1"), s.Delete(t.Context(), ref), s.DeleteNamespace(t.Context(), "ns")} {
		if !errors.Is(err, function.ErrUnavailable) {
			t.Errorf("got error %v", err)
		}
	}
	if f, err := s.Get(t.Context(), ref); err != nil || f.Code != "1" {
		t.Errorf("reading gives %+v, %v", f, err)
	}
}

func TestAnswersThatMeanAway(t *testing.T) {
	for text, want := range map[string]bool{
		"LOADING Redis is loading the dataset in memory":                       true,
		"READONLY You can't write against a read only replica.":                true,
		"CLUSTERDOWN The cluster is down":                                      true,
		"MASTERDOWN Link with MASTER is down":                                  true,
		"TRYAGAIN Multiple keys request during rehashing of slot":              true,
		"NOREPLICAS Not enough good replicas to write.":                        true,
		"MISCONF Redis is configured to save RDB snapshots":                    true,
		"BUSY Redis is busy running a script.":                                 true,
		"OOM command not allowed when used memory > 'maxmemory'.":              true,
		"NOAUTH Authentication required.":                                      true,
		"WRONGPASS invalid username-password pair or user is disabled.":        true,
		"ERR max number of clients reached":                                    true,
		"WRONGTYPE Operation against a key holding the wrong kind of value":    false,
		"ERR unknown command":                                                  false,
		"CROSSSLOT Keys in request don't hash to the same slot":                false,
		"ERR user_script:1: Script attempted to access nonexistent global 'a'": false,
	} {
		if got := away(answer(text)); got != want {
			t.Errorf("%q: got %v", text, got)
		}
	}
	if !away(redis.ErrClosed) || !away(redis.ErrPoolTimeout) || !away(context.DeadlineExceeded) {
		t.Error("a closed pool, a full pool or a timeout does not count as away")
	}
}

// answer is an error that Redis answered.
type answer string

func (a answer) Error() string { return string(a) }
func (answer) RedisError()     {}

func TestWatchEndsWhenTheStoreIsClosed(t *testing.T) {
	s := open(t, "redis://"+testenv.Redis(t).Addr)
	done := make(chan struct{})
	go func() {
		defer close(done)
		s.Watch(context.Background(), func(function.Change) {})
	}()
	check(t, s.Close())
	<-done
}

// syncBuffer is a buffer for concurrent use.
type syncBuffer struct {
	mu     sync.Mutex
	buffer bytes.Buffer
}

func (b *syncBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buffer.Write(p)
}

func (b *syncBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buffer.String()
}

func TestLossAndReturnAreLoggedOnce(t *testing.T) {
	server := testenv.Redis(t)
	var log syncBuffer
	s, err := Open(
		t.Context(),
		Options{Endpoint: "redis://" + server.Addr, Logger: slog.New(slog.NewTextHandler(&log, nil))},
	)
	check(t, err)
	changes, stop := storetest.Watching(t, s)
	server.Stop()
	storetest.WantUnavailable(t, s)
	server.Start()
	storetest.Next(t, changes)
	stop()
	check(t, s.Close())
	for text, want := range map[string]int{"The connection with Redis has been lost.": 1, "Redis is ready to receive calls.": 2} {
		if got := strings.Count(log.String(), text); got != want {
			t.Errorf("%q was logged %d times, want %d:\n%s", text, got, want, log.String())
		}
	}
}

func TestNoticesThatAreNotUnderstoodMeanAnything(t *testing.T) {
	for _, text := range []string{"", "text", "function:nocolon", "function:a/b:c", "namespace:a/b", "schema:1"} {
		if got := parseNotice(text); got != (function.Change{All: true}) {
			t.Errorf("%q is read as %+v", text, got)
		}
	}
}
