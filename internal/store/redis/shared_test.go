package redis

import (
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"

	"github.com/backstage/functions/internal/function"
	"github.com/backstage/functions/internal/store/storetest"
	"github.com/backstage/functions/internal/testenv"
)

func TestServersHearOfEachOthersWrites(t *testing.T) {
	for name, endpoint := range map[string]string{
		"alone":   "redis://" + testenv.Redis(t).Addr,
		"cluster": "redis+cluster://" + testenv.RedisCluster(t).Addr,
	} {
		t.Run(name, func(t *testing.T) {
			here, there := open(t, endpoint), open(t, endpoint)
			stranger := openPrefix(t, endpoint, "other")
			changes, _ := storetest.Watching(t, here)
			put(t, stranger, ref, "1", nil)
			put(t, there, ref, "2", nil)
			if got := storetest.Next(t, changes); got != (function.Change{Ref: ref}) {
				t.Errorf("got %+v", got)
			}
			if f, err := here.Get(t.Context(), ref); err != nil || f.Code != "2" {
				t.Errorf("got %+v, %v", f, err)
			}
			check(t, there.PutNamespace(t.Context(), &function.Namespace{Name: "ns"}))
			if got := storetest.Next(t, changes); got != (function.Change{Namespace: "ns"}) {
				t.Errorf("got %+v", got)
			}
		})
	}
}

func TestStoredFunctionsAreListedHoweverWritesMeet(t *testing.T) {
	for name, endpoint := range map[string]string{
		"alone":   "redis://" + testenv.Redis(t).Addr,
		"cluster": "redis+cluster://" + testenv.RedisCluster(t).Addr,
	} {
		t.Run(name, func(t *testing.T) {
			s := open(t, endpoint)
			for i := range 50 {
				r := function.Ref{Namespace: "ns", ID: fmt.Sprint(i)}
				var wg sync.WaitGroup
				for range 2 {
					wg.Go(func() {
						if _, err := s.Put(t.Context(), &function.Function{Ref: r, Code: "1"}); err != nil {
							t.Error(err)
						}
					})
					wg.Go(func() {
						if err := s.Delete(t.Context(), r); err != nil {
							t.Error(err)
						}
					})
				}
				wg.Wait()
				_, err := s.Get(t.Context(), r)
				page, listErr := s.List(t.Context(), function.Query{Namespace: "ns", ID: r.ID, Page: 1, PerPage: 1})
				check(t, listErr)
				if err == nil && page.Total == 0 {
					t.Errorf("%s is stored but not listed", r)
				}
				if name == "alone" && errors.Is(err, function.ErrNotFound) && page.Total != 0 {
					t.Errorf("%s is listed but not stored", r)
				}
			}
		})
	}
}

func TestAScriptThatRedisForgotIsSentAgain(t *testing.T) {
	s, raw := withRaw(t)
	put(t, s, ref, "1", nil)
	check(t, raw.ScriptFlush(t.Context()).Err())
	put(t, s, ref, "2", nil)
}

func TestAForbiddenChannelDoesNotStopWrites(t *testing.T) {
	s, raw := withRaw(t)
	check(t, raw.Do(t.Context(), "ACL", "SETUSER", "writer", "on", ">pw", "~local*", "+@all", "resetchannels").Err())
	limited := open(t, "redis://writer:pw@"+raw.Options().Addr)
	put(t, limited, ref, "1", nil)
	check(t, limited.SetEnv(t.Context(), ref, "A", "1"))
	check(t, limited.PutNamespace(t.Context(), &function.Namespace{Name: "ns"}))
	check(t, limited.Delete(t.Context(), ref))
	if _, err := s.GetNamespace(t.Context(), "ns"); err != nil {
		t.Error(err)
	}
}

func TestEditsOfOneServerWaitForEachOther(t *testing.T) {
	s, raw := withRaw(t)
	put(t, s, ref, "1", nil)
	check(t, s.SetEnv(t.Context(), ref, "A", "0")) // the scripts are known
	check(t, raw.ConfigResetStat(t.Context()).Err())
	var wg sync.WaitGroup
	for i := range 50 {
		wg.Go(func() {
			if err := s.SetEnv(t.Context(), ref, fmt.Sprint("V", i), "1"); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	stats, err := raw.InfoMap(t.Context(), "commandstats").Result()
	check(t, err)
	if got := stats["Commandstats"]["cmdstat_evalsha"]; !strings.HasPrefix(got, "calls=50,") {
		t.Errorf("50 edits wrote and tried to: %s", got)
	}
	if !s.edits.Idle() {
		t.Error("nobody edits, but a lock is held")
	}
}
