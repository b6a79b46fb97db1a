package bolt_test

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"testing"

	"github.com/backstage/functions/internal/function"
	"github.com/backstage/functions/internal/store/bolt"
)

// BenchmarkNeighbourOfLargeEdits deploys a small function of one namespace while sixteen callers set variables of
// large ones of another.
func BenchmarkNeighbourOfLargeEdits(b *testing.B) {
	s, err := bolt.Open(b.TempDir())
	if err != nil {
		b.Fatal(err)
	}
	defer s.Close()
	ctx, stop := context.WithCancel(b.Context())
	var wg sync.WaitGroup
	for i := range 16 {
		large := &function.Function{
			Ref:  function.Ref{Namespace: "large", ID: fmt.Sprint(i)},
			Code: strings.Repeat("x", 4<<20),
		}
		if _, err := s.Put(ctx, large); err != nil {
			b.Fatal(err)
		}
		wg.Go(func() {
			for n := 0; ctx.Err() == nil; n++ {
				_ = s.SetEnv(ctx, large.Ref, "A", fmt.Sprint(n)) // until the end
			}
		})
	}
	small := &function.Function{Ref: function.Ref{Namespace: "small", ID: "id"}, Code: "1"}
	for b.Loop() {
		if _, err := s.Put(b.Context(), small); err != nil {
			b.Fatal(err)
		}
	}
	stop()
	wg.Wait()
}
