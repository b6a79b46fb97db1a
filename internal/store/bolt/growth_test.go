package bolt

import (
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/backstage/functions/internal/usage"
)

// patience is for what takes no time: only a deadlock reaches it.
const patience = 5 * time.Minute

// within fails the test when do does not end.
func within(t *testing.T, what string, do func()) {
	t.Helper()
	done := make(chan struct{})
	go func() {
		defer close(done)
		do()
	}()
	select {
	case <-done:
	case <-time.After(patience):
		t.Fatalf("%s does not end", what)
	}
}

// A write that makes the file larger waits for the readers, so no reader may wait for it: who takes tokens does so in a
// read transaction, beside a write of what was used.
func TestTokensAreTakenWhileUsageIsWritten(t *testing.T) {
	s := openHere(t)
	s.counting.Lock()
	defer s.counting.Unlock()
	within(t, "taking a token", func() {
		if _, err := s.TakeTokens(t.Context(), oneToken); err != nil {
			t.Error(err)
		}
	})
}

func TestTheFileGrowsWhileTokensAreTaken(t *testing.T) {
	s := openHere(t)
	const batches, subjects = 20, 1000 // from 32 KB to megabytes, which takes several larger mappings
	within(t, "writing and taking", func() {
		var all sync.WaitGroup
		written := make(chan struct{})
		for range 4 {
			all.Go(func() {
				for {
					select {
					case <-written:
						return
					default:
					}
					if _, err := s.TakeTokens(t.Context(), oneToken); err != nil {
						t.Error(err)
						return
					}
				}
			})
		}
		defer all.Wait()
		defer close(written)
		for n := range batches {
			b := usage.Batch{Server: "one", Number: uint64(n + 1), Keep: 24 * time.Hour}
			for i := range subjects {
				record := usage.Record{Subject: subject(n*subjects + i), Hour: time.Now(), Amount: usage.Amount{Calls: 1}}
				b.Records = append(b.Records, record)
			}
			if _, err := s.AddUsage(t.Context(), b); err != nil {
				t.Error(err)
				return
			}
		}
	})
}

var oneToken = []usage.Take{{Subject: subject(1), Rate: usage.Rate{Calls: 1, Per: time.Second}, Want: 1}}

func subject(n int) usage.Subject {
	return usage.Subject{Kind: usage.OfNamespace, Name: fmt.Sprint("namespace-", n)}
}
