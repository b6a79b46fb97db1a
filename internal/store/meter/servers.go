package meter

import (
	"time"

	"github.com/backstage/functions/internal/usage"
)

// Servers are those that have sent batches of usage lately. The zero value is ready. They are not safe for concurrent
// use.
type Servers struct{ all map[string]server }

type server struct {
	added uint64 // the number of its last batch
	seen  time.Time
}

// Seen notes that a server has sent a batch, and returns how many servers there are.
func (s *Servers) Seen(name string, now time.Time) int {
	if s.all == nil {
		s.all = map[string]server{}
	}
	s.all[name] = server{s.all[name].added, now}
	for other, of := range s.all {
		if now.Sub(of.seen) > usage.ServerAge {
			delete(s.all, other)
		}
	}
	return len(s.all)
}

// IsNew says whether a batch of a server that was seen is not added yet.
func (s *Servers) IsNew(name string, number uint64) bool { return number > s.all[name].added }

// Added notes that a batch is added.
func (s *Servers) Added(name string, number uint64) {
	of := s.all[name]
	of.added = max(number, of.added)
	s.all[name] = of
}
