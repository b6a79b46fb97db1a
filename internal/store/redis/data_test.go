package redis

import (
	"context"
	"errors"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/redis/go-redis/v9"

	"github.com/backstage/functions/internal/function"
	"github.com/backstage/functions/internal/testenv"
)

// withRaw returns a store and a plain client of the same empty server.
func withRaw(t *testing.T) (*Store, *redis.Client) {
	t.Helper()
	addr := testenv.Redis(t).Addr
	raw := redis.NewClient(&redis.Options{Addr: addr})
	t.Cleanup(func() {
		if err := raw.Close(); err != nil {
			t.Error(err)
		}
	})
	return open(t, "redis://"+addr), raw
}

func check(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func put(t *testing.T, s *Store, r function.Ref, code string, env *function.Env) *function.Function {
	t.Helper()
	f, err := s.Put(t.Context(), &function.Function{Ref: r, Code: code, Env: env})
	check(t, err)
	return f
}

// dump reads the database but for the counts of kept lines: hashes as their fields, sorted sets as their members.
func dump(t *testing.T, raw *redis.Client) map[string]any {
	t.Helper()
	ctx := t.Context()
	all := map[string]any{}
	keys, err := raw.Keys(ctx, "*").Result()
	check(t, err)
	for _, key := range keys {
		if strings.HasPrefix(key, "localfunctions:logs:") {
			continue // counts of kept lines
		}
		switch kind := raw.Type(ctx, key).Val(); kind {
		case "hash":
			all[key] = raw.HGetAll(ctx, key).Val()
		case "zset":
			all[key] = raw.ZRangeWithScores(ctx, key, 0, -1).Val()
		default:
			t.Errorf("%s is a %s", key, kind)
		}
	}
	return all
}

func TestKeysAndFieldsAreThoseOfTheOriginal(t *testing.T) {
	s, raw := withRaw(t)
	dsn := "dsn"
	check(t, s.PutNamespace(t.Context(), &function.Namespace{Name: "ns", SentryDSN: &dsn}))
	check(t, s.PutNamespace(t.Context(), &function.Namespace{Name: "bare"}))
	plain := put(t, s, function.Ref{Namespace: "ns", ID: "plain"}, "1", nil)
	env := function.NewEnv(function.Var{Name: "Z", Value: "<\"é\u2028>"}, function.Var{Name: "A", Value: ""})
	withEnv := put(t, s, function.Ref{Namespace: "ns", ID: "env"}, "2", env)
	put(t, s, function.Ref{Namespace: "ns", ID: "gone"}, "3", nil)
	check(t, s.Delete(t.Context(), function.Ref{Namespace: "ns", ID: "gone"}))

	got := dump(t, raw)
	wantHash(t, got, "localcode:ns/plain", map[string]string{
		"code": "1\n", "hash": "356a192b7913b04c54574d18c28d46e6395428ab",
		"versionID": plain.VersionID, "created": plain.Created, "updated": plain.Updated,
	})
	wantHash(t, got, "localcode:ns/env", map[string]string{
		"code": "2\n", "hash": "da4b9237bacccdf19c0760cab7aec4a8359010b0", "env": "{\"Z\":\"<\\\"é\u2028>\",\"A\":\"\"}",
		"versionID": withEnv.VersionID, "created": withEnv.Created, "updated": withEnv.Updated,
	})
	wantHash(t, got, "localnamespace:ns", map[string]string{"namespace": "ns", "sentryDSN": "dsn"})
	wantHash(t, got, "localnamespace:bare", map[string]string{"namespace": "bare"})
	members, _ := got["localnamespaces"].([]redis.Z)
	if !slices.Equal(members, []redis.Z{{Member: "ns:env"}, {Member: "ns:plain"}}) {
		t.Errorf("the list is %v", members)
	}
	if len(got) != 5 {
		t.Errorf("there are %d keys: %v", len(got), slices.Collect(maps.Keys(got)))
	}
}

func wantHash(t *testing.T, all map[string]any, key string, want map[string]string) {
	t.Helper()
	if got, _ := all[key].(map[string]string); !maps.Equal(got, want) {
		t.Errorf("%s is %v, want %v", key, got, want)
	}
}

func TestDataOfTheOriginalIsRead(t *testing.T) {
	s, raw := withRaw(t)
	ctx := t.Context()
	check(t, raw.HSet(
		ctx, "localcode:ns/id", "code", "c", "hash", "h", "env", `{"2":"b","1":"a","B":"x"}`,
		"versionID", "v", "updated", "u", "created", "c0",
	).Err())
	check(t, raw.HSet(ctx, "localcode:ns/old", "code", "c", "hash", "h").Err())
	check(t, raw.HSet(ctx, "localcode:ns/bare", "code", "c").Err())
	check(t, raw.HSet(ctx, "localcode:ns/a/b:c", "code", "c", "hash", "h").Err())
	check(t, raw.HSet(ctx, "localnamespace:ns", "namespace", "ns", "sentryDSN", "dsn").Err())
	check(t, raw.ZAdd(
		ctx, "localnamespaces", redis.Z{Member: "ns:id"}, redis.Z{Member: "ns:old"}, redis.Z{Member: "ns:a/b:c"},
	).Err())

	f, err := s.Get(ctx, ref)
	check(t, err)
	if f.Code != "c" || f.Hash != "h" || f.VersionID != "v" || f.Updated != "u" || f.Created != "c0" ||
		*f.SentryDSN() != "dsn" {
		t.Errorf("got %+v", f)
	}
	if env, _ := f.Env.MarshalJSON(); string(env) != `{"1":"a","2":"b","B":"x"}` {
		t.Errorf("environment is %s", env)
	}
	old := function.Ref{Namespace: "ns", ID: "old"}
	if f, err = s.Get(ctx, old); err != nil || f.VersionID != "" || f.Created != "" || f.Env != nil {
		t.Errorf("got %+v, %v", f, err)
	}
	for r, want := range map[function.Ref]string{
		ref: "v", old: "hash:h", {Namespace: "ns", ID: "bare"}: "hash:" + function.HashOf("c"),
	} {
		if got, err := s.Revision(ctx, r); got != want || err != nil {
			t.Errorf("revision of %s is %q, %v", r, got, err)
		}
	}
	page, err := s.List(ctx, function.Query{Page: 1, PerPage: 10})
	check(t, err)
	if want := []function.Ref{{Namespace: "ns", ID: "a/b:c"}, ref, old}; !slices.Equal(page.Items, want) {
		t.Errorf("the list is %v", page.Items)
	}
	for _, r := range page.Items {
		if _, err := s.Get(ctx, r); err != nil {
			t.Error(err)
		}
	}
}

func TestAnEarlyRecordCanBeWritten(t *testing.T) {
	s, raw := withRaw(t)
	ctx := t.Context()
	check(t, raw.HSet(ctx, "localcode:ns/id", "code", "c", "hash", "h").Err())
	check(t, s.SetEnv(ctx, ref, "A", "1"))
	f := put(t, s, ref, "d", nil)
	if v, _ := f.Env.Get("A"); v != "1" || f.Created != "" || f.VersionID == "" {
		t.Errorf("got %+v", f)
	}
}

func TestHostileRecordsAreHarmless(t *testing.T) {
	s, raw := withRaw(t)
	ctx := t.Context()
	for name, fields := range map[string][]any{
		"no code":    {"hash", "h", "versionID", "v", "env", `{"A":"1"}`},
		"empty code": {"code", "", "versionID", "v"},
	} {
		check(t, raw.Del(ctx, "localcode:ns/id").Err())
		check(t, raw.HSet(ctx, "localcode:ns/id", fields...).Err())
		wantMissing(t, s, name)
	}
	for _, env := range []string{"", "null", "{", "[]", `["A"]`, `"text"`, "1", `{"A":nul}`, `{"A":{"B":"c"}`, `{"A":"1"}x`, "\xff", `{"A":`, "[object Object]"} {
		check(t, raw.HSet(ctx, "localcode:ns/id", "code", "c", "env", env).Err())
		if f, err := s.Get(ctx, ref); err != nil || f.Env != nil {
			t.Errorf("environment %q is read as %v, %v", env, f, err)
		}
		if f := put(t, s, ref, "c", nil); f.Env != nil {
			t.Errorf("environment %q is kept as %v", env, f.Env.Vars())
		}
		if err := s.UnsetEnv(ctx, ref, "A"); !errors.Is(err, function.ErrEnvNotFound) {
			t.Errorf("environment %q: %v", env, err)
		}
		check(t, s.SetEnv(ctx, ref, "B", "2"))
		if f, err := s.Get(ctx, ref); err != nil || f.Env.Len() != 1 {
			t.Errorf("environment %q became %+v, %v", env, f, err)
		}
	}
}

func wantMissing(t *testing.T, s *Store, what string) {
	t.Helper()
	_, getErr := s.Get(t.Context(), ref)
	_, revisionErr := s.Revision(t.Context(), ref)
	for _, err := range []error{getErr, revisionErr, s.SetEnv(t.Context(), ref, "A", "1"), s.UnsetEnv(t.Context(), ref, "A")} {
		if !errors.Is(err, function.ErrNotFound) || errors.Is(err, function.ErrUnavailable) {
			t.Errorf("%s: got error %v", what, err)
		}
	}
}

func TestKeysOfAnotherTypeAreHarmless(t *testing.T) {
	s, raw := withRaw(t)
	ctx := t.Context()
	for _, key := range []string{"localcode:ns/id", "localnamespace:ns", "localnamespaces"} {
		check(t, raw.Set(ctx, key, "text", 0).Err())
	}
	wantMissing(t, s, "a text")
	if _, err := s.GetNamespace(ctx, "ns"); !errors.Is(err, function.ErrNamespaceNotFound) {
		t.Errorf("namespace: %v", err)
	}
	if _, err := s.List(ctx, function.Query{Page: 1, PerPage: 1}); err == nil || errors.Is(err, function.ErrUnavailable) {
		t.Errorf("list: %v", err)
	}
	for _, broken := range []string{"localcode:ns/id", "localnamespaces"} {
		check(t, raw.FlushDB(ctx).Err())
		check(t, raw.Set(ctx, broken, "text", 0).Err())
		if _, err := s.Put(ctx, &function.Function{Ref: ref, Code: "1"}); err == nil ||
			errors.Is(err, function.ErrUnavailable) {
			t.Errorf("put with a text at %s: %v", broken, err)
		}
		if keys := raw.Keys(ctx, "*").Val(); !slices.Equal(keys, []string{broken}) {
			t.Errorf("a put that failed left %v", keys)
		}
	}
	check(t, raw.Set(ctx, "localcode:ns/id", "text", 0).Err())
	check(t, raw.Del(ctx, "localnamespaces").Err())
	check(t, s.Delete(ctx, ref))
	put(t, s, ref, "1", nil)
	check(t, raw.Set(ctx, "localnamespace:ns", "text", 0).Err())
	if f, err := s.Get(ctx, ref); err != nil || f.Settings != nil {
		t.Errorf("got %+v, %v", f, err)
	}
	check(t, s.PutNamespace(ctx, &function.Namespace{Name: "ns"}))
}

func TestStrangeMembersAreSkipped(t *testing.T) {
	s, raw := withRaw(t)
	put(t, s, ref, "1", nil)
	for _, m := range []string{"nocolon", "", "a/b:c", "a%2fb:c"} {
		check(t, raw.ZAdd(t.Context(), "localnamespaces", redis.Z{Member: m}).Err())
	}
	page, err := s.List(t.Context(), function.Query{Page: 1, PerPage: 10})
	if err != nil || !slices.Equal(page.Items, []function.Ref{ref}) {
		t.Errorf("got %+v, %v", page, err)
	}
}

func TestEditGivesUpWhenOthersAreAlwaysFaster(t *testing.T) {
	s, raw := withRaw(t)
	put(t, s, ref, "1", nil)
	ctx, attempts := context.Background(), 0
	err := s.edit(ctx, ref, func(*function.Env) error {
		attempts++
		return raw.HSet(ctx, "localcode:ns/id", "versionID", attempts).Err()
	})
	if !errors.Is(err, function.ErrUnavailable) || attempts != maxAttempts {
		t.Errorf("after %d attempts: %v", attempts, err)
	}
}

func TestAnEditSentTwiceIsDoneOnce(t *testing.T) {
	s, raw := withRaw(t)
	f := put(t, s, ref, "1", nil)
	for range 2 {
		answer, err := s.run(t.Context(), editScript, []string{"localcode:ns/id"},
			"channel", "notice", f.VersionID, "next", "now", "{}", ownerField, "")
		if err != nil || answer != int64(1) {
			t.Errorf("got %v, %v", answer, err)
		}
	}
	if got := raw.HGet(t.Context(), "localcode:ns/id", "versionID").Val(); got != "next" {
		t.Errorf("revision is %q", got)
	}
}

func TestRecordsThatAreTooLargeAreNotRead(t *testing.T) {
	s, raw := withRaw(t)
	ctx := t.Context()
	huge := strings.Repeat("x", 9<<20)
	for _, name := range []string{"code", "env", "runtime", "created"} {
		check(t, raw.FlushDB(ctx).Err())
		put(t, s, ref, "1", nil)
		check(t, raw.HSet(ctx, "localcode:ns/id", name, huge).Err())
		_, getErr := s.Get(ctx, ref)
		for _, err := range []error{getErr, s.SetEnv(ctx, ref, "A", "1"), s.UnsetEnv(ctx, ref, "A")} {
			if !errors.Is(err, function.ErrRecordTooLarge) {
				t.Errorf("a huge %s: %v", name, err)
			}
		}
		_, err := s.Put(ctx, &function.Function{Ref: ref, Code: "2"})
		if kept := name != "code"; errors.Is(err, function.ErrRecordTooLarge) != kept {
			t.Errorf("put over a huge %s: %v", name, err)
		}
		if name == "env" {
			put(t, s, ref, "3", function.NewEnv())
		}
		check(t, s.Delete(ctx, ref))
	}
	put(t, s, ref, "1", nil)
	check(t, raw.HSet(ctx, "localcode:ns/id", "versionID", huge).Err())
	if _, err := s.Revision(ctx, ref); !errors.Is(err, function.ErrRecordTooLarge) {
		t.Errorf("a huge revision: %v", err)
	}
	check(t, raw.HSet(ctx, "localnamespace:ns", "namespace", "ns", "sentryDSN", huge).Err())
	if n, err := s.GetNamespace(ctx, "ns"); !errors.Is(err, function.ErrNamespaceNotFound) {
		t.Errorf("a huge namespace is read: %v, %v", n != nil, err)
	}
}
