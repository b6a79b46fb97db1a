package fairroom

import (
	"context"
	"errors"
	"math/rand/v2"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
)

// taker takes room and says when it has it.
func taker(t *testing.T, r *Room, group string, size int64, got chan<- string) (give func()) {
	t.Helper()
	var mine func()
	done := make(chan struct{})
	go func() {
		defer close(done)
		var err error
		if mine, err = r.Take(t.Context(), group, size); err != nil {
			t.Error(err)
			return
		}
		got <- group
	}()
	synctest.Wait()
	return func() {
		<-done
		mine()
		synctest.Wait()
	}
}

// seen is who has got room since the last time.
func seen(got <-chan string) (all string) {
	for {
		select {
		case name := <-got:
			all += name
		default:
			return all
		}
	}
}

func TestOneGroupNeverHasMoreThanHalf(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r, got := New(8), make(chan string, 100)
		var gives []func()
		for range 4 {
			gives = append(gives, taker(t, r, "a", 2, got))
		}
		if all := seen(got); all != "aa" {
			t.Fatalf("got room: %q", all)
		}
		gives = append(gives, taker(t, r, "b", 100, got)) // counts as half
		if all := seen(got); all != "b" {
			t.Fatalf("got room beside a: %q", all)
		}
		for _, give := range gives {
			give()
		}
		if len(r.groups) != 0 || r.used != 0 {
			t.Errorf("left: %d, %v", r.used, r.groups)
		}
	})
}

func TestWhoHasLeastIsServedNext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r, got := New(8), make(chan string, 100)
		first, second := taker(t, r, "a", 4, got), taker(t, r, "b", 4, got)
		var rest []func()
		for _, group := range []string{"a", "a", "b", "c", "c", "d"} {
			rest = append(rest, taker(t, r, group, 2, got))
		}
		if all := seen(got); all != "ab" {
			t.Fatalf("got room: %q", all)
		}
		first()
		if all := seen(got); all != "ac" && all != "ca" { // both had none; c came before d
			t.Errorf("then %q", all)
		}
		second()
		if all := seen(got); all != "bd" && all != "db" {
			t.Errorf("then %q", all)
		}
		for _, give := range rest {
			give()
			give() // does nothing
		}
		if all := seen(got); len(all) != 2 || len(r.groups) != 0 || r.used != 0 {
			t.Errorf("then %q; left: %d, %v", all, r.used, r.groups)
		}
	})
}

func TestWhoLeavesHoldsNobodyUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r, got := New(8), make(chan string, 100)
		first, second := taker(t, r, "a", 4, got), taker(t, r, "b", 2, got)
		gone := errors.New("gone")
		ctx, leave := context.WithCancelCause(t.Context())
		end := make(chan error)
		go func() {
			_, err := r.Take(ctx, "c", 4) // does not fit
			end <- err
		}()
		synctest.Wait()
		third := taker(t, r, "d", 2, got)
		if all := seen(got); all != "ab" {
			t.Fatalf("got room: %q: the first one that waits is overtaken", all)
		}
		leave(gone)
		if err := <-end; !errors.Is(err, gone) {
			t.Errorf("who has left gets %v", err)
		}
		synctest.Wait()
		if all := seen(got); all != "d" {
			t.Errorf("then %q", all)
		}
		for _, give := range []func(){first, second, third} {
			give()
		}
		if len(r.groups) != 0 || r.used != 0 {
			t.Errorf("left: %d, %v", r.used, r.groups)
		}
	})
}

// TestTheLimitHolds has many take room and leave at random.
func TestTheLimitHolds(t *testing.T) {
	const limit = 10
	r := New(limit)
	var used atomic.Int64
	var all sync.WaitGroup
	for i := range 64 {
		all.Go(func() {
			for range 200 {
				ctx, leave := context.WithCancel(t.Context())
				if rand.IntN(4) == 0 {
					go leave()
				}
				size := 1 + rand.Int64N(limit/2)
				give, err := r.Take(ctx, strconv.Itoa(i%5), size)
				if err == nil {
					if now := used.Add(size); now > limit {
						t.Errorf("%d are used", now)
					}
					used.Add(-size)
					give()
				}
				leave()
			}
		})
	}
	all.Wait()
	if r.used != 0 || len(r.groups) != 0 {
		t.Errorf("left: %d, %v", r.used, r.groups)
	}
}
