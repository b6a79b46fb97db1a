//go:build linux && amd64

package sandbox_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/backstage/functions/sandbox"
)

// verifyCalls is how many calls each runtime serves, each followed by a comparison of all of its worker.
// VERIFY_ROLLBACK sets it, as make verify-rollback does. VERIFY_SEED, a number, has them drawn in another order, so
// that a long run can be made in pieces.
const verifyCalls = 250

// ends are the kinds after which a worker must end, for what they leave in the kernel cannot be put back.
var ends = []string{"file", "threads"}

// slow are the kinds that take long or much memory: they come more rarely.
var slow = []string{"garbage", "big", "strings", "typed", "map", "sort", "buffers", "http", "json"}

// verifier calls kinds at random and compares each answer with the first one of its kind.
type verifier struct {
	*testing.T
	pool     *sandbox.Pool
	observer rolledBack
	code     string
	once     bool // the top-level code is in the snapshot
	expected map[string]string
	drawn    map[string]string // random values, with the call that drew them
	ended    map[sandbox.RollbackCause]int
}

// TestManyKindsOfCallsAreRolledBack has calls of all kinds in any order share workers: each answers as the first of its
// kind did, and each worker is as before.
func TestManyKindsOfCallsAreRolledBack(t *testing.T) {
	calls := verifyCalls
	if text := os.Getenv("VERIFY_ROLLBACK"); text != "" {
		n, err := strconv.Atoi(text)
		if err != nil {
			t.Fatalf("VERIFY_ROLLBACK: %v", err)
		}
		calls = n
	}
	seed := uint64(1)
	if text := os.Getenv("VERIFY_SEED"); text != "" {
		n, err := strconv.ParseUint(text, 10, 64)
		if err != nil {
			t.Fatalf("VERIFY_SEED: %v", err)
		}
		seed = n
	}
	text, err := os.ReadFile("testdata/rollback/kinds.js")
	if err != nil {
		t.Fatal(err)
	}
	kinds := kindsOf(string(text))
	if len(kinds) < 40 {
		t.Fatalf("%d kinds: %q", len(kinds), kinds)
	}
	onEveryVersion(t, func(t *testing.T, v version) {
		observer := newRolledBack(t)
		observer.quiet = true // there are thousands
		pool := newRealPool(t, func(c *sandbox.Config) {
			one(c)
			c.Node, c.Observer, c.RollbackAudit = v.binary(t), observer, 1
			c.Modules = append(c.Modules, "crypto", "fs", "zlib")
		})
		needRollback(t, pool)
		verify := &verifier{
			T: t, pool: pool, observer: observer, code: string(text), expected: map[string]string{}, drawn: map[string]string{},
			ended: map[sandbox.RollbackCause]int{},
		}
		random, began, kind := rand.New(rand.NewPCG(seed, 2)), time.Now(), ""
		for i := range calls {
			verify.once = i >= calls/2
			kind = nextKind(random, kinds, i, kind)
			verify.call(i, kind)
		}
		t.Logf("%d calls of %d kinds, in %v, workers that ended: %v", calls, len(kinds), time.Since(began), verify.ended)
	})
}

// nextKind draws the kind of call i, which comes after one of kind last: each once at first. What ends a worker is
// followed by another kind: functions whose workers always end are not put back any more.
func nextKind(random *rand.Rand, kinds []string, i int, last string) string {
	if i < len(kinds) {
		return kinds[i]
	}
	kind := kinds[random.IntN(len(kinds))]
	if slices.Contains(ends, last) || slices.Contains(slow, kind) && random.IntN(4) > 0 {
		return "look"
	}
	return kind
}

// kindsOf are the names of the kinds in the code.
func kindsOf(code string) (kinds []string) {
	_, list, _ := strings.Cut(code, "const kinds = {\n")
	for _, match := range regexp.MustCompile(`(?m)^  (\w+): `).FindAllStringSubmatch(list, -1) {
		kinds = append(kinds, match[1])
	}
	return kinds
}

func (v *verifier) call(i int, kind string) {
	v.Helper()
	name := "kinds"
	if v.once {
		name = "kinds once"
	}
	inv := rolledBackInvocation(name, v.code)
	inv.Once = v.once
	inv.Request.Body = fmt.Appendf(nil, `{"kind":%q,"secret":"secret-%08x"}`, kind, i*2654435761)
	result, err := v.pool.Invoke(context.Background(), inv)
	answer := ""
	failure, failed := errors.AsType[*sandbox.FunctionError](err)
	switch {
	case failed:
		answer = failure.Message
	case err != nil:
		v.Fatalf("call %d, %s: %v", i, kind, err)
	default:
		answer = string(result.Body)
	}
	cause := <-v.observer.causes
	switch {
	case slices.Contains(ends, kind) == (cause == ""):
		v.Errorf("call %d, %s: its worker ends for %q", i, kind, cause)
	case cause == sandbox.RollbackUnproven:
		v.Errorf("call %d, %s: its worker is not as before", i, kind)
	case cause != "":
		v.ended[cause]++
	}
	if kind == "random" {
		v.checkRandom(i, answer)
		return
	}
	if first, ok := v.expected[kind]; !ok {
		v.expected[kind] = answer
	} else if answer != first {
		v.Errorf("call %d, %s: answers %.200s, the first one %.200s", i, kind, answer, first)
	}
}

// checkRandom fails when a value was drawn before.
func (v *verifier) checkRandom(i int, answer string) {
	var values struct{ R []string }
	if err := json.Unmarshal([]byte(answer), &values); err != nil || len(values.R) < 5 {
		v.Fatalf("call %d: random values %s, %v", i, answer, err)
	}
	for _, value := range values.R {
		if before, ok := v.drawn[value]; ok {
			v.Errorf("call %d draws %s, which call %s has drawn", i, value, before)
		}
		v.drawn[value] = strconv.Itoa(i)
	}
}
