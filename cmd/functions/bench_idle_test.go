package main

import (
	"fmt"
	"net"
	"net/http"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"
)

// BenchmarkIdle measures the memory of workers that have served one call, each of a function of its own.
func BenchmarkIdle(b *testing.B) {
	for _, row := range []struct {
		name    string
		workers int
		vars    []string
	}{
		{"forked", 1000, nil},
		{"put back", 1000, []string{"REUSE=rollback"}},
		{"started directly", 50, []string{"RUNNER_DIR=" + runnerWithoutAddon(b)}},
	} {
		b.Run(row.name, func(b *testing.B) {
			for b.Loop() {
				size := strconv.Itoa(row.workers)
				s := startBenched(b, append(row.vars, "POOL_SIZE="+size, "POOL_PREWARMED=1", "WORKER_IDLE_TIMEOUT=1h")...)
				path := func(i int) string { return fmt.Sprintf("/functions/bench/f%d", i) }
				// Before the first call: each is checked in a worker, which those of calls replace.
				for i := range row.workers {
					put(b, s.url+path(i), helloCode, "")
				}
				if row.name == "put back" {
					s.untilPutBack(b, path(0), helloBody)
				}
				for i := range row.workers {
					s.run(b, http.DefaultClient, path(i), helloBody, helloAnswer)
				}
				workers := s.workers()
				if len(workers) == 0 { // started directly, they are the server's own children
					workers = s.zygotes()
				}
				var private, proportional, tables int
				for _, worker := range workers {
					own, part := memoryOf(b, worker.pid)
					private += own
					proportional += part
					tables += pageTablesOf(b, worker.pid)
				}
				rest := []int{s.pid()}
				if len(s.workers()) > 0 {
					for _, zygote := range s.zygotes() {
						rest = append(rest, zygote.pid)
					}
				}
				server, _ := memoryOf(b, s.pid())
				for _, pid := range rest {
					_, part := memoryOf(b, pid)
					proportional += part
					tables += pageTablesOf(b, pid)
				}
				count := fmt.Sprintf("%d idle workers, %s", len(workers), row.name)
				benchmarks.note(b, "private memory of one of "+count, mega(private)/float64(len(workers)), "MB")
				benchmarks.note(b, "private memory of the server itself with "+count, mega(server), "MB of its own")
				benchmarks.note(b, "page tables of the server with "+count, mega(tables), "MB of page tables")
				benchmarks.note(b, "all of the server with "+count, mega(proportional), "MB in all")
			}
		})
	}
}

func mega(kilobytes int) float64 { return float64(kilobytes) / 1024 }

// memoryOf is the memory of a process that no other has, and that with its part of what several share, in KiB:
// proc_pid_smaps_rollup(5).
func memoryOf(b *testing.B, pid int) (private, proportional int) {
	b.Helper()
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/smaps_rollup", pid))
	if err != nil {
		b.Fatal(err)
	}
	for line := range strings.Lines(string(text)) {
		name, value, _ := strings.Cut(line, ":")
		n, _ := strconv.Atoi(strings.TrimSpace(strings.TrimSuffix(strings.TrimSpace(value), "kB")))
		switch name {
		case "Private_Clean", "Private_Dirty":
			private += n
		case "Pss":
			proportional += n
		}
	}
	return private, proportional
}

// pageTablesOf is what the page tables of a process take, in KiB: VmPTE of proc_pid_status(5).
func pageTablesOf(b *testing.B, pid int) int {
	b.Helper()
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		b.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(text), "VmPTE:")
	n, err := strconv.Atoi(strings.Fields(rest)[0])
	if err != nil {
		b.Fatal(err)
	}
	return n
}

// BenchmarkStart measures how long a server with the embedded store and one function takes from its start to the first
// answer of that function.
func BenchmarkStart(b *testing.B) {
	dir := b.TempDir()
	s := startBenched(b, "DATA_DIR="+dir)
	put(b, s.url+helloPath, helloCode, "")
	s.end(b)
	url, addr := s.url, strings.TrimPrefix(s.url, "http://")
	_, port, err := net.SplitHostPort(addr)
	if err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		var took []time.Duration
		for range 20 {
			began := time.Now()
			s, _ := launchBenched(b, "DATA_DIR="+dir, "PORT="+port)
			awaitListener(b, addr)
			s.url = url
			s.run(b, http.DefaultClient, helloPath, helloBody, helloAnswer)
			took = append(took, time.Since(began))
			s.end(b)
		}
		q := quantiles(took)
		benchmarks.note(b, "from the start of the server to its first answer, p50", micros(q.p50)/1e3, "ms")
	}
}

// awaitListener returns when something listens at addr.
func awaitListener(b *testing.B, addr string) {
	b.Helper()
	for range 20_000 {
		conn, err := net.Dial("tcp", addr)
		if err == nil {
			if err := conn.Close(); err != nil {
				b.Error(err)
			}
			return
		}
		time.Sleep(500 * time.Microsecond)
	}
	b.Fatal("nothing listens at " + addr)
}
