package main

import (
	"slices"
	"testing"
	"time"

	"github.com/backstage/functions/internal/testenv"
)

const (
	failingPath = "/functions/failing/f"
	failingCode = `function main(req, res) { console.log('before'); res.status(500).send({ error: 'no' }) }`
)

// recordRounds is how often each of two servers is loaded, one after the other.
const recordRounds = 10

// BenchmarkRecords measures what records cost: calls of a server that keeps those of failures beside calls of one that
// keeps none, both on one Redis. First all calls succeed, then all fail.
func BenchmarkRecords(b *testing.B) {
	for _, row := range []struct {
		name, path, code string
		load             func(b *testing.B, s *server) measured
	}{
		{"that succeed", helloPath, helloCode, func(b *testing.B, s *server) measured {
			return s.loadHello(b, 16, 2*time.Second)
		}},
		{"that fail", failingPath, failingCode, func(b *testing.B, s *server) measured {
			return wrkFailing(b, s.url+failingPath+"/run", 16, 2*time.Second, postBody("{}"), s.pid())
		}},
	} {
		b.Run(row.name, func(b *testing.B) {
			for b.Loop() {
				redis := "REDIS_ENDPOINT=redis://" + testenv.Redis(b).Addr
				without := startBenched(b, "POOL_SIZE=64", redis, "REDIS_KEY_PREFIX=a", "CALLS_KEPT=none")
				with := startBenched(b, "POOL_SIZE=64", redis, "REDIS_KEY_PREFIX=b")
				for _, s := range []*server{without, with} {
					put(b, s.url+row.path, row.code, "")
					row.load(b, s)
				}
				var ratios, rates []float64
				for round := range recordRounds {
					var off, on measured
					if round%2 == 0 {
						off, on = row.load(b, without), row.load(b, with)
					} else {
						on, off = row.load(b, with), row.load(b, without)
					}
					ratios = append(ratios, off.rate/on.rate)
					rates = append(rates, on.rate)
				}
				slices.Sort(ratios)
				slices.Sort(rates)
				median := (ratios[recordRounds/2-1] + ratios[recordRounds/2]) / 2
				benchmarks.note(b, "calls "+row.name+", with records, c=16", 100*(median-1), "% slower than without")
				b.ReportMetric(rates[recordRounds/2], "calls/s")
				with.end(b)
				without.end(b)
			}
		})
	}
}
