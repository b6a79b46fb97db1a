package line

import (
	"strconv"
	"testing"
	"time"

	"github.com/backstage/functions/internal/queue"
)

// BenchmarkTakeOfManyNamespaces takes a call and gives it back, where each of so many namespaces has one.
func BenchmarkTakeOfManyNamespaces(b *testing.B) {
	for _, namespaces := range []int{10, 10_000} {
		b.Run(strconv.Itoa(namespaces), func(b *testing.B) {
			l := New(&Memory{}, nil)
			for i := range namespaces {
				c := spec(strconv.Itoa(i))
				c.Ref.Namespace = "n" + c.ID
				if _, err := l.Put(b.Context(), c, queue.Limits{Calls: 5, Bytes: 1 << 20}); err != nil {
					b.Fatal(err)
				}
			}
			for b.Loop() {
				taken, _, err := l.Take(b.Context(), "one", 1, time.Hour)
				if err != nil || len(taken) != 1 {
					b.Fatalf("took %d, %v", len(taken), err)
				}
				how := queue.Settlement{Lease: queue.LeaseOf(taken[0]), Outcome: queue.Back}
				if _, err := l.Settle(b.Context(), &how); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
