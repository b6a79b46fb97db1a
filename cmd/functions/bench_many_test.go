package main

import (
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"testing"

	goredis "github.com/redis/go-redis/v9"

	"github.com/backstage/functions/internal/function"
	"github.com/backstage/functions/internal/store/redis"
	"github.com/backstage/functions/internal/testenv"
)

// BenchmarkManyFunctions measures calls of a thousand functions in random order, each with a worker of its own, beside calls of one.
func BenchmarkManyFunctions(b *testing.B) {
	const n = 1000
	for b.Loop() {
		s := startBenched(b, "POOL_SIZE="+strconv.Itoa(n+20))
		s.hello(b, 16, "")
		const one, all = "one of 1,000 functions, c=16", "1,000 functions in random order, c=16"
		s.putMany(b, n)
		s.warmMany(b, n)
		benchmarks.add(b, one, s.loadHello(b, 16, loadTime), "")
		benchmarks.add(b, all, s.loadMany(b, n), one)
	}
}

// putMany stores n functions, warmMany calls each of them three times, and loadMany calls them in random order.
func (s *server) putMany(b *testing.B, n int) {
	b.Helper()
	for i := range n {
		put(b, s.url+manyPath(i), helloCode, "")
	}
}

func (s *server) warmMany(b *testing.B, n int) {
	b.Helper()
	for i := range n {
		for range 3 {
			s.run(b, http.DefaultClient, manyPath(i), helloBody, helloAnswer)
		}
	}
}

func (s *server) loadMany(b *testing.B, n int) measured {
	b.Helper()
	script := sendTo("/functions/bench/f%d/run", n, helloBody)
	wrk(b, s.url, 16, 5*loadTime, script, s.pid()) // until workers take no new memory into use
	return wrk(b, s.url, 16, loadTime, script, s.pid())
}

func manyPath(i int) string { return fmt.Sprintf("/functions/bench/f%d", i) }

// BenchmarkManyRelays measures calls of three hundred functions in random order beside a bare relay to as many bare Node.js processes, of which more
// need too much memory.
func BenchmarkManyRelays(b *testing.B) {
	const n = 300
	random := func(b *testing.B, s *server) measured {
		s.warmMany(b, n)
		return s.loadMany(b, n)
	}
	floor, name := fmt.Sprintf("bare relay to %d Node.js in random order, c=16", n), fmt.Sprintf("%d functions in random order, c=16", n)
	b.Run(floor, func(b *testing.B) {
		for b.Loop() {
			benchmarks.add(b, floor, random(b, startServing(b, "relay", "RELAYS=1")), "")
		}
	})
	b.Run(name, func(b *testing.B) {
		for b.Loop() {
			s := startBenched(b, "POOL_SIZE="+strconv.Itoa(n+20))
			s.putMany(b, n)
			benchmarks.add(b, name, random(b, s), floor)
		}
	})
}

// BenchmarkStored measures calls of one function while ever more others are stored in Redis, and what one of these takes there.
func BenchmarkStored(b *testing.B) {
	const most = 100_000
	for b.Loop() {
		server := testenv.Redis(b)
		store, err := redis.Open(b.Context(), redis.Options{Endpoint: "redis://" + server.Addr, KeyPrefix: "local"})
		if err != nil {
			b.Fatal(err)
		}
		s := startBenched(b, "REDIS_ENDPOINT=redis://"+server.Addr)
		s.hello(b, 16, "")
		load := func(name, of string) {
			benchmarks.add(b, name, s.loadHello(b, 16, loadTime), of)
		}
		const alone = "1 function stored, c=16"
		load(alone, "")
		before := redisMemory(b, server)
		for i := range most {
			ref := function.Ref{Namespace: fmt.Sprintf("n%d", i%100), ID: fmt.Sprintf("f%d", i)}
			if _, err := store.Put(b.Context(), &function.Function{Ref: ref, Code: helloCode}); err != nil {
				b.Fatal(err)
			}
		}
		load("100,000 functions stored, c=16", alone)
		benchmarks.note(b, "memory of a stored function in Redis", float64(redisMemory(b, server)-before)/most, "bytes")
		if err := store.Close(); err != nil {
			b.Error(err)
		}
	}
}

// redisMemory is what a Redis uses for all that it holds, in bytes.
func redisMemory(b *testing.B, server *testenv.RedisServer) int {
	b.Helper()
	client := goredis.NewClient(&goredis.Options{Addr: server.Addr})
	defer client.Close()
	info, err := client.Info(b.Context(), "memory").Result()
	_, after, _ := strings.Cut(info, "used_memory:")
	text, _, _ := strings.Cut(after, "\r\n")
	used, parseErr := strconv.Atoi(text)
	if err != nil || parseErr != nil {
		b.Fatalf("INFO memory: %v, %v, %s", err, parseErr, info)
	}
	return used
}
