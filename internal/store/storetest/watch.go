package storetest

import (
	"context"
	"testing"
	"time"

	"github.com/backstage/functions/internal/function"
	"github.com/backstage/functions/internal/usage"
)

// patience bounds the wait for a notice; only a broken store makes a test wait that long.
const patience = 30 * time.Second

// Watching starts a Watch on s and returns when it is known to see writes. The changes it sees from then on arrive on
// the channel; stop ends the Watch and returns when it has returned. Both must be used from the test's goroutine.
func Watching(t *testing.T, s Store) (changes <-chan function.Change, stop func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	t.Cleanup(cancel)
	seen, done := make(chan function.Change, 100), make(chan struct{})
	go func() {
		defer close(done)
		s.Watch(ctx, func(c function.Change) {
			select {
			case seen <- c:
			case <-ctx.Done():
			}
		})
	}()
	settle(t, s, seen)
	return seen, func() {
		cancel()
		<-done
	}
}

// settle deletes a function that does not exist until the notice of the last deletion has arrived.
func settle(t *testing.T, s Store, seen <-chan function.Change) {
	t.Helper()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	timeout := time.After(patience)
	for probe := 0; ; probe++ {
		probed := function.Ref{Namespace: "watch", ID: time.Duration(probe).String()}
		wantNoError(t, s.Delete(t.Context(), probed))
		select {
		case c := <-seen:
			for c.Ref != probed {
				c = Next(t, seen)
			}
			return
		case <-tick.C:
		case <-timeout:
			t.Fatal("Watch sees nothing")
		}
	}
}

// Next returns the next change; it fails the test when none comes.
func Next(t *testing.T, changes <-chan function.Change) function.Change {
	t.Helper()
	select {
	case c := <-changes:
		return c
	case <-time.After(patience):
		t.Fatal("no change was announced")
		return function.Change{}
	}
}

func testWatchSeesEveryWrite(t *testing.T, s Store) {
	first, _ := Watching(t, s)
	second, _ := Watching(t, s)
	settle(t, s, first) // past the probes of the second
	settle(t, s, second)
	colon := function.Ref{Namespace: "a:b", ID: "c:d"}
	ofRef, ofNamespace := function.Change{Ref: ref}, function.Change{Namespace: "a/b"}
	ofSecrets := function.Change{Secrets: "a/b"}
	for _, step := range []struct {
		name  string
		write func() error
		want  function.Change
	}{
		{"put", func() error { put(t, s, ref, "1", nil); return nil }, ofRef},
		{"set", func() error { return s.SetEnv(t.Context(), ref, "A", "1") }, ofRef},
		{"unset", func() error { return s.UnsetEnv(t.Context(), ref, "A") }, ofRef},
		{"delete", func() error { return s.Delete(t.Context(), ref) }, ofRef},
		{"put with colons", func() error { put(t, s, colon, "1", nil); return nil }, function.Change{Ref: colon}},
		{"put namespace", func() error { return s.PutNamespace(t.Context(), &function.Namespace{Name: "a/b"}) }, ofNamespace},
		{"delete namespace", func() error { return s.DeleteNamespace(t.Context(), "a/b") }, ofNamespace},
		{"put route", func() error { return s.PutRoute(t.Context(), route("r", "", "/")) }, function.Change{Routes: true}},
		{"put key", func() error { return s.PutKey(t.Context(), key("k")) }, function.Change{Keys: true}},
		{"delete key", func() error { return s.DeleteKey(t.Context(), "k") }, function.Change{Keys: true}},
		{"add public", func() error { return s.AddPublic(t.Context(), open(ref)) }, function.Change{Public: true}},
		{"remove public", func() error { return s.RemovePublic(t.Context(), ref) }, function.Change{Public: true}},
		{"put limits", func() error {
			return s.PutNamespaceLimits(t.Context(), usage.Namespace{Name: "ns"})
		}, function.Change{Limits: true}},
		{"delete limits", func() error { return s.DeleteNamespaceLimits(t.Context(), "ns") }, function.Change{Limits: true}},
		{"put secret", func() error { return s.PutSecret(t.Context(), secret("a/b", "", "S", "1"), nil) }, ofSecrets},
		{"delete secret", func() error {
			return s.DeleteSecret(t.Context(), secret("a/b", "c", "S", "1").SecretRef)
		}, ofSecrets},
		{"delete secrets", func() error {
			return s.DeleteSecrets(t.Context(), function.SecretScope{Namespace: "a/b", ID: "c"})
		}, ofSecrets},
		{"delete route", func() error { return s.DeleteRoute(t.Context(), "r") }, function.Change{Routes: true}},
	} {
		wantNoError(t, step.write())
		for _, changes := range []<-chan function.Change{first, second} {
			if got := nextOther(t, changes); got != step.want {
				t.Errorf("%s was announced as %+v", step.name, got)
			}
		}
	}
}

// nextOther returns the next change that is not a probe of settle.
func nextOther(t *testing.T, changes <-chan function.Change) function.Change {
	t.Helper()
	for {
		if c := Next(t, changes); c.Ref.Namespace != "watch" {
			return c
		}
	}
}

func testWatchEndsWithItsContext(t *testing.T, s Store) {
	changes, stop := Watching(t, s)
	put(t, s, ref, "1", nil)
	Next(t, changes)
	stop()
	put(t, s, ref, "2", nil)
	select {
	case c := <-changes:
		t.Errorf("%+v was announced after Watch had returned", c)
	default:
	}
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	s.Watch(ended, func(c function.Change) { t.Errorf("%+v was announced to an ended Watch", c) })
}
