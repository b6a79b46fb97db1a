package feed

import (
	"context"
	"slices"
	"strconv"
	"testing"
	"testing/synctest"

	"github.com/backstage/functions/internal/function"
)

func change(i int) function.Change {
	return function.Change{Ref: function.Ref{Namespace: "ns", ID: strconv.Itoa(i)}}
}

// watch collects what a watcher of f is told until stop is called, which returns it.
func watch(t *testing.T, f *Feed) (stop func() []function.Change) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan struct{})
	var got []function.Change
	go func() {
		defer close(done)
		f.Watch(ctx, func(c function.Change) { got = append(got, c) })
	}()
	synctest.Wait()
	return func() []function.Change {
		synctest.Wait()
		cancel()
		<-done
		return got
	}
}

func TestFeedTellsEveryWatcherInOrder(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var f Feed
		first, second := watch(t, &f), watch(t, &f)
		want := []function.Change{change(0), change(1), {Namespace: "ns"}}
		for _, c := range want {
			f.Publish(c)
		}
		for _, stop := range []func() []function.Change{first, second} {
			if got := stop(); !slices.Equal(got, want) {
				t.Errorf("got %v, want %v", got, want)
			}
		}
		f.Publish(change(9))
	})
}

func TestFeedReplacesAnOverlongBacklog(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var f Feed
		ctx, cancel := context.WithCancel(t.Context())
		release, done := make(chan struct{}), make(chan struct{})
		var got []function.Change
		go func() {
			defer close(done)
			f.Watch(ctx, func(c function.Change) {
				got = append(got, c)
				<-release
			})
		}()
		synctest.Wait()
		f.Publish(change(-1))
		synctest.Wait() // the watcher is busy with the first change
		for i := range maxBacklog + 1 {
			f.Publish(change(i))
		}
		close(release)
		synctest.Wait()
		cancel()
		<-done
		if want := []function.Change{change(-1), {All: true}}; !slices.Equal(got, want) {
			t.Errorf("got %d changes, %v …; want %v", len(got), got[:min(3, len(got))], want)
		}
	})
}
