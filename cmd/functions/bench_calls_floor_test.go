package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	goredis "github.com/redis/go-redis/v9"
	"go.etcd.io/bbolt"

	"github.com/backstage/functions/internal/store/bolt"
	"github.com/backstage/functions/internal/store/redis"
	"github.com/backstage/functions/internal/testenv"
)

// benchRecord is as long as the record of a call.
var benchRecord = strings.Repeat("x", 300)

// redisQueue is beside the plain commands that a queue in Redis cannot do without, each with its own round trip.
func redisQueue(b *testing.B) queueBench {
	b.Helper()
	addr := testenv.Redis(b).Addr
	s, err := redis.Open(b.Context(), redis.Options{Endpoint: "redis://" + addr, KeyPrefix: "bench"})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = s.Close() })
	plain := goredis.NewClient(&goredis.Options{Addr: testenv.Redis(b).Addr, PoolSize: 64})
	b.Cleanup(func() { _ = plain.Close() })
	ctx := context.Background()
	do := func(commands ...[]any) (bool, error) {
		for _, c := range commands {
			if err := plain.Do(ctx, c...).Err(); err != nil && !errors.Is(err, goredis.Nil) {
				return false, err
			}
		}
		return true, nil
	}
	return queueBench{
		name: "Redis", calls: s, prefilled: 10_000,
		put: func(n int64, _ int) (bool, error) { // the record, and its places in the order of the queue and in the list
			id := fmt.Sprint("call:", n)
			return do([]any{"HSET", id, "spec", benchRecord, "payload", benchPayload, "status", "queued"},
				[]any{"ZADD", "due", n, id}, []any{"ZADD", "list", 0, id})
		},
		run: func(n int64, _ int) (bool, error) { // take the first, begin its lease; end it, with its result
			id := fmt.Sprint("call:", n)
			return do([]any{"ZPOPMIN", "due"}, []any{"HMGET", id, "spec", "payload"},
				[]any{"HSET", id, "status", "running", "takes", 1}, []any{"ZADD", "leases", n, id},
				[]any{"HSET", id, "status", "succeeded", "result", helloAnswer}, []any{"ZREM", "leases", id},
				[]any{"ZADD", "done", n, id})
		},
	}
}

// boltQueue is beside as many transactions of bbolt as the steps of a call are. Those of many callers are batched.
func boltQueue(b *testing.B) queueBench {
	b.Helper()
	s, err := bolt.Open(b.TempDir())
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = s.Close() })
	db, err := bbolt.Open(b.TempDir()+"/bare.db", 0o600, nil)
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = db.Close() })
	db.MaxBatchDelay = 0
	bucket := []byte("calls")
	if err := db.Update(func(tx *bbolt.Tx) error { _, err := tx.CreateBucket(bucket); return err }); err != nil {
		b.Fatal(err)
	}
	write := func(n int64, callers int) error {
		update := db.Update
		if callers > 1 {
			update = db.Batch
		}
		return update(func(tx *bbolt.Tx) error {
			return tx.Bucket(bucket).Put(fmt.Appendf(nil, "%019d", n), []byte(benchRecord))
		})
	}
	return queueBench{
		name: "bbolt", calls: s, prefilled: 2_000,
		put: func(n int64, callers int) (bool, error) { return true, write(n, callers) },
		run: func(n int64, callers int) (bool, error) {
			if err := write(n, callers); err != nil {
				return false, err
			}
			return true, write(n, callers)
		},
	}
}

// benchClient has one connection.
var benchClient = &http.Client{Transport: &http.Transport{MaxConnsPerHost: 1}}

func getText(b *testing.B, url string) string {
	b.Helper()
	r := send(http.DefaultClient, http.MethodGet, url, "")
	if r.err != nil || r.status != http.StatusOK {
		b.Fatalf("GET %s: %v", url, r)
	}
	return r.body
}

// fillQueue makes so many asynchronous calls of the function queued/f.
func (s *server) fillQueue(b *testing.B, calls int64) {
	b.Helper()
	var left atomic.Int64
	left.Store(calls)
	new(done).callersDo(b, 32, time.Minute, func() (bool, error) {
		if left.Add(-1) < 0 {
			return false, nil
		}
		if callAsync(s.url+"/functions/queued/f/run", "{}") == "" {
			return false, io.ErrUnexpectedEOF
		}
		return true, nil
	})
}
