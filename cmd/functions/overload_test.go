package main

import (
	"fmt"
	"net/http"
	"slices"
	"sync"
	"testing"
	"time"
)

// Goodput is measured for measuredFor, once the load has lasted for settledAfter.
const (
	settledAfter = time.Second
	measuredFor  = 3 * time.Second
)

// overloads are functions and how many of them are called in turn.
var overloads = []struct {
	name, code string
	functions  int
}{
	{"one that waits for 20 ms", `function main(req, res) { setTimeout(() => res.send(1), 20) }`, 1},
	{"one that computes for 5 ms", `function main(req, res) { const end = Date.now() + 5; while (Date.now() < end); res.send(1) }`, 1},
	{"fifty that wait for 20 ms", `function main(req, res) { setTimeout(() => res.send(1), 20) }`, 50},
}

// BenchmarkGoodput measures how many calls a second are answered with 200 when more come than four workers can serve: first by clients
// that wait for each answer, as many as keep all workers busy, then by calls that come at a fixed pace of so many times that number,
// answered or not.
func BenchmarkGoodput(b *testing.B) {
	for _, row := range overloads {
		b.Run(row.name, func(b *testing.B) {
			s := startServer(b, "POOL_SIZE=4", "QUEUE_TIMEOUT=1s")
			var urls []string
			for i := range row.functions {
				url := fmt.Sprintf("%s/functions/n%d/f%d", s.url, i%5, i)
				put(b, url, row.code, "")
				urls = append(urls, url+"/run")
			}
			peak := closedLoad(urls, 16).goodput()
			for _, times := range []int{1, 2, 5, 10} {
				b.Run(fmt.Sprintf("%dx", times), func(b *testing.B) {
					for b.Loop() {
						o := openLoad(urls, float64(times)*peak)
						b.ReportMetric(o.goodput(), "good/s")
						b.ReportMetric(100*o.goodput()/peak, "%of-peak")
						b.ReportMetric(float64(o.refused)/measuredFor.Seconds(), "refused/s")
						b.ReportMetric(float64(o.failed)/measuredFor.Seconds(), "failed/s")
						b.ReportMetric(float64(o.percentile(99).Milliseconds()), "p99-ms")
						b.ReportMetric(0, "ns/op")
					}
				})
			}
		})
	}
}

// outcome is what came of the calls that were answered within the time that is measured. It is safe for concurrent use.
type outcome struct {
	client *http.Client
	from   time.Time

	mu              sync.Mutex // guards the fields below
	took            []time.Duration
	refused, failed int
}

func newOutcome() *outcome {
	return &outcome{
		client: &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 1000, MaxIdleConns: 1000}, Timeout: 10 * time.Second},
		from:   time.Now().Add(settledAfter),
	}
}

func (l *outcome) call(url string) {
	began := time.Now()
	r := send(l.client, http.MethodPut, url, "{}")
	now := time.Now()
	if now.Before(l.from) || now.After(l.from.Add(measuredFor)) {
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	switch {
	case r.err == nil && r.status == http.StatusOK:
		l.took = append(l.took, now.Sub(began))
	case r.err == nil && r.status == http.StatusServiceUnavailable:
		l.refused++
	default:
		l.failed++
	}
}

func (l *outcome) over() bool { return time.Since(l.from) > measuredFor }

// goodput is in calls a second.
func (l *outcome) goodput() float64 { return float64(len(l.took)) / measuredFor.Seconds() }

func (l *outcome) percentile(p int) time.Duration {
	if len(l.took) == 0 {
		return 0
	}
	slices.Sort(l.took)
	return l.took[len(l.took)*p/100]
}

// closedLoad has so many clients call without a pause.
func closedLoad(urls []string, clients int) *outcome {
	l := newOutcome()
	var all sync.WaitGroup
	for i := range clients {
		all.Go(func() {
			for n := i; !l.over(); n++ {
				l.call(urls[n%len(urls)])
			}
		})
	}
	all.Wait()
	l.client.CloseIdleConnections()
	return l
}

// openLoad makes rate calls a second, whether or not others have been answered.
func openLoad(urls []string, rate float64) *outcome {
	l := newOutcome()
	began := time.Now()
	var all sync.WaitGroup
	for n := 0; !l.over(); {
		for due := int(time.Since(began).Seconds() * rate); n < due; n++ {
			url := urls[n%len(urls)]
			all.Go(func() { l.call(url) })
		}
		time.Sleep(time.Millisecond)
	}
	all.Wait()
	l.client.CloseIdleConnections()
	return l
}
