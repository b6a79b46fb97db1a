package redis

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/redis/go-redis/v9"

	"github.com/backstage/functions/internal/function"
	"github.com/backstage/functions/internal/testenv"
)

// randomName is 1 to 5 of the characters that matter in keys and members.
func randomName(r *rand.Rand) string {
	name := make([]byte, 1+r.IntN(5))
	for i := range name {
		name[i] = ":/a%"[r.IntN(4)]
	}
	return string(name)
}

// relatives are a random name and those that can be taken for it, or for one of these, at most n.
func relatives(r *rand.Rand, n int) []function.Ref {
	all := []function.Ref{{Namespace: randomName(r), ID: randomName(r)}}
	for i := 0; i < len(all) && len(all) < n; i++ {
		for _, separator := range []string{"/", ":"} {
			for _, other := range splits(all[i].Namespace+separator+all[i].ID, separator) {
				if !slices.Contains(all, other) && len(all) < n {
					all = append(all, other)
				}
			}
		}
	}
	return all
}

// stored is what the model knows of a function.
type stored struct{ code, secret string }

func wantAll(t *testing.T, s *Store, all []function.Ref, model map[function.Ref]stored) {
	t.Helper()
	for _, r := range all {
		want, there := model[r]
		f, err := s.Get(t.Context(), r)
		switch {
		case !there && !errors.Is(err, function.ErrNotFound):
			t.Fatalf("%q is shown as %+v, %v", r, f, err)
		case !there:
		case err != nil || f.Code != want.code:
			t.Fatalf("%q is %+v, %v, want %s", r, f, err, want.code)
		default:
			if secret, _ := f.Env.Get("SECRET"); secret != want.secret {
				t.Fatalf("%q has the variable %q, want %q", r, secret, want.secret)
			}
		}
	}
}

func TestNoOperationOnOneNameConcernsAnother(t *testing.T) {
	for server, endpoint := range map[string]string{
		"alone":   "redis://" + testenv.Redis(t).Addr,
		"cluster": "redis+cluster://" + testenv.RedisCluster(t).Addr,
	} {
		for seed := range uint64(16) {
			t.Run(fmt.Sprint(server, "/", seed), func(t *testing.T) {
				s, random := openPrefix(t, endpoint, fmt.Sprint("s", seed, ".")), rand.New(rand.NewPCG(seed, 0))
				all := relatives(random, 8)
				model := map[function.Ref]stored{}
				if seed%2 == 1 { // what Backstage Functions left
					first := s.keys.shared(all[0])
					check(t, s.client.ZAdd(t.Context(), s.keys.list(), redis.Z{Member: first.member}).Err())
					check(t, s.client.HSet(t.Context(), first.key, "code", "// theirs", "env", `{"SECRET":"theirs"}`).Err())
					model[all[0]] = stored{"// theirs", "theirs"}
				}
				for i := range 30 {
					operate(t, s, random, all[random.IntN(len(all))], fmt.Sprint(i), model)
					wantAll(t, s, all, model)
				}
				for r := range model {
					page, err := s.List(t.Context(), function.Query{Page: 1, PerPage: 100})
					if err != nil || !slices.Contains(page.Items, r) {
						t.Errorf("%q is not listed: %+v, %v", r, page, err)
					}
				}
			})
		}
	}
}

// operate does something random with a function.
func operate(t *testing.T, s *Store, random *rand.Rand, r function.Ref, value string, model map[function.Ref]stored) {
	t.Helper()
	was, there := model[r]
	switch random.IntN(5) {
	case 0, 1:
		put(t, s, r, "// "+value, nil)
		was.code = "// " + value
		model[r] = was
	case 2, 3:
		err := s.SetEnv(t.Context(), r, "SECRET", value)
		if there {
			check(t, err)
			was.secret = value
			model[r] = was
		} else if !errors.Is(err, function.ErrNotFound) {
			t.Fatalf("a variable of %q, which is not there: %v", r, err)
		}
	case 4:
		check(t, s.Delete(t.Context(), r))
		delete(model, r)
	}
}

// decoys are listed as others would be at the key of victim.
var (
	victim = function.Ref{Namespace: "p:q/r", ID: "s"}
	third  = function.Ref{Namespace: "p:q", ID: "r/s"}
	decoys = []function.Ref{{Namespace: "p", ID: "q:r/s"}, {Namespace: "p", ID: "q/r:s"}, {Namespace: "p/q", ID: "r:s"}}
)

func TestAMemberThatMayBeAnothersProvesNothing(t *testing.T) {
	for _, theirs := range []bool{false, true} {
		for _, order := range [][]int{{0, 1, 2}, {1, 0, 2}, {2, 1, 0}} {
			s, raw := withRaw(t)
			if theirs {
				original{t, raw}.put(victim, "// victim", "2024-01-01T00:00:00.000Z")
			} else {
				put(t, s, victim, "// victim", nil)
			}
			check(t, s.SetEnv(t.Context(), victim, "SECRET", "hunter2"))
			if theirs { // as if the variable had been set there
				check(t, raw.HDel(t.Context(), "localcode:p:q/r/s", ownerField).Err())
			}
			want := func() {
				t.Helper()
				wantCodeOf(t, s, victim, "// victim")
				wantCodeOf(t, s, third, "")
				check(t, s.Delete(t.Context(), third))
				if f, err := s.Get(t.Context(), victim); err != nil || f.Env.Len() != 1 {
					t.Errorf("the victim is %+v, %v", f, err)
				}
				page, err := s.List(t.Context(), function.Query{Namespace: victim.Namespace, ID: victim.ID, Page: 1, PerPage: 9})
				if err != nil || page.Total != 1 {
					t.Errorf("the victim is listed as %+v, %v", page, err)
				}
			}
			for _, i := range order {
				put(t, s, decoys[i], "// decoy", nil)
				want()
			}
			for _, i := range order {
				check(t, s.Delete(t.Context(), decoys[i]))
				want()
			}
			put(t, s, third, "// third", nil)
			wantCodeOf(t, s, victim, "// victim")
			check(t, s.Delete(t.Context(), victim))
			wantCodeOf(t, s, third, "// third")
		}
	}
}

// Where decoys were there first, and Backstage Functions wrote behind them, it may be that the owner cannot be told.
func TestWhatNobodyOwnsIsShownToNobody(t *testing.T) {
	s, raw := withRaw(t)
	for _, r := range decoys {
		put(t, s, r, "// decoy", nil)
	}
	original{t, raw}.put(victim, "// theirs", "2024-01-01T00:00:00.000Z")
	wantCodeOf(t, s, third, "")
	for _, r := range decoys {
		check(t, s.Delete(t.Context(), r))
		wantCodeOf(t, s, third, "")
	}
	put(t, s, third, "// third", nil)
	put(t, s, victim, "// victim", nil)
	wantCodeOf(t, s, third, "// third")
	wantCodeOf(t, s, victim, "// victim")

	o := original{t, raw}
	o.put(function.Ref{Namespace: "x:y/z", ID: "b"}, "1", "2024")
	check(t, raw.HSet(t.Context(), "localcode:x:y/z/b", ownerField, strings.Repeat("9", 5)).Err())
	for _, r := range []function.Ref{{Namespace: "x:y/z", ID: "b"}, {Namespace: "x:y", ID: "z/b"}} {
		wantCodeOf(t, s, r, "")
	}
}
