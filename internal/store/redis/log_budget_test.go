package redis

import (
	"fmt"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/backstage/functions/internal/function"
	"github.com/backstage/functions/internal/testenv"
)

// usedMemory is what Redis has allocated, in bytes.
func usedMemory(t *testing.T, raw *redis.Client) int64 {
	t.Helper()
	info, err := raw.Info(t.Context(), "memory").Result()
	check(t, err)
	for text := range strings.Lines(info) {
		if number, ok := strings.CutPrefix(text, "used_memory:"); ok {
			n, err := strconv.ParseInt(strings.TrimSpace(number), 10, 64)
			check(t, err)
			return n
		}
	}
	t.Fatal("Redis does not tell its memory")
	return 0
}

// linesOfLength makes lines whose texts are so long.
func linesOfLength(r function.Ref, lines, length int) []function.LogLine {
	all := make([]function.LogLine, lines)
	for i := range all {
		all[i] = function.LogLine{
			Ref:       r,
			Time:      time.UnixMilli(7),
			RequestID: "0123456789abcdef",
			Level:     "info",
			Text:      strings.Repeat("x", length),
		}
	}
	return all
}

// What an attacker prints, in whatever shape, takes no more memory of Redis than the budgets say.
func TestKeptLinesTakeNoMoreThanTheirBudget(t *testing.T) {
	const budget = 4 << 20
	for name, row := range map[string]struct {
		ref           func(i int) function.Ref
		rounds        int
		lines, length int
		share, most   int64
	}{
		"long lines of one function": {
			func(int) function.Ref { return ref },
			10, 500, 4096, budget, budget,
		},
		"long lines of many functions": {
			func(i int) function.Ref { return function.Ref{Namespace: "ns", ID: fmt.Sprint(i)} },
			10, 500, 4096, budget, budget,
		},
		"one short line of each of many functions": {
			func(i int) function.Ref { return function.Ref{Namespace: "ns", ID: fmt.Sprint(i)} },
			2_500, 1, 1, budget, budget,
		},
		"one short line of each of many namespaces": {
			func(i int) function.Ref {
				return function.Ref{Namespace: fmt.Sprint(i, strings.Repeat("n", 900)), ID: strings.Repeat("i", 1000)}
			},
			1_250, 1, 1, budget, budget,
		},
		"a namespace keeps to its share": {
			func(i int) function.Ref { return function.Ref{Namespace: "ns", ID: fmt.Sprint(i)} },
			5, 500, 4096, budget / 4, budget / 4,
		},
	} {
		t.Run(name, func(t *testing.T) {
			s, raw := withRaw(t)
			appendLog(t, s, line("1")) // the scripts are known
			before := usedMemory(t, raw)
			limits := function.LogLimits{Lines: 1000, Memory: budget, Namespace: row.share, TTL: time.Hour}
			var lines []function.LogLine
			for i := range row.rounds {
				lines = append(lines, linesOfLength(row.ref(i), row.lines, row.length)...)
				if len(lines) < 500 && i < row.rounds-1 {
					continue
				}
				if kept, err := s.AppendLog(t.Context(), lines, limits); kept != len(lines) || err != nil {
					t.Fatalf("kept %d of %d, %v", kept, len(lines), err)
				}
				lines = nil
			}
			taken := usedMemory(t, raw) - before
			if taken > row.most*5/4 || taken < row.most/5 {
				t.Errorf("%d bytes are taken of %d", taken, row.most)
			}
			wantCounts(t, raw)
		})
	}
}

// wantCounts compares the counts with each other.
func wantCounts(t *testing.T, raw *redis.Client) {
	t.Helper()
	total, err := raw.Get(t.Context(), "localfunctions:logs:total").Int64()
	check(t, err)
	usage, err := raw.ZRangeWithScores(t.Context(), "localfunctions:logs:usage", 0, -1).Result()
	check(t, err)
	var sum int64
	for _, z := range usage {
		sum += int64(z.Score)
		sizes, err := raw.HVals(t.Context(), "localfunctions:logs:sizes:"+z.Member.(string)).Result()
		check(t, err)
		var ofNamespace int64
		for _, size := range sizes {
			n, err := strconv.ParseInt(size, 10, 64)
			check(t, err)
			ofNamespace += n
		}
		if ofNamespace != int64(z.Score) {
			t.Errorf("%.20s is counted as %v, its functions as %d", z.Member, z.Score, ofNamespace)
		}
	}
	if sum != total {
		t.Errorf("namespaces sum to %d, the total is %d", sum, total)
	}
}

func TestCountsSurviveTheirLoss(t *testing.T) {
	s, raw := withRaw(t)
	limits := function.LogLimits{Lines: 1000, Memory: 1 << 20, TTL: time.Hour}
	for i := range 50 {
		for _, key := range []string{"total", "order:ns", "sizes:ns", "usage", "expires"}[i%5 : i%5+1] {
			check(t, raw.Del(t.Context(), "localfunctions:logs:"+key).Err())
		}
		lines := linesOfLength(function.Ref{Namespace: "ns", ID: fmt.Sprint(i % 3)}, 50, 1000)
		if kept, err := s.AppendLog(t.Context(), lines, limits); kept != len(lines) || err != nil {
			t.Fatalf("round %d: kept %d, %v", i, kept, err)
		}
	}
}

func TestExpiredLinesAreNotCounted(t *testing.T) {
	s, raw := withRaw(t)
	limits := function.LogLimits{Lines: 1000, Memory: 1 << 20, TTL: time.Millisecond}
	for i := range 100 {
		r := function.Ref{Namespace: fmt.Sprint(i % 7), ID: fmt.Sprint(i)}
		if kept, err := s.AppendLog(t.Context(), linesOfLength(r, 100, 1000), limits); kept != 100 || err != nil {
			t.Fatalf("kept %d, %v", kept, err)
		}
		for raw.Exists(t.Context(), s.logStore.keys.stream(r)).Val() == 1 {
			time.Sleep(time.Millisecond)
		}
	}
	limits.TTL = time.Hour
	if kept, err := s.AppendLog(t.Context(), linesOfLength(ref, 1, 10), limits); kept != 1 || err != nil {
		t.Fatalf("kept %d, %v", kept, err)
	}
	if usage := raw.ZCard(t.Context(), "localfunctions:logs:usage").Val(); usage != 1 {
		t.Errorf("%d namespaces are counted", usage)
	}
	wantCounts(t, raw)
}

func TestDeletedFunctionsAreHardlyCounted(t *testing.T) {
	s, raw := withRaw(t)
	put(t, s, ref, "1", nil)
	lines := linesOfLength(ref, 500, 4096)
	if kept, err := s.AppendLog(t.Context(), lines, keep); kept != len(lines) || err != nil {
		t.Fatalf("kept %d, %v", kept, err)
	}
	check(t, s.Delete(t.Context(), ref))
	if used := raw.ZScore(t.Context(), "localfunctions:logs:usage", "ns").Val(); used > 10_000 {
		t.Errorf("%v bytes are counted", used)
	}
	wantCounts(t, raw)
}

func TestScriptsAboutLinesThatRedisForgotAreSentAgain(t *testing.T) {
	s, raw := withRaw(t)
	for range 2 {
		appendLog(t, s, line("1"), line("2"))
		check(t, raw.ScriptFlush(t.Context()).Err())
	}
	put(t, s, ref, "1", nil)
	check(t, s.Delete(t.Context(), ref))
}

func TestLinesMayHaveARedisOfTheirOwn(t *testing.T) {
	functions, lines := testenv.Redis(t), testenv.Redis(t, "--requirepass", "pw")
	s, err := Open(
		t.Context(),
		Options{Endpoint: "redis://" + functions.Addr, LogsEndpoint: "redis://:pw@" + lines.Addr, KeyPrefix: "local"},
	)
	check(t, err)
	defer s.Close()
	put(t, s, ref, "1", nil)
	appendLog(t, s, line("1"))
	for addr, want := range map[string]int64{functions.Addr: 2, lines.Addr: 6} {
		client := redis.NewClient(&redis.Options{Addr: addr})
		if addr == lines.Addr {
			client = redis.NewClient(&redis.Options{Addr: addr, Password: "pw"})
		}
		if n, err := client.DBSize(t.Context()).Result(); n != want || err != nil {
			t.Errorf("%d keys, want %d, %v", n, want, err)
		}
		check(t, client.Close())
	}
	if seen, err := s.AwaitLog(t.Context(), ref, function.LogCursor{}, 10, time.Minute); len(seen) != 1 || err != nil {
		t.Errorf("awaited %v, %v", seen, err)
	}
	lines.Stop()
	if f, err := s.Get(t.Context(), ref); err != nil || f.Code != "1" {
		t.Errorf("without the Redis of lines: %v", err)
	}
	put(t, s, ref, "2", nil)
}

// Functions of others can be deployed, whatever Redis does when it is full: with volatile-lru, as in the manifests,
// it drops lines by itself.
func TestAFullRedisGivesUpLinesBeforeItRefusesFunctions(t *testing.T) {
	for _, policy := range []string{"volatile-lru", "noeviction"} {
		single := testenv.Redis(t, "--maxmemory", "8mb", "--maxmemory-policy", policy)
		cluster := testenv.RedisCluster(t)
		cluster.Do("CONFIG SET maxmemory 8mb")
		cluster.Do("CONFIG SET maxmemory-policy " + policy)
		for kind, endpoint := range map[string]string{"single": "redis://" + single.Addr, "cluster": "redis+cluster://" + cluster.Addr} {
			t.Run(policy+" "+kind, func(t *testing.T) {
				s := open(t, endpoint)
				put(t, s, ref, "1", nil)
				for i := range 20 { // 40 MB
					var lines []function.LogLine
					for j := range 10 {
						lines = append(
							lines,
							linesOfLength(function.Ref{Namespace: fmt.Sprint("loud", j), ID: fmt.Sprint(i)}, 50, 4096)...)
					}
					_, _ = s.AppendLog(t.Context(), lines, keep) // they may be lost
					put(t, s, function.Ref{Namespace: "other", ID: fmt.Sprint(i)}, strings.Repeat("x", 10_000), nil)
					check(t, s.SetEnv(t.Context(), ref, fmt.Sprint("V", i), strings.Repeat("v", 10_000)))
					check(t, s.PutNamespace(t.Context(), &function.Namespace{Name: fmt.Sprint("n", i)}))
				}
				if f, err := s.Get(t.Context(), ref); err != nil || f.Code != "1" || f.Env.Len() != 20 {
					t.Errorf("got %+v, %v", f, err)
				}
			})
		}
	}
}
