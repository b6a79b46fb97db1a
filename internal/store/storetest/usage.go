package storetest

import (
	"context"
	"slices"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/backstage/functions/internal/usage"
)

// usageTests are of what was used, and of the buckets of rates.
var usageTests = table{
	"UsageAddsUp":                testUsageAddsUp,
	"ABatchCountsOnce":           testABatchCountsOnce,
	"UsageOfManySubjects":        testUsageOfManySubjects,
	"UsageEnds":                  testUsageEnds,
	"ServersAreCounted":          testServersAreCounted,
	"TokensOfABucket":            testTokensOfABucket,
	"TokensAreTakenOnce":         testTokensAreTakenOnce,
	"ABucketFollowsItsRate":      testABucketFollowsItsRate,
	"BucketsOfManySubjectsApart": testBucketsOfManySubjectsApart,
}

var (
	shop = usage.Subject{Kind: usage.OfNamespace, Name: "shop"}
	// today at two o'clock, which is not too old wherever the test runs
	hour = usage.BeginOf(usage.DayOf(time.Now())).Add(2 * time.Hour)
)

// addUsage adds a batch of a server and returns its totals.
func addUsage(t *testing.T, s Store, server string, number uint64, records ...usage.Record) usage.Totals {
	t.Helper()
	totals, err := s.AddUsage(t.Context(), usage.Batch{
		Server: server, Number: number, Records: records, Keep: 30 * 24 * time.Hour,
	})
	wantNoError(t, err)
	if len(totals.Days) != len(records) {
		t.Fatalf("%d totals of %d records", len(totals.Days), len(records))
	}
	return totals
}

func wantUsage(t *testing.T, s Store, of usage.Subject, from, to time.Time, want ...usage.Record) {
	t.Helper()
	got, err := s.Usage(t.Context(), of, from, to)
	wantNoError(t, err)
	same := func(a, b usage.Record) bool {
		return a.Subject == b.Subject && a.Hour.Equal(b.Hour) && a.Amount == b.Amount
	}
	if !slices.EqualFunc(got, want, same) {
		t.Errorf("%s from %s to %s used %+v, want %+v", of, from, to, got, want)
	}
}

func testUsageAddsUp(t *testing.T, s Store) {
	first := usage.Amount{Calls: 3, CPU: 5 * time.Millisecond, Memory: 1 << 40, Egress: 7}
	second := usage.Amount{Calls: 1}
	both := first
	both.Add(second)
	next := hour.Add(time.Hour)
	for i, step := range []struct {
		server string
		record usage.Record
		total  usage.Amount
	}{
		{"a", usage.Record{Subject: shop, Hour: hour, Amount: first}, first},
		{"b", usage.Record{Subject: shop, Hour: hour.Add(59 * time.Minute), Amount: second}, both},
		{"a", usage.Record{Subject: shop, Hour: next}, both},
		{"a", usage.Record{Subject: shop, Hour: next, Amount: second}, usage.Amount{
			Calls: 5, CPU: first.CPU, Memory: first.Memory, Egress: first.Egress,
		}},
		{"b", usage.Record{Subject: shop, Hour: hour.Add(-24 * time.Hour), Amount: second}, second},
	} {
		if got := addUsage(t, s, step.server, uint64(i+1), step.record); got.Days[0] != step.total {
			t.Errorf("after step %d the day has %+v, want %+v", i, got.Days[0], step.total)
		}
	}
	yesterday := usage.Record{Subject: shop, Hour: hour.Add(-24 * time.Hour), Amount: second}
	of := usage.Record{Subject: shop, Hour: hour, Amount: both}
	ofNext := usage.Record{Subject: shop, Hour: next, Amount: second}
	wantUsage(t, s, shop, hour.Add(-48*time.Hour), hour.Add(48*time.Hour), yesterday, of, ofNext)
	wantUsage(t, s, shop, hour, next, of)
	wantUsage(t, s, shop, hour.Add(30*time.Minute), next.Add(time.Minute), of, ofNext)
	wantUsage(t, s, shop, next, next.Add(time.Hour), ofNext)
	wantUsage(t, s, shop, next.Add(time.Hour), next.Add(2*time.Hour))
	wantUsage(t, s, usage.Subject{Kind: usage.OfKey, Name: "shop"}, hour, next)
}

// A server sends a batch again of which it does not know whether it was added.
func testABatchCountsOnce(t *testing.T, s Store) {
	once := usage.Record{Subject: shop, Hour: hour, Amount: usage.Amount{Calls: 1}}
	for range 3 {
		if got := addUsage(t, s, "a", 7, once); got.Days[0] != once.Amount {
			t.Errorf("the day has %+v", got.Days[0])
		}
	}
	addUsage(t, s, "b", 7, once)
	addUsage(t, s, "a", 8, once)
	three := usage.Record{Subject: shop, Hour: hour, Amount: usage.Amount{Calls: 3}}
	wantUsage(t, s, shop, hour, hour.Add(time.Hour), three)
}

func testUsageOfManySubjects(t *testing.T, s Store) {
	var records []usage.Record
	for i, name := range []string{"a", "a:b", "a/b", "%2F", "é", `"`, "\x01", "{a}"} {
		for j, kind := range []usage.Kind{usage.OfNamespace, usage.OfFunction, usage.OfKey} {
			records = append(records, usage.Record{
				Subject: usage.Subject{Kind: kind, Name: name}, Hour: hour, Amount: usage.Amount{Calls: int64(3*i + j + 1)},
			})
		}
	}
	for i := range 1000 {
		records = append(records, usage.Record{
			Subject: usage.Subject{Kind: usage.OfFunction, Name: strconv.Itoa(i)}, Hour: hour,
			Amount: usage.Amount{Egress: int64(i + 1)},
		})
	}
	totals := addUsage(t, s, "a", 1, records...)
	for i, r := range records {
		if totals.Days[i] != r.Amount {
			t.Fatalf("%s has %+v, want %+v", r.Subject, totals.Days[i], r.Amount)
		}
	}
	for _, r := range records[:30] {
		wantUsage(t, s, r.Subject, hour, hour.Add(time.Hour), r)
	}
}

func testUsageEnds(t *testing.T, s Store) {
	old := usage.Record{Subject: shop, Hour: hour.Add(-31 * 24 * time.Hour), Amount: usage.Amount{Calls: 1}}
	kept := usage.Record{Subject: shop, Hour: hour.Add(-29 * 24 * time.Hour), Amount: usage.Amount{Calls: 1}}
	batch := usage.Batch{Server: "a", Number: 1, Records: []usage.Record{old, kept}, Keep: 60 * 24 * time.Hour}
	_, err := s.AddUsage(t.Context(), batch)
	wantNoError(t, err)
	wantUsage(t, s, shop, old.Hour, hour, old, kept)
	batch = usage.Batch{Server: "a", Number: 2, Keep: 0, Records: []usage.Record{{
		Subject: shop, Hour: kept.Hour, Amount: usage.Amount{Calls: 1},
	}, {Subject: shop, Hour: old.Hour, Amount: usage.Amount{Calls: 1}}}}
	_, err = s.AddUsage(t.Context(), batch)
	wantNoError(t, err)
	wantUsage(t, s, shop, old.Hour, hour)
}

func testServersAreCounted(t *testing.T, s Store) {
	for i, server := range []string{"a", "b", "a", "c"} {
		if got, want := addUsage(t, s, server, uint64(i+1)).Servers, []int{1, 2, 2, 3}[i]; got != want {
			t.Errorf("after %q there are %d servers, want %d", server, got, want)
		}
	}
}

// slow is a rate of which no token comes back while a test runs.
var slow = usage.Rate{Calls: 10, Per: 1000 * time.Hour}

func take(t *testing.T, s Store, of usage.Subject, rate usage.Rate, want int) usage.Grant {
	t.Helper()
	grants, err := s.TakeTokens(t.Context(), []usage.Take{{Subject: of, Rate: rate, Want: want}})
	wantNoError(t, err)
	if len(grants) != 1 {
		t.Fatalf("%d grants", len(grants))
	}
	return grants[0]
}

func testTokensOfABucket(t *testing.T, s Store) {
	for i, step := range []struct{ want, got int }{{3, 3}, {0, 0}, {6, 6}, {5, 1}, {1, 0}} {
		g := take(t, s, shop, slow, step.want)
		if g.Tokens != step.got {
			t.Errorf("step %d took %d tokens, want %d", i, g.Tokens, step.got)
		}
		if left := []int{7, 7, 1, 0, 0}[i]; g.Left != left {
			t.Errorf("step %d has left %d tokens, want %d", i, g.Left, left)
		}
		switch short := g.Tokens < step.want; {
		case short && (g.Wait < 90*time.Hour || g.Wait > 100*time.Hour), !short && g.Wait != 0:
			t.Errorf("step %d is to wait %v", i, g.Wait)
		}
	}
	fast := usage.Rate{Calls: 1, Per: time.Millisecond}
	other := usage.Subject{Kind: usage.OfKey, Name: "fast"}
	for range 3 { // it fills up again
		for deadline := time.Now().Add(patience); take(t, s, other, fast, 1).Tokens == 0; {
			if time.Now().After(deadline) {
				t.Fatal("the bucket stays empty")
			}
		}
	}
}

func testTokensAreTakenOnce(t *testing.T, s Store) {
	var mu sync.Mutex
	var wg sync.WaitGroup
	total := 0
	for range 8 {
		wg.Go(func() {
			for range 4 {
				grants, err := s.TakeTokens(context.Background(), []usage.Take{{Subject: shop, Rate: slow, Want: 1}})
				if err != nil {
					t.Error(err)
					return
				}
				mu.Lock()
				total += grants[0].Tokens
				mu.Unlock()
			}
		})
	}
	wg.Wait()
	if total != slow.Calls {
		t.Errorf("%d tokens were taken of %d", total, slow.Calls)
	}
}

func testABucketFollowsItsRate(t *testing.T, s Store) {
	if g := take(t, s, shop, slow, 2); g.Tokens != 2 {
		t.Errorf("took %+v", g)
	}
	if g := take(t, s, shop, usage.Rate{Calls: 5, Per: slow.Per}, 10); g.Tokens != 5 {
		t.Errorf("of a smaller bucket took %+v", g)
	}
	if g := take(t, s, shop, slow, 10); g.Tokens != 0 {
		t.Errorf("of a larger one, which is not full for that, took %+v", g)
	}
	fast := usage.Rate{Calls: 1_000_000_000, Per: time.Second} // a token comes back in less than one can measure
	if g := take(t, s, shop, fast, 1); g.Tokens != 1 {
		t.Errorf("the time since the last take does not count at a rate that is set meanwhile: %+v", g)
	}
}

func testBucketsOfManySubjectsApart(t *testing.T, s Store) {
	var takes []usage.Take
	for i := range 1200 {
		for _, kind := range []usage.Kind{usage.OfFunction, usage.OfKey} {
			takes = append(takes, usage.Take{Subject: usage.Subject{Kind: kind, Name: strconv.Itoa(i)}, Rate: slow, Want: 10})
		}
	}
	for _, want := range []int{10, 0} {
		grants, err := s.TakeTokens(t.Context(), takes)
		wantNoError(t, err)
		for i, g := range grants {
			if g.Tokens != want {
				t.Fatalf("%s took %d", takes[i].Subject, g.Tokens)
			}
		}
	}
}
