package main

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"
)

const (
	// neighbourTime is for how long the neighbour calls alone, and beside an attack: past the deadline of calls that are never answered.
	neighbourTime   = 6 * time.Second
	greedyFunctions = 300
	largeFunctions  = 4

	spinning = `function main() { setTimeout(() => { for (;;); }, 1) }`
)

// attack is what the clients of one namespace do to others, without a pause.
type attack struct {
	name    string
	clients int
	spread  bool   // the server has every runtime, of which the functions have one each in turn
	method  string // of its requests
	prepare func(b *testing.B, s *server)
	request func(s *server, client, n int) (url, body string)
}

var attacks = []attack{
	{"calls that are never answered", 32, false, "PUT", deployGreedy(`function main() {}`), callGreedy},
	{"calls that spin", 32, false, "PUT", deployGreedy(spinning), callGreedy},
	{"calls that spin on every runtime", 32, true, "PUT", deployGreedy(spinning, runtimes...), callGreedy},
	{"calls of 300 functions", 16, false, "PUT", deployGreedy(`function main(req, res) { res.send(1) }`), callGreedy},
	{"trial runs that spin", 24, false, "PUT", func(*testing.B, *server) {}, func(s *server, client, n int) (url, body string) {
		return fmt.Sprintf("%s/functions/greedy/f%d", s.url, client), deployment(fmt.Sprintf("for (;;); // %d", n), "")
	}},
	{"output without bounds", 64, false, "PUT", func(b *testing.B, s *server) { deployFloods(b, s) }, func(s *server, client, n int) (url, body string) {
		return floodURLs(s)[(client+n)%len(floods)], "{}"
	}},
	{"reads of functions of 1 MB", 32, false, "GET", deployLarge, func(s *server, client, n int) (url, body string) {
		return fmt.Sprintf("%s/functions/greedy/f%d", s.url, (client+n)%largeFunctions), ""
	}},
}

// deployGreedy stores functions that have one each of the runtimes in turn, or that of the server.
func deployGreedy(code string, runtimes ...string) func(*testing.B, *server) {
	return func(b *testing.B, s *server) {
		for i := range greedyFunctions {
			properties := ""
			if len(runtimes) > 0 {
				properties = fmt.Sprintf(`"runtime":%q`, runtimes[i%len(runtimes)])
			}
			put(b, fmt.Sprintf("%s/functions/greedy/f%d", s.url, i), code, properties)
		}
	}
}

// deployLarge stores functions that take as long to read as they may.
func deployLarge(b *testing.B, s *server) {
	code := helloCode + strings.Repeat("\n// \"a line\" of a large function", 25_000)
	for i := range largeFunctions {
		put(b, fmt.Sprintf("%s/functions/greedy/f%d", s.url, i), code, "")
	}
}

func callGreedy(s *server, client, n int) (url, body string) {
	return fmt.Sprintf("%s/functions/greedy/f%d/run", s.url, (37*client+7*n)%greedyFunctions), "{}"
}

// start has the clients begin. They end, with the requests that they wait for, when stop is called, which returns after that.
func (a *attack) start(s *server) (stop func()) {
	ctx, cancel := context.WithCancel(context.Background())
	client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: a.clients}}
	var all sync.WaitGroup
	for i := range a.clients {
		all.Go(func() {
			for n := 0; ctx.Err() == nil; n++ {
				url, body := a.request(s, i, n)
				sendUntil(ctx, client, a.method, url, body)
			}
		})
	}
	return func() {
		cancel()
		all.Wait()
		client.CloseIdleConnections()
	}
}

// BenchmarkNeighbour measures calls of one namespace, two hundred a second at the most, while another takes all that it can get, beside the same
// calls alone. The server's limits are those that it has without configuration.
func BenchmarkNeighbour(b *testing.B) {
	for i := range attacks {
		a := &attacks[i]
		b.Run(a.name, func(b *testing.B) {
			for b.Loop() {
				vars := []string{"CODE_SYNC_TIMEOUT=100", "CODE_ASYNC_TIMEOUT=5000", "QUEUE_TIMEOUT=10s", "SHUTDOWN_TIMEOUT=1ms"}
				if a.spread {
					vars = append(vars, runtimesVariable(b))
				}
				s := startBenched(b, vars...)
				a.prepare(b, s)
				put(b, s.url+helloPath, helloCode, "")
				client := &http.Client{Transport: &http.Transport{}}
				call := func(int) { s.run(b, client, helloPath, helloBody, helloAnswer) }
				measure := func(length time.Duration) measured { return inTurnFor(length, 5*time.Millisecond, call) }
				measure(time.Second)
				alone, beside := "before "+a.name, "beside "+a.name
				quiet := measure(neighbourTime)
				benchmarks.add(b, alone, quiet, "")
				stop := a.start(s)
				measure(time.Second)
				attacked := measure(neighbourTime)
				stop()
				benchmarks.add(b, beside, attacked, alone)
				b.ReportMetric(attacked.p50.Seconds()/quiet.p50.Seconds(), "p50/quiet")
				b.ReportMetric(attacked.p99.Seconds()/quiet.p99.Seconds(), "p99/quiet")
				benchmarks.note(b, "most memory of the server "+beside, float64(peakMemory(b, s.pid())>>20), "MB")
				client.CloseIdleConnections()
				s.end(b)
			}
		})
	}
}
