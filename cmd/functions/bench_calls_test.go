package main

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/backstage/functions/internal/function"
	"github.com/backstage/functions/internal/queue"
	"github.com/backstage/functions/internal/store"
	"github.com/backstage/functions/internal/testenv"
)

// benchPayload is the request of a call, of a usual length.
var benchPayload = []byte(`{"method":"PUT","header":{"content-type":"application/json"},"query":{},"body":{"name":"World"}}` + "\n")

var benchLimits = queue.Limits{Calls: 1 << 30, Bytes: 1 << 50, AllCalls: 1 << 30, AllBytes: 1 << 50}

// done is what callers have done at once.
type done struct {
	took    []time.Duration
	elapsed time.Duration
}

func (d *done) measured(b *testing.B) measured {
	b.Helper()
	if len(d.took) == 0 {
		b.Fatal("nothing was done")
	}
	slices.Sort(d.took)
	return measured{
		rate: float64(len(d.took)) / d.elapsed.Seconds(), p50: d.took[len(d.took)/2], p99: d.took[len(d.took)*99/100],
	}
}

// callersDo has so many callers do op until it says that there is no more, or the time is over.
func (d *done) callersDo(b *testing.B, callers int, length time.Duration, op func() (more bool, err error)) {
	b.Helper()
	var all sync.WaitGroup
	var mu sync.Mutex // guards d
	began := time.Now()
	for range callers {
		all.Go(func() {
			var mine []time.Duration
			for time.Since(began) < length {
				start := time.Now()
				more, err := op()
				if err != nil {
					b.Error(err)
				}
				if err != nil || !more {
					break
				}
				mine = append(mine, time.Since(start))
			}
			mu.Lock()
			defer mu.Unlock()
			d.took = append(d.took, mine...)
		})
	}
	all.Wait()
	d.elapsed += time.Since(began)
}

// alternately has callers do floor and op, in parts of the time: both see the same machine.
func alternately(b *testing.B, callers int, floor, op func() (bool, error)) (bare, queued measured) {
	b.Helper()
	const parts = 20
	var first, second done
	for range parts {
		first.callersDo(b, callers, loadTime/parts, floor)
		second.callersDo(b, callers, loadTime/parts, op)
	}
	return first.measured(b), second.measured(b)
}

// queueBench is a store whose queue is measured, and what the same takes without one.
type queueBench struct {
	name  string
	calls store.Calls
	// put is what a put takes at least, run what a take and a settlement do.
	put, run func(n int64, callers int) (more bool, err error)
	// prefilled is how many calls are taken and settled.
	prefilled int
}

// BenchmarkCallsQueue puts calls, takes and settles them, one at a time, and does the same without a queue.
func BenchmarkCallsQueue(b *testing.B) {
	for _, of := range []func(*testing.B) queueBench{redisQueue, boltQueue} {
		q := of(b)
		for _, callers := range []int{1, 16} {
			who := fmt.Sprintf(", %d callers", callers)
			b.Run(q.name+who, func(b *testing.B) {
				for _, kind := range []struct {
					name  string
					floor func(int64, int) (bool, error)
					op    func(int64) (bool, error)
				}{
					{"put", q.put, q.putOne},
					{"take and settle", q.run, q.runOne},
				} {
					if kind.name != "put" {
						q.prefill(b)
					}
					var bare, queued atomic.Int64
					of, here := alternately(b, callers,
						func() (bool, error) { return kind.floor(bare.Add(1), callers) },
						func() (bool, error) { return kind.op(queued.Add(1)) })
					floor := "bare " + q.name + ": " + kind.name + who
					benchmarks.add(b, floor, of, "")
					benchmarks.add(b, "the queue in "+q.name+": "+kind.name+who, here, floor)
				}
			})
		}
	}
}

func (q queueBench) putOne(n int64) (bool, error) {
	_, err := q.calls.PutCall(context.Background(), benchSpec(n), benchLimits)
	return true, err
}

func (q queueBench) runOne(int64) (bool, error) {
	taken, _, err := q.calls.TakeCalls(context.Background(), "bench", 1, time.Hour)
	if err != nil || len(taken) == 0 {
		return false, err
	}
	_, err = q.calls.SettleCall(context.Background(), &queue.Settlement{
		Lease: queue.LeaseOf(taken[0]), Outcome: queue.Done, Result: []byte(helloAnswer), Limits: benchLimits,
		Detail: []byte(`{"status":200,"ms":1,"cpuMs":1,"server":"bench"}`),
	})
	return true, err
}

// prefill puts as many calls as are taken and settled, beside those that are there.
func (q queueBench) prefill(b *testing.B) {
	b.Helper()
	var number atomic.Int64
	new(done).callersDo(b, 32, time.Minute, func() (bool, error) {
		n := number.Add(1)
		if n > int64(q.prefilled) {
			return false, nil
		}
		return q.putOne(n)
	})
}

// benchSpec is a call of one of twenty namespaces.
func benchSpec(n int64) *queue.Spec {
	return &queue.Spec{
		ID: uuid.Must(uuid.NewV7()).String(), Ref: function.Ref{Namespace: fmt.Sprint("ns", n%20), ID: "id"},
		RequestID: "r", URI: "/functions/ns/id/run", Payload: benchPayload, Attempts: 3, Backoff: time.Second,
		MaxAge: time.Hour, Keep: time.Hour, KeepDead: time.Hour,
	}
}

// callStores are the variables of servers with each store.
var callStores = map[string]func(b *testing.B) []string{
	"embedded": func(*testing.B) []string { return nil },
	"Redis":    func(b *testing.B) []string { return []string{"REDIS_ENDPOINT=redis://" + testenv.Redis(b).Addr} },
}

// BenchmarkCallsStart measures the time from a request with Prefer: respond-async to main of its function, on a server
// that does nothing else. Node.js tells whole milliseconds, so one is added.
func BenchmarkCallsStart(b *testing.B) {
	for _, name := range []string{"embedded", "Redis"} {
		b.Run(name, func(b *testing.B) {
			s := startBenched(b, callStores[name](b)...)
			put(b, s.url+"/functions/bench/when", `function main(req, res) { res.send(String(Date.now())) }`, "")
			var took []time.Duration
			for range 200 {
				began := time.Now()
				at := callAsync(s.url+"/functions/bench/when/run", "{}")
				if at == "" {
					b.Fatal("a call was not accepted")
				}
				started := s.resultOf(b, at)
				took = append(took, time.UnixMilli(started+1).Sub(began))
			}
			m := quantiles(took[20:]) // the first ones find no worker
			benchmarks.note(b, "from an asynchronous request to main, "+name+", p50", m.p50.Seconds()*1e3, "ms")
			benchmarks.note(b, "from an asynchronous request to main, "+name+", p99", m.p99.Seconds()*1e3, "ms")
		})
	}
}

// resultOf waits for a call to end and returns the number that it has answered.
func (s *server) resultOf(b *testing.B, at string) (number int64) {
	b.Helper()
	getText(b, s.url+at+"?wait=30")
	if _, err := fmt.Sscan(strings.Trim(getText(b, s.url+at+"/result"), `"`), &number); err != nil {
		b.Fatal(err)
	}
	return number
}

// BenchmarkCallsBeside measures callers who wait for their answers while the queue is full of calls, beside what they
// see when it is empty.
func BenchmarkCallsBeside(b *testing.B) {
	for _, kind := range []struct{ name, code string }{
		{"that wait", `function main(req, res) { setTimeout(() => res.send(1), 50) }`},
		{"that compute", `function main(req, res) { const end = Date.now() + 20; while (Date.now() < end) {} res.send(1) }`},
	} {
		for _, name := range []string{"embedded", "Redis"} {
			b.Run(name+" "+kind.name, func(b *testing.B) { besideQueue(b, name, kind.name, kind.code) })
		}
	}
}

func besideQueue(b *testing.B, name, kind, code string) {
	b.Helper()
	s := startBenched(b, callStores[name](b)...)
	s.hello(b, 1, "")
	put(b, s.url+"/functions/queued/f", code, "")
	hello := func(int) { s.run(b, benchClient, helloPath, helloBody, helloAnswer) }
	quiet := "callers beside an empty queue, " + name + ", calls " + kind
	benchmarks.add(b, quiet, inTurnFor(3*loadTime, 2*time.Millisecond, hello), "")
	s.fillQueue(b, 5000)
	benchmarks.add(b, "callers beside a full queue, "+name+", calls "+kind, inTurnFor(3*loadTime, 2*time.Millisecond, hello), quiet)
}
