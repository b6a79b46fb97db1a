package main

import (
	"context"
	"fmt"
	"net/http"
	"sync"
	"testing"
	"time"

	"github.com/backstage/functions/internal/testenv"
)

// writers deploy functions over and over and keep in mind what was acknowledged.
type writers struct {
	*load
	mu      sync.Mutex     // guards the fields below
	last    map[string]int // the last number that was acknowledged for each function
	tried   map[string]int // the last one that was sent
	refused int
	unlike  []string // answers that neither acknowledge nor refuse
}

func newWriters(l *load) *writers {
	return &writers{load: l, last: map[string]int{}, tried: map[string]int{}}
}

func numbered(n int) string { return fmt.Sprintf("function main(req, res) { res.send(%d) }", n) }

// run deploys with n writers, each its own function, until ctx ends.
func (w *writers) run(ctx context.Context, n int) {
	var all sync.WaitGroup
	for i := range n {
		all.Go(func() {
			for ctx.Err() == nil {
				w.write(fmt.Sprintf("kept/f%d", i))
			}
		})
	}
	all.Wait()
}

func (w *writers) write(path string) {
	w.mu.Lock()
	w.tried[path]++
	number := w.tried[path]
	w.mu.Unlock()
	r := send(w.client, "PUT", w.base+"/functions/"+path, deployment(numbered(number), ""))
	w.mu.Lock()
	defer w.mu.Unlock()
	switch {
	case r.status == http.StatusOK:
		w.last[path] = number
	case r.status == http.StatusServiceUnavailable && r.retryAfter != "":
		w.refused++
	default:
		w.unlike = append(w.unlike, r.String())
	}
}

// check fails t unless each function is the last that was acknowledged, or a later one that was refused and made all the same.
func (w *writers) check(t *testing.T) {
	t.Helper()
	w.mu.Lock()
	defer w.mu.Unlock()
	t.Logf("acknowledged %v, %d refused", w.last, w.refused)
	for _, r := range w.unlike {
		t.Errorf("a refusal: %s", r)
	}
	for path, last := range w.last {
		code, found := w.wantWhole(t, path), false
		for number := last; number <= w.tried[path]; number++ {
			found = found || code == numbered(number)
		}
		if !found {
			t.Errorf("%s: %d was acknowledged, stored is %q", path, last, code)
		}
	}
}

// acknowledged counts the writes up to the last that was acknowledged.
func (w *writers) acknowledged() int {
	w.mu.Lock()
	defer w.mu.Unlock()
	sum := 0
	for _, last := range w.last {
		sum += last
	}
	return sum
}

// underWrites runs what while writers are at work, and lets them go on until a write was acknowledged after it.
func (w *writers) underWrites(t *testing.T, what func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	done := make(chan struct{})
	go func() {
		defer close(done)
		w.run(ctx, 4)
	}()
	eventually(t, "some writes", func() bool { return w.acknowledged() >= 20 })
	what()
	before := w.acknowledged()
	eventually(t, "writes after the fault", func() bool { return w.acknowledged() >= before+20 })
	cancel()
	<-done
}

func TestWhatWasAcknowledgedIsThereAfterRedisWasKilled(t *testing.T) {
	redis := testenv.Redis(t, durable...)
	s := startServer(t, "REDIS_ENDPOINT=redis://"+redis.Addr)
	s.discardLogs()
	w := newWriters(newLoad(t, s.url))
	w.underWrites(t, func() {
		redis.Stop()
		redis.Start()
	})
	w.check(t)
}

// Sentinel promotes a replica that may lack the last moment of writes (https://redis.io/docs/latest/operate/oss_and_stack/management/sentinel/).
// So what must be there is what had reached the replica when the master was killed, and all that was acknowledged afterwards.
func TestServersFollowAFailover(t *testing.T) {
	master := testenv.Redis(t, durable...)
	testenv.RedisReplica(t, master, durable...)
	endpoint := "sentinel://:@"
	for i, sentinel := range testenv.RedisSentinels(t, master, "main", 3) {
		if i > 0 {
			endpoint += ","
		}
		endpoint += sentinel.Addr
	}
	s := startServer(t, "REDIS_ENDPOINT="+endpoint+"/service_name:main")
	s.discardLogs()
	l := newLoad(t, s.url)
	l.deploy(t)
	if !l.healthy() {
		t.Fatal("not every function answers")
	}
	w := newWriters(newLoad(t, s.url))
	short, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	w.run(short, 4)
	if reply := master.Do("WAIT 1 10000"); reply != ":1" {
		t.Fatalf("the replica is not in step: %s", reply)
	}
	master.Stop()
	l.runWhileRedisIsAway(t)
	w.underWrites(t, func() {})
	w.check(t)
	l.wantRecovery(t)

	// The old master comes back as one, and is made a replica a moment later: nothing may be written to it.
	w.underWrites(t, func() {
		master.Start()
		eventually(t, "the old master to be a replica", func() bool { return master.Do("ROLE") == "*5" })
	})
	w.check(t)
}
