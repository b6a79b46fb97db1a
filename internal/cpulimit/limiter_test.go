package cpulimit

import (
	"context"
	"errors"
	"testing"
)

func TestLimiterHasTokensForHalfOfTheProcessors(t *testing.T) {
	for processors, want := range map[int]int{1: 1, 2: 1, 3: 1, 4: 2, 8: 4} {
		l := New(processors)
		var releases []func()
		for range want {
			release, err := l.Acquire(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			releases = append(releases, release)
		}
		left := errors.New("left")
		ctx, leave := context.WithCancelCause(t.Context())
		leave(left)
		if _, err := l.Acquire(ctx); !errors.Is(err, left) {
			t.Errorf("%d processors: one token more than %d: %v", processors, want, err)
		}
		for _, release := range releases {
			release()
		}
		if len(l) != 0 {
			t.Errorf("%d tokens are out", len(l))
		}
	}
}

func TestNoLimiterSetsNoBound(t *testing.T) {
	for range 100 {
		if _, err := Limiter(nil).Acquire(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
}
