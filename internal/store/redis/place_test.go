package redis

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/redis/go-redis/v9"

	"github.com/backstage/functions/internal/function"
	"github.com/backstage/functions/internal/store/storetest"
	"github.com/backstage/functions/internal/testenv"
)

// original does what Backstage Functions does in Redis, with names as they stand.
type original struct {
	t   *testing.T
	raw redis.UniversalClient
}

func (o original) put(r function.Ref, code, updated string) {
	o.t.Helper()
	ctx := o.t.Context()
	check(o.t, o.raw.ZAdd(ctx, "localnamespaces", redis.Z{Member: r.Namespace + ":" + r.ID}).Err())
	check(o.t, o.raw.HSet(ctx, "localcode:"+r.Namespace+"/"+r.ID, "code", code, "hash", function.HashOf(code),
		"versionID", "of "+code, "created", updated, "updated", updated).Err())
}

// code is what Backstage Functions would run.
func (o original) code(r function.Ref) string {
	o.t.Helper()
	values, err := o.raw.HMGet(o.t.Context(), "localcode:"+r.Namespace+"/"+r.ID, "code", "hash").Result()
	check(o.t, err)
	return givenCode(field(values, 0), field(values, 1))
}

func (o original) delete(r function.Ref) {
	o.t.Helper()
	check(o.t, o.raw.ZRem(o.t.Context(), "localnamespaces", "0", r.Namespace+":"+r.ID).Err())
	check(o.t, o.raw.Del(o.t.Context(), "localcode:"+r.Namespace+"/"+r.ID).Err())
}

// members is the whole list.
func (o original) members() []string {
	o.t.Helper()
	members, err := o.raw.ZRange(o.t.Context(), "localnamespaces", 0, -1).Result()
	check(o.t, err)
	return members
}

// strangeRefs are names that Backstage Functions puts into Redis as they stand, and that meet no other.
var strangeRefs = []function.Ref{
	{Namespace: "team:app", ID: "fn"},
	{Namespace: "a/b", ID: "c"},
	{Namespace: "team:app:sub", ID: "fn"},
	{Namespace: "a/b/c", ID: "d"},
	{Namespace: "team:app/sub", ID: "fn"},
	{Namespace: "x/y:z", ID: "fn"},
	{Namespace: "team:app", ID: "x:y"},
	{Namespace: "team:app", ID: "x/y"},
	{Namespace: ":lead", ID: "fn"},
	{Namespace: "50%/x", ID: "fn"},
}

// TestNamesOfTheOriginal runs tests against one Redis alone and one in a cluster, which is empty for each.
func TestNamesOfTheOriginal(t *testing.T) {
	for server, endpoint := range map[string]string{
		"alone":   "redis://" + testenv.Redis(t).Addr,
		"cluster": "redis+cluster://" + testenv.RedisCluster(t).Addr,
	} {
		for name, test := range map[string]func(t *testing.T, s *Store, o original){
			"AreReadAndWrittenBack":    testStrangeNamesOfTheOriginalAreReadAndWrittenBack,
			"FromHereAreSeenThere":     testStrangeNamesFromHereAreSeenByTheOriginal,
			"EscapedByEarlierVersions": testWhatEarlierVersionsEscapedIsFound,
			"ThatMeetStayApart":        testFunctionsThatMeetStayApart,
			"OneRecordOfTwo":           testOneRecordOfTwoNamesBelongsToTheShorterNamespace,
			"RecordsOfNamespaces":      testRecordsOfStrangeNamespacesAreTheOriginals,
			"AreWalkedThrough":         testEveryFunctionIsWalkedThrough,
			"NoticesAreUnderstood":     testNoticesOfStrangeNamesAreUnderstood,
		} {
			t.Run(server+"/"+name, func(t *testing.T) {
				s := open(t, endpoint)
				o := original{t, s.client}
				check(t, s.client.FlushDB(t.Context()).Err())
				test(t, s, o)
			})
		}
	}
}

func wantCodeOf(t *testing.T, s *Store, r function.Ref, code string) {
	t.Helper()
	f, err := s.Get(t.Context(), r)
	if code == "" {
		if !errors.Is(err, function.ErrNotFound) {
			t.Errorf("%s is %+v, %v, want none", r, f, err)
		}
		if _, err := s.Revision(t.Context(), r); !errors.Is(err, function.ErrNotFound) {
			t.Errorf("revision of %s: %v", r, err)
		}
		return
	}
	if err != nil || f.Code != code || f.Ref != r {
		t.Errorf("%s is %+v, %v, want %s", r, f, err, code)
		return
	}
	if v, err := s.Revision(t.Context(), r); err != nil || v != f.Revision() {
		t.Errorf("revision of %s is %q, %v, want %q", r, v, err, f.Revision())
	}
}

func wantListed(t *testing.T, s *Store, want ...function.Ref) {
	t.Helper()
	page, err := s.List(t.Context(), function.Query{Page: 1, PerPage: 100})
	check(t, err)
	got := page.Items
	slices.SortFunc(got, function.Ref.Compare)
	slices.SortFunc(want, function.Ref.Compare)
	if !slices.Equal(got, want) {
		t.Errorf("listed are %q, want %q", got, want)
	}
	for _, r := range want {
		for _, q := range []function.Query{{Namespace: r.Namespace}, {Namespace: r.Namespace, ID: r.ID}} {
			q.Page, q.PerPage = 1, 100
			page, err := s.List(t.Context(), q)
			if err != nil || !slices.Contains(page.Items, r) {
				t.Errorf("a search for %+v finds %+v, %v", q, page, err)
			}
			if q.ID != "" && (page == nil || page.Total != 1) {
				t.Errorf("a search for %+v finds %+v", q, page)
			}
		}
	}
}

func testStrangeNamesOfTheOriginalAreReadAndWrittenBack(t *testing.T, s *Store, o original) {
	for _, r := range strangeRefs {
		o.put(r, "// theirs "+r.String(), "2024-01-01T00:00:00.000Z")
	}
	wantListed(t, s, slices.Clone(strangeRefs)...)
	before := o.members()
	for i, r := range strangeRefs {
		wantCodeOf(t, s, r, "// theirs "+r.String())
		check(t, s.SetEnv(t.Context(), r, "A", "1"))
		f := put(t, s, r, fmt.Sprint("// ours ", i), nil)
		if v, _ := f.Env.Get("A"); v != "1" || f.Created != "2024-01-01T00:00:00.000Z" {
			t.Errorf("%s lost what it had: %+v", r, f)
		}
		wantCodeOf(t, s, r, f.Code)
		if got := o.code(r); got != f.Code {
			t.Errorf("the original has %q for %s", got, r)
		}
	}
	if after := o.members(); !slices.Equal(after, before) {
		t.Errorf("the list became %q, was %q", after, before)
	}
	wantListed(t, s, slices.Clone(strangeRefs)...)
	for _, r := range strangeRefs { // back there, and here again
		o.put(r, "// again "+r.String(), "2099-01-01T00:00:00.000Z")
		wantCodeOf(t, s, r, "// again "+r.String())
	}
	for i, r := range strangeRefs {
		if i%2 == 0 {
			o.delete(r)
		} else {
			check(t, s.Delete(t.Context(), r))
		}
		wantCodeOf(t, s, r, "")
	}
	wantListed(t, s)
	if left := o.members(); len(left) > 0 {
		t.Errorf("the list still has %q", left)
	}
}

func testStrangeNamesFromHereAreSeenByTheOriginal(t *testing.T, s *Store, o original) {
	for _, r := range strangeRefs {
		put(t, s, r, "// "+r.String(), nil)
		want := "// " + r.String()
		if s.cluster && r.Namespace != "team:app" && slices.Contains([]byte(r.Namespace), '/') {
			want = "" // there nobody can look for others and write at once
		}
		if got := o.code(r); got != want {
			t.Errorf("the original has %q for %s", got, r)
		}
	}
	wantListed(t, s, slices.Clone(strangeRefs)...)
	for _, r := range strangeRefs {
		check(t, s.Delete(t.Context(), r))
		wantCodeOf(t, s, r, "")
	}
	if left := o.members(); len(left) > 0 {
		t.Errorf("the list still has %q", left)
	}
	if keys := s.client.Keys(t.Context(), "localcode:*").Val(); len(keys) > 0 {
		t.Errorf("left are %q", keys)
	}
}

func testWhatEarlierVersionsEscapedIsFound(t *testing.T, s *Store, o original) {
	escaped := func(r function.Ref, code, updated string) {
		t.Helper()
		check(t, o.raw.HSet(
			t.Context(), "localcode:"+escape(r.Namespace)+"/"+r.ID, "code", code, "hash", function.HashOf(code),
			"versionID", "of "+code, "env", `{"A":"1"}`, "updated", updated, "created", updated,
		).Err())
		check(t, o.raw.ZAdd(t.Context(), "localnamespaces", redis.Z{Member: member(r)}).Err())
	}
	for _, r := range strangeRefs[:4] {
		escaped(r, "// old "+r.String(), "2024-01-01T00:00:00.000Z")
		wantCodeOf(t, s, r, "// old "+r.String())
		wantListed(t, s, r)
		check(t, s.SetEnv(t.Context(), r, "B", "2"))
		if f, err := s.Get(t.Context(), r); err != nil || f.Env.Len() != 2 {
			t.Errorf("%s is %+v, %v", r, f, err)
		}
		wantListed(t, s, r)
		check(t, s.Delete(t.Context(), r))
		wantCodeOf(t, s, r, "")

		for _, newer := range []bool{false, true} { // both were written
			escaped(r, "// escaped", "2024-01-02T00:00:00.000Z")
			updated, want := "2024-01-01T00:00:00.000Z", "// escaped"
			if newer {
				updated, want = "2024-01-02T00:00:00.000Z", "// theirs"
			}
			o.put(r, "// theirs", updated)
			wantCodeOf(t, s, r, want)
			wantListed(t, s, r)
			check(t, s.SetEnv(t.Context(), r, "C", "3"))
			wantCodeOf(t, s, r, want)
			if got := o.code(r); got != want {
				t.Errorf("the original has %q", got)
			}
			check(t, s.Delete(t.Context(), r))
			wantCodeOf(t, s, r, "")
			wantListed(t, s)
		}
	}
}

// meeting are pairs that have one place in Backstage Functions, the one with precedence first.
var meeting = [][2]function.Ref{
	{{Namespace: "a", ID: "b/c"}, {Namespace: "a/b", ID: "c"}},
	{{Namespace: "a", ID: "b:c"}, {Namespace: "a:b", ID: "c"}},
	{{Namespace: "a:x", ID: "b/c"}, {Namespace: "a:x/b", ID: "c"}},
	{{Namespace: "a", ID: "b/c/d"}, {Namespace: "a/b/c", ID: "d"}},
	{{Namespace: "a/b", ID: "c/d"}, {Namespace: "a/b/c", ID: "d"}},
	{{Namespace: "a/b", ID: "c:d"}, {Namespace: "a/b:c", ID: "d"}},
}

func testFunctionsThatMeetStayApart(t *testing.T, s *Store, o original) {
	for _, pair := range meeting {
		for _, order := range [][2]function.Ref{pair, {pair[1], pair[0]}} {
			for _, theirs := range []bool{false, true} {
				one, two := order[0], order[1]
				if theirs {
					o.put(one, "// one", "2024-01-01T00:00:00.000Z")
				} else {
					put(t, s, one, "// one", function.NewEnv(function.Var{Name: "A", Value: "1"}))
				}
				wantCodeOf(t, s, one, "// one")
				wantCodeOf(t, s, two, "")
				check(t, s.Delete(t.Context(), two))
				wantCodeOf(t, s, one, "// one")
				if f := put(t, s, two, "// two", nil); f.Env != nil {
					t.Errorf("%s got the variables of %s", two, one)
				}
				wantCodeOf(t, s, one, "// one")
				wantCodeOf(t, s, two, "// two")
				wantListed(t, s, one, two)
				check(t, s.SetEnv(t.Context(), one, "B", "1"))
				check(t, s.SetEnv(t.Context(), two, "C", "1"))
				wantCodeOf(t, s, one, "// one")
				wantCodeOf(t, s, two, "// two")
				if got := o.code(pair[0]); !s.cluster && got != "// one" && got != "// two" {
					t.Errorf("the original has %q for %s", got, pair[0])
				}
				check(t, s.Delete(t.Context(), one))
				wantCodeOf(t, s, one, "")
				wantCodeOf(t, s, two, "// two")
				wantListed(t, s, two)
				check(t, s.Delete(t.Context(), two))
				wantCodeOf(t, s, two, "")
				wantListed(t, s)
			}
		}
	}
}

func testOneRecordOfTwoNamesBelongsToTheShorterNamespace(t *testing.T, s *Store, o original) {
	one, two := meeting[0][0], meeting[0][1]
	o.put(two, "// first", "2024-01-01T00:00:00.000Z")
	o.put(one, "// both", "2024-01-02T00:00:00.000Z")
	wantCodeOf(t, s, one, "// both")
	wantCodeOf(t, s, two, "")
	put(t, s, one, "// ours", nil) // who was listed there too gets a copy
	wantCodeOf(t, s, one, "// ours")
	wantCodeOf(t, s, two, "// both")
	wantListed(t, s, one, two)
}

func testRecordsOfStrangeNamespacesAreTheOriginals(t *testing.T, s *Store, o original) {
	ctx := t.Context()
	dsn := "of here"
	for _, name := range []string{"team:app", "a/b", "a%2Fb", "x"} {
		check(t, o.raw.HSet(ctx, "localnamespace:"+name, "namespace", name, "sentryDSN", "theirs").Err())
		n, err := s.GetNamespace(ctx, name)
		if err != nil || *n.SentryDSN != "theirs" {
			t.Errorf("%s is %+v, %v", name, n, err)
		}
		f := put(t, s, function.Ref{Namespace: name, ID: "fn"}, "1", nil)
		if f.Settings == nil || *f.Settings.SentryDSN != "theirs" {
			t.Errorf("settings of %s are %+v", name, f.Settings)
		}
		check(t, s.PutNamespace(ctx, &function.Namespace{Name: name, SentryDSN: &dsn}))
		if got := o.raw.HGet(ctx, "localnamespace:"+name, "sentryDSN").Val(); got != dsn {
			t.Errorf("the original has %q for %s", got, name)
		}
		check(t, s.DeleteNamespace(ctx, name))
		if n := o.raw.Exists(ctx, "localnamespace:"+name).Val(); n != 0 {
			t.Errorf("%s is still there", name)
		}
	}
	check(t, o.raw.HSet(ctx, "localnamespace:a%2Fb", "namespace", "a/b", "sentryDSN", "escaped").Err())
	if n, err := s.GetNamespace(ctx, "a/b"); err != nil || *n.SentryDSN != "escaped" {
		t.Errorf("got %+v, %v", n, err)
	}
	if n, err := s.GetNamespace(ctx, "a%2Fb"); err == nil {
		t.Errorf("the record of another is read: %+v", n)
	}
	check(t, s.DeleteNamespace(ctx, "a/b"))
	if _, err := s.GetNamespace(ctx, "a/b"); !errors.Is(err, function.ErrNamespaceNotFound) {
		t.Errorf("got %v", err)
	}
}

func testNoticesOfStrangeNamesAreUnderstood(t *testing.T, s *Store, o original) {
	changes, _ := storetest.Watching(t, s)
	for _, r := range strangeRefs {
		o.put(r, "1", "2024-01-01T00:00:00.000Z")
		for _, write := range []func() error{
			func() error { _, err := s.Put(t.Context(), &function.Function{Ref: r, Code: "2"}); return err },
			func() error { return s.SetEnv(t.Context(), r, "A", "1") },
			func() error { return s.Delete(t.Context(), r) },
		} {
			check(t, write())
			if got := storetest.Next(t, changes); got != (function.Change{Ref: r}) {
				t.Errorf("a write of %s is told as %+v", r, got)
			}
		}
	}
}

func testEveryFunctionIsWalkedThrough(t *testing.T, s *Store, o original) {
	ctx := t.Context()
	want := map[function.Ref]string{}
	for i := range 3 * scanBatch {
		r := function.Ref{Namespace: "many", ID: fmt.Sprint(i)}
		o.put(r, "1", "2024")
		want[r] = ""
	}
	for _, r := range strangeRefs {
		o.put(r, "1", "2024")
		want[r] = ""
	}
	for _, pair := range meeting[:2] { // both listed, one record
		o.put(pair[1], "1", "2024")
		o.put(pair[0], "1", "2024")
		want[pair[0]] = ""
	}
	want[meeting[0][0]] = "meets 1, lost 1"
	delete(want, strangeRefs[1]) // it is the other one of that pair
	want[meeting[1][1]] = ""     // whose key is another
	own := function.Ref{Namespace: "own/place", ID: "x"}
	check(t, o.raw.HSet(ctx, "localcode:own%2Fplace/x", "code", "1").Err())
	want[own] = "apart"
	check(t, o.raw.HSet(ctx, "localcode:ns/large", "code", "1", "env", string(make([]byte, 9<<20))).Err())
	want[function.Ref{Namespace: "ns", ID: "large"}] = "too large"
	check(t, o.raw.HSet(ctx, "localcode:ns/lost", "code", "1", "env", "x").Err())
	want[function.Ref{Namespace: "ns", ID: "lost"}] = "lost"
	check(t, o.raw.HSet(ctx, "localcode:ns/none", "hash", "1").Err())
	check(t, o.raw.Set(ctx, "localcode:ns/text", "1", 0).Err())
	check(t, o.raw.HSet(ctx, "localcode:nobody", "code", "1").Err())
	check(t, o.raw.HSet(ctx, "otherlocalcode:ns/fn", "code", "1").Err())

	check(t, o.raw.ZAdd(ctx, "localnamespaces", redis.Z{Member: "ns:gone"}, redis.Z{Member: "nobody"}).Err())
	want[function.Ref{Namespace: "ns", ID: "gone"}] = "listed as ns:gone"
	want[function.Ref{Namespace: "nobody"}] = "listed as nobody"

	got := map[function.Ref]string{}
	check(t, s.Walk(ctx, func(f *function.Stored) error {
		if _, again := got[f.Ref]; again {
			t.Errorf("%s is shown twice", f.Ref)
		}
		what := ""
		switch {
		case f.Listed != "":
			what = "listed as " + f.Listed
		case f.Function == nil:
			what = "too large"
		case f.EnvError != nil:
			what = "lost"
		case f.Apart:
			what = "apart"
		case len(f.Meets) > 0:
			what = fmt.Sprintf("meets %d, lost %d", len(f.Meets), len(f.Lost))
		}
		got[f.Ref] = what
		return nil
	}))
	if !maps.Equal(got, want) {
		for r := range want {
			if got[r] != want[r] {
				t.Errorf("%s is shown as %q, want %q", r, got[r], want[r])
			}
		}
		t.Errorf("%d are shown, want %d", len(got), len(want))
	}
	enough := errors.New("enough")
	if err := s.Walk(ctx, func(*function.Stored) error { return enough }); !errors.Is(err, enough) {
		t.Errorf("got %v", err)
	}
}

func TestNamesWithManySeparatorsCostNoMore(t *testing.T) {
	s, raw := withRaw(t)
	o := original{t, raw}
	for _, separator := range []string{":", "/"} {
		for _, n := range []int{maxSplits - 2, maxSplits - 1, maxSplits, maxSplits + 1, 4000} {
			many := strings.Repeat(separator, n)
			var all []function.Ref
			for _, r := range []function.Ref{
				{Namespace: "a", ID: "b" + many + "c"},
				{Namespace: "a" + many + "b", ID: "c"},
				{Namespace: "a", ID: "b" + many + "d"},
				{Namespace: "a" + many[:n/2] + "b", ID: "c" + many[n/2:] + "d"},
			} {
				put(t, s, r, "// "+r.String()[:8], function.NewEnv())
				all = append(all, r)
			}
			for _, r := range all {
				wantCodeOf(t, s, r, "// "+r.String()[:8])
			}
			wantListed(t, s, slices.Clone(all)...)
			for i, r := range all {
				check(t, s.Delete(t.Context(), r))
				wantCodeOf(t, s, r, "")
				wantListed(t, s, slices.Clone(all[i+1:])...)
			}
			if left := o.members(); len(left) > 0 {
				t.Fatalf("with %d of %s the list still has %.200q", n, separator, left)
			}
		}
	}
	r := function.Ref{Namespace: "a", ID: "b" + strings.Repeat(":/", 8000)}
	if n := len(sameKey(r)) + len(sameMember(r)); n > 2*maxSplits {
		t.Errorf("%d are looked for", n)
	}
}

func TestOrdinaryNamesCostNoSearch(t *testing.T) {
	s, raw := withRaw(t)
	put(t, s, ref, "1", nil)
	check(t, raw.ConfigResetStat(t.Context()).Err())
	_, err := s.Revision(t.Context(), ref)
	check(t, err)
	_, err = s.Get(t.Context(), ref)
	check(t, err)
	stats, err := raw.InfoMap(t.Context(), "commandstats").Result()
	check(t, err)
	for name := range stats["Commandstats"] {
		if name == "cmdstat_zscore" {
			t.Error("others are looked for")
		}
	}
}

func FuzzPlacesAreFoundAgain(f *testing.F) {
	f.Add("a/b", "c", "a", "b/c")
	f.Add("a:b", "c/d", "a:b/c", "d")
	f.Fuzz(func(t *testing.T, ns1, id1, ns2, id2 string) {
		one, two := function.Ref{Namespace: ns1, ID: id1}, function.Ref{Namespace: ns2, ID: id2}
		if ns1 == "" || id1 == "" || ns2 == "" || id2 == "" || one == two {
			return
		}
		k := keys("local")
		if k.own(one) == k.own(two) || k.own(one).key == k.own(two).key || k.own(one).member == k.own(two).member {
			t.Errorf("%q and %q have one place", one, two)
		}
		meet := k.shared(one).key == k.shared(two).key && len(sameKey(one)) > 0 && len(sameKey(two)) > 0
		if meet && (!slices.Contains(sameKey(one), two) || !slices.Equal(sameKey(one), sameKey(two))) {
			t.Errorf("%q does not know of %q", one, two)
		}
		if len(sameKey(one)) > 0 && !slices.Contains(sameKey(one), one) {
			t.Errorf("%q does not share its own place", one)
		}
	})
}
