package callbacks

import (
	"math/rand/v2"
	"net/url"
	"sync"
	"time"

	"github.com/backstage/functions/internal/queue"
)

// places are those for callbacks that are sent at the same time: of one receiver, of one namespace, and of all, so that
// neither a slow receiver nor a namespace with many of them delays others. A namespace takes no more of all than it
// leaves for others, so several of them cannot take all soon. It is safe for concurrent use.
type places struct {
	most, perNamespace, perReceiver int

	mu    sync.Mutex // guards the fields below
	all   int
	taken map[string]int // by namespace, and by namespace and receiver
	// waiting is how many were turned away since a place of that receiver, by namespace and receiver, was last free. They
	// may have gone elsewhere since: it is forgotten once the namespace has no place.
	waiting map[string]map[string]int
}

func newPlaces(most, perNamespace, perReceiver int) *places {
	return &places{
		most: most, perNamespace: perNamespace, perReceiver: perReceiver,
		taken: map[string]int{}, waiting: map[string]map[string]int{},
	}
}

func (p *places) free() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.most - p.all
}

func keyOf(namespace, receiver string) string { return namespace + " " + receiver }

// take takes a place. If there is none for this receiver, ahead is about how many wait for one.
func (p *places) take(namespace, receiver string) (ok bool, ahead int) {
	key := keyOf(namespace, receiver)
	p.mu.Lock()
	defer p.mu.Unlock()
	leaves := queue.Leaves(int64(p.taken[namespace]), 1, int64(p.all), int64(p.most))
	if !leaves || p.taken[namespace] >= p.perNamespace || p.taken[key] >= p.perReceiver {
		if p.waiting[namespace] == nil {
			p.waiting[namespace] = map[string]int{}
		}
		p.waiting[namespace][receiver]++
		return false, p.waiting[namespace][receiver]
	}
	p.all++
	p.taken[namespace]++
	p.taken[key]++
	if p.waiting[namespace][receiver] > 1 {
		p.waiting[namespace][receiver]--
	} else {
		delete(p.waiting[namespace], receiver)
	}
	return true, 0
}

// give gives a place back.
func (p *places) give(namespace, receiver string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.all--
	key := keyOf(namespace, receiver)
	if p.taken[key]--; p.taken[key] == 0 {
		delete(p.taken, key)
		delete(p.waiting[namespace], receiver)
	}
	if p.taken[namespace]--; p.taken[namespace] == 0 {
		delete(p.taken, namespace)
		delete(p.waiting, namespace)
	}
}

// receiverOf is the host and port that a callback is for.
func receiverOf(job *queue.Call) string {
	u, err := url.Parse(job.CallTo.URL)
	if err != nil {
		return ""
	}
	return u.Host
}

// longestWait bounds how long a callback waits for a place before it is looked at again.
const longestWait = 5 * time.Minute

// waitFor is how long a callback waits that finds so many before it: about as long as those take, when each takes a
// quarter of the longest time.
func waitFor(ahead, places int, timeout time.Duration) time.Duration {
	most := min(time.Duration(ahead)*timeout/time.Duration(4*places), longestWait)
	most = max(most, time.Second)
	return most/2 + time.Duration(rand.Int64N(int64(most/2)+1))
}
