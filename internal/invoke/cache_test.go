package invoke

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/backstage/functions/internal/function"
	"github.com/backstage/functions/sandbox"
)

// expectAsked fails unless the source was asked so often for whole functions and for revisions.
func (f *fixture) expectAsked(t *testing.T, gets, revisions int) {
	t.Helper()
	if g, v := f.source.counts(); g != gets || v != revisions {
		t.Errorf("asked for %d functions and %d revisions, want %d and %d", g, v, gets, revisions)
	}
}

func (f *fixture) expectBody(t *testing.T, name, want string) {
	t.Helper()
	if got := f.body(t, name); got != `"`+want+`"` {
		t.Errorf("%s ran %s, want %s", name, got, want)
	}
}

func TestHotRunAsksTheSourceNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(stored("a/b", "one"))
		for range 100 {
			f.expectBody(t, "a/b", "one")
		}
		f.expectAsked(t, 1, 0)
	})
}

func TestConcurrentMissesLoadOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(stored("a/b", "one"))
		f.source.getDelay = time.Second
		var group sync.WaitGroup
		for range 50 {
			group.Go(func() { f.expectBody(t, "a/b", "one") })
		}
		group.Wait()
		f.expectAsked(t, 1, 0)
	})
}

func TestErrorsAreNotKept(t *testing.T) {
	f := newFixture()
	if _, err := f.Run(t.Context(), Call{Ref: ref("a/b")}); !errors.Is(err, function.ErrNotFound) {
		t.Errorf("error %v", err)
	}
	f.source.put("a/b", "one", "v1")
	f.expectBody(t, "a/b", "one")
}

func TestCallerThatLeavesDoesNotSpoilTheLoad(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(stored("a/b", "one"))
		f.source.getDelay = time.Second
		ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
		defer cancel()
		start := time.Now()
		if _, err := f.Run(ctx, Call{Ref: ref("a/b")}); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("error %v", err)
		}
		if waited := time.Since(start); waited != 100*time.Millisecond {
			t.Errorf("the caller waited %v", waited)
		}
		f.expectBody(t, "a/b", "one")
		f.expectAsked(t, 1, 0)
	})
}

func TestSteadyUseChecksTheVersionWithoutWaiting(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(stored("a/b", "one"))
		f.body(t, "a/b")
		f.source.versionDelay = 100 * time.Millisecond
		time.Sleep(600 * time.Millisecond)
		start := time.Now()
		for range 10 {
			f.expectBody(t, "a/b", "one")
		}
		if waited := time.Since(start); waited != 0 {
			t.Errorf("calls waited %v", waited)
		}
		time.Sleep(200 * time.Millisecond)
		f.expectBody(t, "a/b", "one")
		f.expectAsked(t, 1, 1)
	})
}

func TestLostMessageIsNoticedWithinMaxStale(t *testing.T) {
	for _, row := range []struct {
		name string
		idle time.Duration
	}{{"just stale", time.Second}, {"idle for an hour", time.Hour}} {
		t.Run(row.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				f := newFixture(stored("a/b", "one"))
				f.body(t, "a/b")
				f.source.put("a/b", "two", "v2")
				time.Sleep(row.idle)
				f.expectBody(t, "a/b", "two")
				f.expectAsked(t, 2, 1)
			})
		})
	}
}

func TestFunctionDeletedElsewhereIsNoticed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(stored("a/b", "one"))
		f.body(t, "a/b")
		f.source.remove("a/b")
		time.Sleep(time.Second)
		for range 2 {
			if _, err := f.Run(t.Context(), Call{Ref: ref("a/b")}); !errors.Is(err, function.ErrNotFound) {
				t.Errorf("error %v", err)
			}
		}
	})
}

func TestRecordWithoutVersionIsLoadedOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFixture()
		f.source.put("a/b", "one", "")
		f.body(t, "a/b")
		time.Sleep(time.Second)
		f.body(t, "a/b")
		f.expectAsked(t, 1, 1)
		f.source.put("a/b", "two", "")
		time.Sleep(time.Second)
		f.expectBody(t, "a/b", "two")
	})
}

func TestCachedFunctionRunsWhileTheStoreIsAway(t *testing.T) {
	for _, row := range []struct {
		name string
		away func(*fakeSource)
	}{
		{"refused", func(s *fakeSource) { s.fail = fmt.Errorf("redis: %w", function.ErrUnavailable) }},
		{"silent", func(s *fakeSource) { s.versionDelay, s.getDelay = time.Hour, time.Hour }},
	} {
		t.Run(row.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				f := newFixture(stored("a/b", "one"), stored("a/c", "one"), stored("a/new", "one"))
				f.body(t, "a/b")
				f.body(t, "a/c")
				f.source.set(row.away)
				time.Sleep(time.Minute)
				start := time.Now()
				for range 60 {
					f.expectBody(t, "a/b", "one")
					f.expectBody(t, "a/c", "one")
					time.Sleep(100 * time.Millisecond)
				}
				if waited := time.Since(start) - 6*time.Second; waited > revisionTimeout {
					t.Errorf("calls waited %v in all for a store that is away", waited)
				}
				if _, err := f.Run(t.Context(), Call{Ref: ref("a/new")}); !errors.Is(err, function.ErrUnavailable) {
					t.Errorf("function that is not in memory: error %v", err)
				}
				f.expectBody(t, "a/b", "one")
				synctest.Wait() // until the check that call began has asked the store that is still away

				f.source.set(func(s *fakeSource) { s.fail, s.versionDelay, s.getDelay = nil, 0, 0 })
				f.source.put("a/b", "two", "v2")
				time.Sleep(revisionTimeout + time.Second)
				f.body(t, "a/b")
				synctest.Wait()
				f.expectBody(t, "a/b", "two")
				if text := f.recorder.text(); strings.Contains(text, "a/new") {
					t.Errorf("counted a function that was not loaded: %s", text)
				}
			})
		})
	}
}

func TestStoreThatIsAwayIsLoggedOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var log bytes.Buffer
		source := newSource(stored("a/b", "one"))
		v := New(Options{Pool: &fakePool{}, Source: source, Logger: slog.New(slog.NewTextHandler(&log, nil))})
		run := func() {
			if _, err := v.Run(t.Context(), Call{Ref: ref("a/b")}); err != nil {
				t.Error(err)
			}
			synctest.Wait()
			time.Sleep(2 * time.Second)
		}
		run()
		source.set(func(s *fakeSource) { s.fail = function.ErrUnavailable })
		run()
		run()
		source.set(func(s *fakeSource) { s.fail = nil })
		run()
		run()
		for text, want := range map[string]int{
			`msg="Get code from database, namespace: a codeId: b and store on cache"`: 1,
			`msg="Storage is unavailable, functions in memory keep running"`:          1,
			`msg="Storage is available again"`:                                        1,
		} {
			if got := strings.Count(log.String(), text); got != want {
				t.Errorf("%s logged %d times, want %d, in\n%s", text, got, want, &log)
			}
		}
	})
}

func TestUnreadableVersionKeepsTheFunctionRunning(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(stored("a/b", "one"))
		f.body(t, "a/b")
		f.source.set(func(s *fakeSource) { s.fail = errors.New("wrong type") })
		time.Sleep(time.Second)
		for range 3 {
			f.expectBody(t, "a/b", "one")
		}
		f.expectAsked(t, 1, 1)
	})
}

func TestChangedDropsWhatItNames(t *testing.T) {
	for _, row := range []struct {
		name   string
		change function.Change
		want   string // which of a/1, a/2, b/1 run their new code
	}{
		{"one function", function.Change{Ref: ref("a/1")}, "a/1"},
		{"a namespace", function.Change{Namespace: "a"}, "a/1 a/2"},
		{"all", function.Change{All: true}, "a/1 a/2 b/1"},
		{"another function", function.Change{Ref: ref("a/3")}, ""},
	} {
		t.Run(row.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				names := []string{"a/1", "a/2", "b/1"}
				f := newFixture()
				for _, name := range names {
					f.source.put(name, "old", "v1")
					f.body(t, name)
					f.source.put(name, "new", "v2")
				}
				f.Changed(row.change)
				var renewed []string
				for _, name := range names {
					if f.body(t, name) == `"new"` {
						renewed = append(renewed, name)
					}
				}
				if got := strings.Join(renewed, " "); got != row.want {
					t.Errorf("new code: %q, want %q", got, row.want)
				}
			})
		})
	}
}

func TestFlushKeepsFunctionsRunningWhenTheStoreLeavesAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(stored("a/b", "one"))
		f.body(t, "a/b")
		f.Changed(function.Change{All: true})
		f.source.set(func(s *fakeSource) { s.fail = function.ErrUnavailable })
		f.expectBody(t, "a/b", "one")
	})
}

func TestChangeDuringALoadIsNotOverwritten(t *testing.T) {
	for _, change := range []function.Change{{Ref: ref("a/b")}, {Namespace: "a"}, {All: true}} {
		t.Run(fmt.Sprintf("%+v", change), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				f := newFixture(stored("a/b", "old"))
				f.source.getDelay = time.Second
				var early sync.WaitGroup
				early.Go(func() { f.body(t, "a/b") })
				time.Sleep(500 * time.Millisecond) // the old record is read, but has not arrived
				f.source.put("a/b", "new", "v2")
				f.Changed(change)
				f.expectBody(t, "a/b", "new")
				early.Wait()
				f.expectBody(t, "a/b", "new")
				f.expectAsked(t, 2, 0)
			})
		})
	}
}

func TestChangeDuringACheckIsNotOverwritten(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(stored("a/b", "old"))
		f.body(t, "a/b")
		f.source.versionDelay = 200 * time.Millisecond
		time.Sleep(600 * time.Millisecond)
		f.body(t, "a/b") // starts a check, which reads the old revision
		time.Sleep(100 * time.Millisecond)
		f.source.put("a/b", "new", "v2")
		f.Changed(function.Change{All: true})
		time.Sleep(200 * time.Millisecond)
		f.expectBody(t, "a/b", "new")
	})
}

func TestFailureFromBeforeAFlushDelaysNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(stored("a/b", "old"))
		f.body(t, "a/b")
		f.source.versionDelay = time.Hour
		time.Sleep(600 * time.Millisecond)
		f.body(t, "a/b") // starts a check, which will time out
		time.Sleep(100 * time.Millisecond)
		f.source.set(func(s *fakeSource) { s.versionDelay = 0 })
		f.source.put("a/b", "new", "v2")
		f.Changed(function.Change{All: true})
		time.Sleep(revisionTimeout)
		synctest.Wait()
		f.expectBody(t, "a/b", "new")
	})
}

func TestCacheKeepsWhatWasUsedLastWithinItsBound(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		code := strings.Repeat("x", 10_000)
		source := newSource(stored("a/1", code), stored("a/2", code), stored("a/3", code), stored("a/huge", code+code+code))
		v := New(Options{Pool: &fakePool{}, Source: source, CacheBytes: 50_000})
		for _, row := range []struct {
			name string
			gets int // in all, after this run
		}{
			{"a/1", 1},
			{"a/2", 2},
			{"a/1", 2},
			{"a/3", 3}, // in place of a/2
			{"a/1", 3},
			{"a/2", 4}, // in place of a/3
			{"a/huge", 5},
			{"a/huge", 6}, // never kept
		} {
			if _, err := v.Run(t.Context(), Call{Ref: ref(row.name)}); err != nil {
				t.Fatal(err)
			}
			if gets, _ := source.counts(); gets != row.gets {
				t.Errorf("after %s: %d loads, want %d", row.name, gets, row.gets)
			}
			if used := v.cache.kept.used; used > 50_000 || used < 0 {
				t.Errorf("after %s: %d bytes in memory", row.name, used)
			}
		}
	})
}

func TestCompiledCodeCountsForTheBound(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const limit = 50_000
		code := strings.Repeat("x", 10_000)
		source, pool := newSource(stored("a/1", code), stored("a/2", code)), &fakePool{}
		v := New(Options{Pool: pool, Source: source, CacheBytes: limit})
		run := func(name string) *sandbox.Compiled {
			if _, err := v.Run(t.Context(), Call{Ref: ref(name)}); err != nil {
				t.Fatal(err)
			}
			calls := pool.seen()
			return calls[len(calls)-1].Compiled
		}
		expect := func(when string, functions int, bytes int64) {
			t.Helper()
			if s := v.cache.stats(); s.Functions != functions || s.Bytes/1000 != bytes/1000 {
				t.Errorf("%s: %d functions of %d bytes, want %d of about %d", when, s.Functions, s.Bytes, functions, bytes)
			}
		}
		first := run("a/1")
		second := run("a/2")
		expect("nothing is compiled", 2, 2*(20_000+entryOverhead))
		first.Kept(5_000)
		expect("less than was set aside", 2, 2*(20_000+entryOverhead))
		second.Kept(30_000)
		expect("a/1 made room", 1, 40_000+entryOverhead)
		first.Kept(30_000)
		expect("what is not in the cache is not counted", 1, 40_000+entryOverhead)
		second.Kept(limit)
		expect("what is larger than the bound is dropped", 0, 0)
		run("a/1").Kept(20_000)
		expect("it was loaded anew", 1, 30_000+entryOverhead)
		v.Changed(function.Change{Ref: ref("a/1")})
		expect("a change takes out what it took", 0, 0)
	})
}
