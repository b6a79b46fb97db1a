package storetest

import (
	"fmt"
	"reflect"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/backstage/functions/internal/function"
	"github.com/backstage/functions/internal/queue"
)

// keptTests are of the records of calls whose callers have waited.
var keptTests = table{
	"ACallIsKept":                  testACallIsKept,
	"KeptCallsAreFoundByRequest":   testKeptCallsAreFoundByRequest,
	"KeptCallsAreListed":           testKeptCallsAreListed,
	"KeptCallsAreReadInPages":      testKeptCallsAreReadInPages,
	"KeptCallsOfANamespaceAreFew":  testKeptCallsOfANamespaceAreFew,
	"AKeptCallIsPushedOutByItsOwn": testAKeptCallIsPushedOutByItsOwn,
	"KeptCallsTakeLimitedBytes":    testKeptCallsTakeLimitedBytes,
	"KeptCallsExpire":              testKeptCallsExpire,
	"KeptCallsTakeNoRoomOfQueued":  testKeptCallsTakeNoRoomOfQueued,
	"KeptCallsAreAppendedAtOnce":   testKeptCallsAreAppendedAtOnce,
	"KeptCallsKeepWhateverWasSaid": testKeptCallsKeepWhateverWasSaid,
	"ACallIsKeptOnce":              testACallIsKeptOnce,
}

// wideKept are limits that no test meets.
var wideKept = queue.KeptLimits{Calls: 1 << 20, Bytes: 1 << 40, Age: time.Hour}

// keptCall is a record of ref.
func keptCall(ref function.Ref, request string) *queue.Kept {
	end := time.Now().UTC().Truncate(time.Millisecond)
	return &queue.Kept{
		ID: uuid.Must(uuid.NewV7()).String(), Ref: ref, Kind: queue.KindRun, Status: queue.Failed, Reason: "thrown",
		RequestID: request, Start: end.Add(-time.Second), End: end, Expires: end.Add(time.Hour),
		Detail: []byte(`{"status":500}`),
	}
}

func appendKept(t *testing.T, s Store, limits queue.KeptLimits, calls ...*queue.Kept) {
	t.Helper()
	wantNoError(t, s.AppendKept(t.Context(), calls, limits))
}

// wantKept compares the request IDs of the records that q selects.
func wantKept(t *testing.T, s Store, q *queue.Query, want string) {
	t.Helper()
	page, err := s.ListKept(t.Context(), q)
	wantNoError(t, err)
	var got []string
	for _, k := range page.Calls {
		got = append(got, k.RequestID)
	}
	if text := strings.Join(got, " "); text != want {
		t.Errorf("there are %q, want %q", text, want)
	}
}

func testACallIsKept(t *testing.T, s Store) {
	k := keptCall(ref, "r1")
	k.Kind, k.Step, k.Caller, k.TraceID = queue.KindPipeline, 2, "key1", "t1"
	k.Output = []byte(`{"lines":[{"message":"é"}]}`)
	appendKept(t, s, wideKept, k)
	got, err := s.GetKept(t.Context(), ref, k.ID)
	wantNoError(t, err)
	if !reflect.DeepEqual(got, k) {
		t.Errorf("it is %+v, want %+v", got, k)
	}
	for _, other := range []function.Ref{{Namespace: "ns", ID: "other"}, {Namespace: "other", ID: "id"}} {
		for _, id := range []string{k.ID, "r1"} {
			_, err := s.GetKept(t.Context(), other, id)
			wantError(t, err, queue.ErrNotFound)
		}
	}
	for _, id := range []string{"", "r2", "*"} {
		_, err := s.GetKept(t.Context(), ref, id)
		wantError(t, err, queue.ErrNotFound)
	}
}

func testKeptCallsAreFoundByRequest(t *testing.T, s Store) {
	first, second := keptCall(ref, "r1"), keptCall(ref, "r1")
	if second.ID < first.ID {
		first, second = second, first
	}
	appendKept(t, s, wideKept, second, first)
	got, err := s.GetKept(t.Context(), ref, "r1")
	wantNoError(t, err)
	if got.ID != second.ID {
		t.Errorf("it is %s, want the newest, %s", got.ID, second.ID)
	}
}

func testKeptCallsAreListed(t *testing.T, s Store) {
	wantKept(t, s, &queue.Query{Ref: ref, Limit: 10}, "")
	first, done, late := keptCall(ref, "a"), keptCall(ref, "done"), keptCall(ref, "late")
	done.Status, done.Reason = queue.Succeeded, ""
	late.Reason, late.Start = "deadline", late.Start.Add(time.Hour)
	appendKept(t, s, wideKept, first, done)
	appendKept(t, s, wideKept, late, keptCall(function.Ref{Namespace: "ns", ID: "id2"}, "other"))
	for _, row := range []struct {
		q    queue.Query
		want string
	}{
		{queue.Query{Limit: 10}, "late done a"},
		{queue.Query{Limit: 10, Status: queue.Failed}, "late a"},
		{queue.Query{Limit: 10, Status: queue.Succeeded}, "done"},
		{queue.Query{Limit: 10, Status: queue.Dead}, ""},
		{queue.Query{Limit: 10, Reason: "thrown"}, "a"},
		{queue.Query{Limit: 10, Since: time.Now().Add(time.Minute)}, "late"},
		{queue.Query{Limit: 2}, "late done"},
	} {
		row.q.Ref = ref
		wantKept(t, s, &row.q, row.want)
	}
}

func testKeptCallsAreReadInPages(t *testing.T, s Store) {
	const n = 250
	var calls []*queue.Kept
	for i := range n {
		calls = append(calls, keptCall(ref, fmt.Sprint(i)))
		if i%2 == 1 {
			calls[i].Status = queue.Succeeded
		}
	}
	appendKept(t, s, wideKept, calls...)
	q := &queue.Query{Ref: ref, Status: queue.Failed, Limit: 30}
	want := n - 2
	for more := true; more; {
		page, err := s.ListKept(t.Context(), q)
		wantNoError(t, err)
		for _, k := range page.Calls {
			if k.RequestID != fmt.Sprint(want) {
				t.Fatalf("%s comes after %d", k.RequestID, want+2)
			}
			want -= 2
		}
		q.After, more = page.Next, page.Next != ""
	}
	if want != -2 {
		t.Errorf("they end before %d", want)
	}
}

func testKeptCallsOfANamespaceAreFew(t *testing.T, s Store) {
	few := queue.KeptLimits{Calls: 3, Bytes: 1 << 40, Age: time.Hour}
	quiet, other := function.Ref{Namespace: "quiet", ID: "id"}, function.Ref{Namespace: "ns", ID: "b"}
	appendKept(t, s, few, keptCall(quiet, "q"))
	for i := range 5 {
		appendKept(t, s, few, keptCall(ref, fmt.Sprint("a", i)), keptCall(other, fmt.Sprint("b", i)))
	}
	wantKept(t, s, &queue.Query{Ref: quiet, Limit: 10}, "q")
	all, err := s.ListKept(t.Context(), &queue.Query{Ref: ref, Limit: 10})
	wantNoError(t, err)
	others, err := s.ListKept(t.Context(), &queue.Query{Ref: other, Limit: 10})
	wantNoError(t, err)
	if n := len(all.Calls) + len(others.Calls); n != 3 {
		t.Errorf("there are %d of the namespace", n)
	}
	if _, err := s.GetKept(t.Context(), ref, "a0"); err == nil {
		t.Error("the oldest one is still there")
	}
	few.Calls = 1
	appendKept(t, s, few)
	all, err = s.ListKept(t.Context(), &queue.Query{Ref: ref, Limit: 10})
	wantNoError(t, err)
	others, err = s.ListKept(t.Context(), &queue.Query{Ref: other, Limit: 10})
	wantNoError(t, err)
	if n := len(all.Calls) + len(others.Calls); n != 1 {
		t.Errorf("with a lower limit there are %d of the namespace", n)
	}
}

// testAKeptCallIsPushedOutByItsOwn has a function that fails all the time, as anybody may have a public one do, by the
// number of records and by their bytes. Those of other functions of the namespace stay.
func testAKeptCallIsPushedOutByItsOwn(t *testing.T, s Store) {
	quiet := function.Ref{Namespace: ref.Namespace, ID: "quiet"}
	few := queue.KeptLimits{Calls: 10, Bytes: 1 << 40, Age: time.Hour}
	tight := queue.KeptLimits{Calls: 1 << 20, Bytes: 10_000, Age: time.Hour}
	appendKept(t, s, few, keptCall(quiet, "q1"))
	appendKept(t, s, few, keptCall(quiet, "q2"))
	for i := range 50 {
		appendKept(t, s, few, keptCall(ref, fmt.Sprint("few", i)))
	}
	wantKept(t, s, &queue.Query{Ref: quiet, Limit: 10}, "q2 q1")
	wantKept(t, s, &queue.Query{Ref: ref, Limit: 10}, "few49 few48 few47 few46 few45 few44 few43 few42")
	for i := range 50 {
		appendKept(t, s, tight, keptCall(ref, fmt.Sprint("tight", i)))
	}
	wantKept(t, s, &queue.Query{Ref: quiet, Limit: 10}, "q2 q1")
	for i := range 12 { // of functions with as many the oldest record goes
		appendKept(t, s, few, keptCall(function.Ref{Namespace: ref.Namespace, ID: fmt.Sprint("z", i)}, fmt.Sprint(i)))
	}
	wantKept(t, s, &queue.Query{Ref: quiet, Limit: 10}, "")
	wantKept(t, s, &queue.Query{Ref: ref, Limit: 10}, "")
	for i, want := range map[int]string{1: "", 2: "2", 11: "11"} {
		wantKept(t, s, &queue.Query{Ref: function.Ref{Namespace: ref.Namespace, ID: fmt.Sprint("z", i)}, Limit: 10}, want)
	}
}

// A namespace that has the most makes room for others.
func testKeptCallsTakeLimitedBytes(t *testing.T, s Store) {
	tight := queue.KeptLimits{Calls: 1 << 20, Bytes: 20_000, Age: time.Hour}
	quiet := function.Ref{Namespace: "quiet", ID: "id"}
	appendKept(t, s, tight, keptCall(quiet, "q1"), keptCall(quiet, "q2"))
	for i := range 200 {
		appendKept(t, s, tight, keptCall(ref, fmt.Sprint(i)))
	}
	wantKept(t, s, &queue.Query{Ref: quiet, Limit: 10}, "q2 q1")
	page, err := s.ListKept(t.Context(), &queue.Query{Ref: ref, Limit: 1000})
	wantNoError(t, err)
	if n := len(page.Calls); n < 10 || n > 100 || page.Calls[0].RequestID != "199" {
		t.Errorf("there are %d, the newest is %s", n, page.Calls[0].RequestID)
	}
}

func testKeptCallsExpire(t *testing.T, s Store) {
	old := keptCall(ref, "old")
	old.Expires = time.Now().Add(-time.Minute)
	appendKept(t, s, wideKept, old, keptCall(ref, "new"))
	_, err := s.GetKept(t.Context(), ref, old.ID)
	wantError(t, err, queue.ErrNotFound)
	wantKept(t, s, &queue.Query{Ref: ref, Limit: 10}, "new")
	brief := wideKept
	brief.Age = time.Millisecond
	for deadline := time.Now().Add(patience); ; {
		appendKept(t, s, brief)
		page, err := s.ListKept(t.Context(), &queue.Query{Ref: ref, Limit: 10})
		wantNoError(t, err)
		if len(page.Calls) == 0 {
			return
		}
		if time.Now().After(deadline) {
			t.Fatal("it is still there")
		}
	}
}

func testKeptCallsTakeNoRoomOfQueued(t *testing.T, s Store) {
	id := putCall(t, s, spec(ref.Namespace))
	one := queue.KeptLimits{Calls: 1, Bytes: 1, Age: time.Hour}
	for range 5 {
		appendKept(t, s, one, keptCall(function.Ref{Namespace: ref.Namespace, ID: "id"}, "r"))
	}
	_, err := s.GetCall(t.Context(), function.Ref{Namespace: ref.Namespace, ID: "id"}, id)
	wantNoError(t, err)
	stats, err := s.CallStats(t.Context())
	if err != nil || stats.Queued != 1 {
		t.Errorf("got %+v, %v", stats, err)
	}
	wantKept(t, s, &queue.Query{Ref: ref, Limit: 10}, "") // each is larger than all may be
}

func testKeptCallsAreAppendedAtOnce(t *testing.T, s Store) {
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for range 5 {
				if err := s.AppendKept(t.Context(), []*queue.Kept{keptCall(ref, "x"), keptCall(ref, "y")}, wideKept); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	page, err := s.ListKept(t.Context(), &queue.Query{Ref: ref, Limit: 1000})
	wantNoError(t, err)
	if len(page.Calls) != 80 {
		t.Errorf("there are %d records", len(page.Calls))
	}
}

func testKeptCallsKeepWhateverWasSaid(t *testing.T, s Store) {
	const hostile = "a\n{}\r\x00\"\\\u2028é/:%25"
	k := keptCall(function.Ref{Namespace: hostile, ID: hostile}, hostile)
	k.Reason, k.Caller = hostile, hostile
	appendKept(t, s, wideKept, k)
	got, err := s.GetKept(t.Context(), k.Ref, hostile)
	wantNoError(t, err)
	if !reflect.DeepEqual(got, k) {
		t.Errorf("it is %+v, want %+v", got, k)
	}
}

func testACallIsKeptOnce(t *testing.T, s Store) {
	k := keptCall(ref, "r")
	appendKept(t, s, wideKept, k)
	appendKept(t, s, wideKept, k)
	wantKept(t, s, &queue.Query{Ref: ref, Limit: 10}, "r")
	two := wideKept
	two.Calls = 2
	appendKept(t, s, two, keptCall(ref, "s"))
	wantKept(t, s, &queue.Query{Ref: ref, Limit: 10}, "s r")
}
