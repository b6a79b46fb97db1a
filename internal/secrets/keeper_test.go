package secrets

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/backstage/functions/internal/function"
	"github.com/backstage/functions/internal/outcome"
)

// memory is a store in a map, which can fail and counts what is read.
type memory struct {
	mu    sync.Mutex // guards the fields below
	all   map[function.SecretRef]*function.Secret
	fail  error
	reads atomic.Int64
}

func (m *memory) do(what func()) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.fail == nil {
		what()
	}
	return m.fail
}

func (m *memory) Secrets(_ context.Context, scope function.SecretScope) (all []*function.Secret, err error) {
	m.reads.Add(1)
	err = m.do(func() {
		for ref, s := range m.all {
			if ref.SecretScope == scope {
				all = append(all, function.ParseSecret(ref, s.Record()))
			}
		}
	})
	return all, err
}

func (m *memory) PutSecret(_ context.Context, s, was *function.Secret) (err error) {
	failed := m.do(func() {
		stored := m.all[s.SecretRef]
		if (stored == nil) != (was == nil) || stored != nil && string(stored.Record()) != string(was.Record()) {
			err = function.ErrSecretConflict
			return
		}
		m.all[s.SecretRef] = s
	})
	return errors.Join(failed, err)
}

func (m *memory) DeleteSecret(_ context.Context, ref function.SecretRef) error {
	return m.do(func() { delete(m.all, ref) })
}

func (m *memory) DeleteSecrets(_ context.Context, scope function.SecretScope) error {
	return m.do(func() {
		for ref := range m.all {
			if ref.SecretScope == scope {
				delete(m.all, ref)
			}
		}
	})
}

func (m *memory) SecretScopes(context.Context) (all []function.SecretScope, err error) {
	err = m.do(func() {
		for ref := range m.all {
			if !slices.Contains(all, ref.SecretScope) {
				all = append(all, ref.SecretScope)
			}
		}
	})
	return all, err
}

func newMemory() *memory { return &memory{all: map[function.SecretRef]*function.Secret{}} }

// put puts the record of one secret in the place of another, as who writes to the store can.
func (m *memory) put(ref function.SecretRef, s *function.Secret) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.all[ref] = function.ParseSecret(ref, s.Record())
}

func (m *memory) get(ref function.SecretRef) *function.Secret {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.all[ref]
}

func newKeeper(t *testing.T, store Store, change func(*Options)) *Keeper {
	t.Helper()
	o := Options{Store: store, KeysetFile: filepath.Join(t.TempDir(), "keyset")}
	if _, err := CreateKeyset(o.KeysetFile); err != nil {
		t.Fatal(err)
	}
	if change != nil {
		change(&o)
	}
	k, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	return k
}

var pay = function.Ref{Namespace: "shop", ID: "pay"}

func refOf(id, name string) function.SecretRef {
	return function.SecretRef{SecretScope: function.SecretScope{Namespace: "shop", ID: id}, Name: name}
}

func putValue(t *testing.T, k *Keeper, id, name, value string) {
	t.Helper()
	if err := k.Put(t.Context(), refOf(id, name), value); err != nil {
		t.Fatal(err)
	}
}

func wantValues(t *testing.T, k *Keeper, want string, names ...string) *Set {
	t.Helper()
	set, err := k.For(t.Context(), pay, names)
	if err != nil {
		t.Fatal(err)
	}
	if string(set.Values) != want {
		t.Errorf("got %s, want %s", set.Values, want)
	}
	return set
}

func wantReason(t *testing.T, k *Keeper, reason string, names ...string) error {
	t.Helper()
	_, err := k.For(t.Context(), pay, names)
	refused, ok := errors.AsType[*Error](err)
	if !ok || refused.Reason != reason {
		t.Fatalf("got %v, want %s", err, reason)
	}
	if o := outcome.Of(fmt.Errorf("run: %w", err)); o.Status != 500 || o.Reason != reason || o.Message == "" {
		t.Errorf("it means %+v", o)
	}
	return err
}

func TestSecretsOfAFunctionGoBeforeThoseOfItsNamespace(t *testing.T) {
	k := newKeeper(t, newMemory(), nil)
	putValue(t, k, "", "A", "of the namespace")
	putValue(t, k, "", "B", "of the namespace")
	putValue(t, k, "pay", "B", "of the function")
	putValue(t, k, "other", "A", "of another")
	wantValues(t, k, `{"A":"of the namespace","B":"of the function"}`, "A", "B")
	wantValues(t, k, `{"B":"of the function"}`, "B")
	if err := k.DeleteAll(t.Context(), function.SecretScope(pay)); err != nil {
		t.Fatal(err)
	}
	wantValues(t, k, `{"B":"of the namespace"}`, "B")
	if err := k.Delete(t.Context(), refOf("", "B")); err != nil {
		t.Fatal(err)
	}
	err := wantReason(t, k, ReasonMissing, "A", "B")
	if !strings.Contains(err.Error(), "the secret B of shop/pay") {
		t.Errorf("the error is %v", err)
	}
	var none *Keeper
	if set, err := none.For(t.Context(), pay, nil); set != nil || err != nil {
		t.Errorf("a function without secrets gets %v, %v", set, err)
	}
}

func TestANewValueIsThereAtOnce(t *testing.T) {
	store := newMemory()
	k := newKeeper(t, store, nil)
	other := newKeeper(t, store, func(o *Options) { o.KeysetFile = k.KeysetFile })
	putValue(t, k, "", "A", "1")
	first := wantValues(t, other, `{"A":"1"}`, "A")
	reads := store.reads.Load()
	if second := wantValues(t, other, `{"A":"1"}`, "A"); second != first || store.reads.Load() != reads {
		t.Error("values in memory were read again")
	}
	putValue(t, k, "", "A", "2")
	wantValues(t, k, `{"A":"2"}`, "A")
	other.Changed(function.Change{Secrets: "elsewhere"})
	wantValues(t, other, `{"A":"1"}`, "A")
	other.Changed(function.Change{Secrets: "shop"})
	if set := wantValues(t, other, `{"A":"2"}`, "A"); set.Tag == first.Tag {
		t.Error("another value has the same tag")
	}
	putValue(t, k, "", "A", "3")
	other.Changed(function.Change{All: true})
	wantValues(t, other, `{"A":"3"}`, "A")
}

func TestALostNoticeIsMadeUpFor(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := newMemory()
		k := newKeeper(t, store, nil)
		other := newKeeper(t, store, func(o *Options) { o.KeysetFile = k.KeysetFile })
		putValue(t, k, "", "A", "1")
		wantValues(t, other, `{"A":"1"}`, "A")
		time.Sleep(time.Millisecond) // the clock stands still in here
		putValue(t, k, "", "A", "2")
		wantValues(t, other, `{"A":"1"}`, "A")
		time.Sleep(maxStale)
		wantValues(t, other, `{"A":"2"}`, "A")
	})
}

func TestValuesInMemoryGoOnWithoutTheStore(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := newMemory()
		k := newKeeper(t, store, nil)
		putValue(t, k, "", "A", "1")
		wantValues(t, k, `{"A":"1"}`, "A")
		store.fail = fmt.Errorf("away: %w", function.ErrUnavailable)
		for range 3 {
			time.Sleep(maxStale)
			wantValues(t, k, `{"A":"1"}`, "A")
		}
		reads := store.reads.Load()
		wantValues(t, k, `{"A":"1"}`, "A")
		if store.reads.Load() != reads {
			t.Error("each call asks a store that is away")
		}
		if _, err := k.For(t.Context(), pay, []string{"B"}); !errors.Is(err, function.ErrUnavailable) {
			t.Errorf("unknown ones: %v", err)
		}
		store.fail = nil
		putValue(t, k, "", "B", "2")
		wantValues(t, k, `{"B":"2"}`, "B")
	})
}

func TestWhoWritesToTheStoreSwapsNothing(t *testing.T) {
	store := newMemory()
	var failed []string
	k := newKeeper(t, store, func(o *Options) { o.Failed = func(reason string) { failed = append(failed, reason) } })
	putValue(t, k, "", "CHEAP", "a cheap one")
	putValue(t, k, "", "DEAR", "a dear one")
	wantValues(t, k, `{"CHEAP":"a cheap one","DEAR":"a dear one"}`, "CHEAP", "DEAR")
	dear, old := refOf("", "DEAR"), store.get(refOf("", "DEAR"))
	store.put(dear, store.get(refOf("", "CHEAP")))
	k.Changed(function.Change{All: true})
	wantReason(t, k, ReasonDamaged, "CHEAP", "DEAR")
	wantValues(t, k, `{"CHEAP":"a cheap one"}`, "CHEAP") // other functions go on
	store.put(dear, old)
	k.Changed(function.Change{All: true})
	wantValues(t, k, `{"DEAR":"a dear one"}`, "DEAR")

	putValue(t, k, "", "DEAR", "a newer one")
	wantValues(t, k, `{"DEAR":"a newer one"}`, "DEAR")
	store.put(dear, old)
	k.Changed(function.Change{All: true})
	wantReason(t, k, ReasonReplayed, "DEAR")
	store.put(dear, &function.Secret{})
	k.Changed(function.Change{All: true})
	wantReason(t, k, ReasonDamaged, "DEAR")
	putValue(t, k, "", "DEAR", "put again")
	wantValues(t, k, `{"DEAR":"put again"}`, "DEAR")
	if want := []string{ReasonDamaged, ReasonReplayed, ReasonDamaged}; !slices.Equal(failed, want) {
		t.Errorf("counted %v", failed)
	}
}

func TestVersionsGrowWhateverTheClockSays(t *testing.T) {
	store := newMemory()
	k := newKeeper(t, store, nil)
	ref := refOf("", "A")
	var last time.Time
	for i := range 5 {
		putValue(t, k, "", "A", "x")
		s := store.get(ref)
		if s.Version != int64(i+1) || !s.Updated.After(last) {
			t.Fatalf("%d: %+v", i, s)
		}
		last = s.Updated
	}
	ahead := sealed(t, k.keys.current.Load(), &function.Secret{
		SecretRef: ref, Version: 6, Created: last, Updated: last.Add(time.Hour),
	}, "of a server whose clock is ahead")
	store.put(ref, ahead)
	putValue(t, k, "", "A", "x")
	if s := store.get(ref); s.Version != 7 || !s.Updated.After(ahead.Updated) {
		t.Errorf("got %+v", s)
	}
	if err := k.Delete(t.Context(), ref); err != nil {
		t.Fatal(err)
	}
	putValue(t, k, "", "A", "again")
	if s := store.get(ref); s.Version != 1 || !s.Updated.After(ahead.Updated) {
		t.Errorf("after it was deleted: %+v", s)
	}
	wantValues(t, k, `{"A":"again"}`, "A")
}

func TestWithoutAKeysetNothingIsStored(t *testing.T) {
	store := newMemory()
	putValue(t, newKeeper(t, store, nil), "", "A", "1")
	k, err := New(Options{Store: store})
	if err != nil {
		t.Fatal(err)
	}
	if err := k.Put(t.Context(), refOf("", "B"), "1"); !errors.Is(err, ErrNoKeyset) || outcome.Of(err).Status != 501 {
		t.Errorf("got %v", err)
	}
	wantReason(t, k, ReasonNoKeyset, "A")
	if all, err := k.List(t.Context(), function.SecretScope{Namespace: "shop"}); err != nil || len(all) != 1 {
		t.Errorf("listed are %v, %v", all, err)
	}
	if _, err := New(Options{Store: store, KeysetFile: filepath.Join(t.TempDir(), "none")}); err == nil {
		t.Error("a missing file is none")
	}
}

func TestManyPutsEachBecomeAVersion(t *testing.T) {
	store := newMemory()
	k := newKeeper(t, store, nil)
	var writers sync.WaitGroup
	for i := range tries - 1 {
		writers.Go(func() {
			if err := k.Put(t.Context(), refOf("", "A"), fmt.Sprint(i)); err != nil {
				t.Error(err)
			}
		})
	}
	writers.Wait()
	if s := store.get(refOf("", "A")); s.Version != tries-1 {
		t.Errorf("got %+v", s)
	}
}

func TestValuesInMemoryAreBounded(t *testing.T) {
	store := newMemory()
	k := newKeeper(t, store, func(o *Options) { o.CacheBytes = 4 * setOverhead })
	putValue(t, k, "", "A", "1")
	for i := range 20 {
		ref := function.Ref{Namespace: "shop", ID: fmt.Sprint(i)}
		if _, err := k.For(t.Context(), ref, []string{"A"}); err != nil {
			t.Fatal(err)
		}
	}
	k.cache.mu.Lock()
	used, entries := k.cache.used, len(k.cache.byKey)
	k.cache.mu.Unlock()
	if used > k.CacheBytes || entries > 4 || entries == 0 {
		t.Errorf("%d bytes of %d functions are in memory", used, entries)
	}
	k.cache.dropIdle(time.Now().Add(maxIdle))
	if k.cache.used != 0 || len(k.cache.byKey) != 0 {
		t.Errorf("%d bytes of %d functions stay", k.cache.used, len(k.cache.byKey))
	}
}

func TestCallersShareAReading(t *testing.T) {
	store := newMemory()
	k := newKeeper(t, store, nil)
	putValue(t, k, "pay", "A", "1")
	before := store.reads.Load()
	var callers sync.WaitGroup
	for range 50 {
		callers.Go(func() { wantValues(t, k, `{"A":"1"}`, "A") })
	}
	callers.Wait()
	if n := store.reads.Load() - before; n != 1 {
		t.Errorf("%d readings", n)
	}
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := k.For(ended, pay, []string{"A"}); err != nil {
		t.Errorf("what is in memory: %v", err)
	}
}

func TestRotationReachesServersThatRun(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := newMemory()
		var said strings.Builder
		k := newKeeper(t, store, func(o *Options) { o.Log = slog.New(slog.NewTextHandler(&said, nil)) })
		for i := range 5 {
			putValue(t, k, "", fmt.Sprintf("A%d", i), "1")
			putValue(t, k, "pay", fmt.Sprintf("A%d", i), "2")
		}
		store.put(refOf("", "BROKEN"), &function.Secret{})
		wantValues(t, k, `{"A1":"2"}`, "A1")
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		go k.Run(ctx)
		synctest.Wait()
		old := k.keys.current.Load()
		next, err := old.Rotated()
		if err != nil {
			t.Fatal(err)
		}
		if err := ReplaceKeyset(k.KeysetFile, next); err != nil {
			t.Fatal(err)
		}
		time.Sleep(2 * every)
		synctest.Wait()
		cancel()
		synctest.Wait()
		for ref, s := range store.all {
			if id, _ := keyOf(s.Sealed); id != next.Primary() && ref.Name != "BROKEN" {
				t.Errorf("%s is encrypted with %d", ref, id)
			}
			if s.Version > 1 {
				t.Errorf("%s has version %d", ref, s.Version)
			}
		}
		k.Changed(function.Change{All: true})
		wantValues(t, k, `{"A1":"2"}`, "A1")
		if !strings.Contains(said.String(), "All secrets are encrypted with the primary key") ||
			!strings.Contains(said.String(), "changed=10") || !strings.Contains(said.String(), "secrets=1") {
			t.Errorf("the log says %s", said.String())
		}
	})
}

func TestAKeyOfAnotherServerIsReadBeforeItIsMissed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := newMemory()
		k := newKeeper(t, store, nil)
		next, err := k.keys.current.Load().Rotated()
		if err != nil {
			t.Fatal(err)
		}
		if err := ReplaceKeyset(k.KeysetFile, next); err != nil {
			t.Fatal(err)
		}
		store.put(refOf("", "A"), sealed(t, next, &function.Secret{
			SecretRef: refOf("", "A"), Version: 1, Created: time.Now(), Updated: time.Now(),
		}, "1"))
		time.Sleep(again)
		wantValues(t, k, `{"A":"1"}`, "A")
	})
}

func TestWritersAndARotationLoseNothing(t *testing.T) {
	store := newMemory()
	k := newKeeper(t, store, nil)
	const secrets, writes = 5, 40
	next, err := k.keys.current.Load().Rotated()
	if err != nil {
		t.Fatal(err)
	}
	for i := range secrets {
		putValue(t, k, "", fmt.Sprintf("A%d", i), "0")
	}
	var all sync.WaitGroup
	for i := range secrets {
		all.Go(func() {
			for n := range writes {
				if err := k.Put(t.Context(), refOf("", fmt.Sprintf("A%d", i)), fmt.Sprint(n+1)); err != nil {
					t.Error(err)
				}
			}
		})
	}
	all.Go(func() {
		for range 10 {
			if _, err := Reseal(t.Context(), store, next); err != nil && !errors.Is(err, errContended) {
				t.Error(err)
			}
		}
	})
	all.Wait()
	done, err := Reseal(t.Context(), store, next)
	if err != nil || done.Secrets != secrets || done.Damaged != 0 {
		t.Errorf("done %+v, %v", done, err)
	}
	for ref, s := range store.all {
		if value, err := next.open(s); err != nil || string(value) != fmt.Sprint(writes) || s.Version != writes+1 {
			t.Errorf("%s is %q in version %d, %v", ref, value, s.Version, err)
		}
	}
}
