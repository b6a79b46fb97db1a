package main

import (
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"sync"
	"testing"
	"time"
)

// greedy is what one namespace does to others, by so many clients.
var greedy = []struct {
	name    string
	clients int
	prepare func(b *testing.B, s *server)
	call    func(s *server, client, n int) (url, body string)
}{
	{"calls that are never answered", 32, deployGreedy(`function main() {}`), callGreedy},
	{"calls that spin", 32, deployGreedy(`function main() { setTimeout(() => { for (;;); }, 1) }`), callGreedy},
	{"calls of 300 functions", 16, deployGreedy(`function main(req, res) { res.send(1) }`), callGreedy},
	{"trial runs that spin", 24, func(*testing.B, *server) {}, func(s *server, client, n int) (url, body string) {
		return s.url + "/functions/greedy/f" + strconv.Itoa(client), deployment("for (;;); //"+strconv.Itoa(n), "")
	}},
}

const greedyFunctions = 300

func deployGreedy(code string) func(*testing.B, *server) {
	return func(b *testing.B, s *server) {
		for i := range greedyFunctions {
			put(b, fmt.Sprintf("%s/functions/greedy/f%d", s.url, i), code, "")
		}
	}
}

func callGreedy(s *server, client, n int) (url, body string) {
	return fmt.Sprintf("%s/functions/greedy/f%d/run", s.url, (37*client+7*n)%greedyFunctions), "{}"
}

// BenchmarkNeighbour measures calls of one namespace while another takes all that it can get, beside the same calls alone.
func BenchmarkNeighbour(b *testing.B) {
	for _, row := range greedy {
		b.Run(row.name, func(b *testing.B) {
			for b.Loop() {
				s := startBenched(b)
				row.prepare(b, s)
				s.hello(b, 1, "")
				alone := "neighbour of no " + row.name
				benchmarks.add(b, alone, s.paced(b), "")
				var all sync.WaitGroup
				stop := make(chan struct{})
				for client := range row.clients {
					all.Go(func() {
						for n := 0; ; n++ {
							select {
							case <-stop:
								return
							default:
								url, body := row.call(s, client, n)
								send(http.DefaultClient, http.MethodPut, url, body)
							}
						}
					})
				}
				time.Sleep(time.Second)
				benchmarks.add(b, "neighbour of "+row.name, s.paced(b), alone)
				close(stop)
				all.Wait()
			}
		})
	}
}

// paced calls the function hello fifty times a second.
func (s *server) paced(b *testing.B) measured {
	b.Helper()
	var took []time.Duration
	for end := time.Now().Add(loadTime); time.Now().Before(end); time.Sleep(20 * time.Millisecond) {
		began := time.Now()
		s.run(b, http.DefaultClient, helloPath, helloBody, helloAnswer)
		took = append(took, time.Since(began))
	}
	slices.Sort(took)
	return measured{rate: float64(len(took)) / loadTime.Seconds(), p50: took[len(took)/2], p99: took[len(took)*99/100]}
}
