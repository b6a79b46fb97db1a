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

// verifyCalls is how many calls each runtime serves, each followed by a comparison of all of its worker: each kind once
// without and once with the top-level code in the snapshot, and some more in any order.
// VERIFY_ROLLBACK sets it, as make verify-rollback does: runtimes take their turns side by side then. VERIFY_SEED, a
// number, has the calls drawn in another order, so that a long run can be made in pieces.
const verifyCalls = 250

// ends are the kinds after which a worker must end, for what they leave in the kernel cannot be put back.
var ends = []string{"file", "threads"}

// slow are the kinds that take long or much memory, or another worker: they come more rarely.
var slow = append([]string{"garbage", "big", "strings", "typed", "map", "sort", "buffers", "http", "json"}, ends...)

// tellEvery is after how many calls a long run says how far it is, and mostFaults after how many faults it stops.
const (
	tellEvery  = 1000
	mostFaults = 10
)

// verifier calls kinds at random and compares each answer with the first one of its kind.
type verifier struct {
	*testing.T
	pool     *sandbox.Pool
	observer outcomes
	code     string
	kinds    []string // of the code
	seed     uint64
	calls    int  // that there are to be
	once     bool // the top-level code is in the snapshot
	faults   int
	before   []string // the kinds of the calls since the worker's first one, oldest first
	expected map[string]string
	drawn    map[string]string // random values, with the call that drew them
	ended    map[sandbox.RollbackCause]int
}

// TestManyKindsOfCallsAreRolledBack has calls of all kinds in any order share workers: each answers as the first of its
// kind did, and each worker is as before.
func TestManyKindsOfCallsAreRolledBack(t *testing.T) {
	_, long := os.LookupEnv("VERIFY_ROLLBACK")
	calls, seed := numberOf(t, "VERIFY_ROLLBACK", verifyCalls), numberOf(t, "VERIFY_SEED", 1)
	text, err := os.ReadFile("testdata/rollback/kinds.js")
	if err != nil {
		t.Fatal(err)
	}
	kinds := kindsOf(string(text))
	if len(kinds) < 40 {
		t.Fatalf("%d kinds: %q", len(kinds), kinds)
	}
	onEveryVersion(t, func(t *testing.T, v version) {
		if long {
			t.Parallel()
		}
		observer := outcomes{all: make(chan sandbox.RollbackOutcome, 1)}
		pool := newRealPool(t, func(c *sandbox.Config) {
			one(c)
			c.Node, c.Observer, c.RollbackAudit = v.binary(t), observer, 1
			c.Modules = append(c.Modules, "crypto", "fs", "zlib")
		})
		needRollback(t, pool)
		verify := &verifier{
			T: t, pool: pool, observer: observer, code: string(text), kinds: kinds, seed: uint64(seed), calls: calls,
			expected: map[string]string{}, drawn: map[string]string{}, ended: map[sandbox.RollbackCause]int{},
		}
		verify.all()
	})
}

// numberOf is what a variable of the environment says; without it, otherwise.
func numberOf(t *testing.T, variable string, otherwise int) int {
	t.Helper()
	text, ok := os.LookupEnv(variable)
	if !ok {
		return otherwise
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < 1 {
		t.Fatalf("%s is %q, not a number above 0", variable, text)
	}
	return n
}

// all makes the calls.
func (v *verifier) all() {
	v.Helper()
	random, began, kind := rand.New(rand.NewPCG(v.seed, 2)), time.Now(), ""
	tell := func(made int) {
		v.Logf("%d of %d calls of %d kinds compared (seed %d) in %v, %d faults, workers that ended: %v",
			made, v.calls, len(v.kinds), v.seed, time.Since(began).Round(time.Millisecond), v.faults, v.ended)
	}
	first := 0 // call of the function
	for i := range v.calls {
		if i > 0 && i%tellEvery == 0 {
			tell(i)
		}
		if i == v.calls/2 {
			first, v.once, v.before = i, true, nil // which is another function
		}
		kind = nextKind(random, v.kinds, i-first, kind)
		v.call(i, kind)
		if v.faults >= mostFaults {
			v.Fatalf("%d faults: the rest is not tried", v.faults)
		}
	}
	tell(v.calls)
}

// fault tells what is wrong with call i, and all that is needed to have it again.
func (v *verifier) fault(i int, kind, format string, args ...any) {
	v.Helper()
	v.faults++
	v.Errorf("call %d of %d with VERIFY_SEED=%d, %s in a worker that has served %v: %s",
		i, v.calls, v.seed, kind, v.before, fmt.Sprintf(format, args...))
}

// nextKind draws the kind of call i of a function, which comes after one of kind last: each once at first. What ends a
// worker is followed by another kind: functions whose workers always end are not put back any more.
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

// call makes call i, and waits until its worker is compared or has ended.
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
		v.Fatalf("call %d of %d with VERIFY_SEED=%d, %s: %v", i, v.calls, v.seed, kind, err)
	default:
		answer = string(result.Body)
	}
	v.checkOutcome(i, kind, <-v.observer.all)
	if kind == "random" {
		v.checkRandom(i, answer)
		return
	}
	if first, ok := v.expected[kind]; !ok {
		v.expected[kind] = answer
	} else if answer != first {
		v.fault(i, kind, "it answers %.200s, the first one %.200s", answer, first)
	}
}

// checkOutcome fails unless the worker of call i was compared and is as before, or has ended as it should.
func (v *verifier) checkOutcome(i int, kind string, outcome sandbox.RollbackOutcome) {
	v.Helper()
	switch {
	case outcome.Cause == sandbox.RollbackUnproven:
		v.fault(i, kind, "its worker is not as before: %s", outcome.Detail)
	case slices.Contains(ends, kind) && outcome.Cause == "":
		v.fault(i, kind, "its worker goes on, which is to end")
	case !slices.Contains(ends, kind) && outcome.Cause != "":
		v.fault(i, kind, "its worker ends: %+v", outcome)
	case outcome.Cause == "" && !outcome.Audited:
		v.fault(i, kind, "its worker was not compared")
	}
	if outcome.Cause == "" {
		v.before = append(v.before, kind)
	} else {
		v.ended[outcome.Cause]++
		v.before = nil
	}
}

// checkRandom fails when a value was drawn before.
func (v *verifier) checkRandom(i int, answer string) {
	v.Helper()
	var values struct{ R []string }
	if err := json.Unmarshal([]byte(answer), &values); err != nil || len(values.R) < 5 {
		v.Fatalf("call %d: random values %s, %v", i, answer, err)
	}
	for _, value := range values.R {
		if before, ok := v.drawn[value]; ok {
			v.fault(i, "random", "it draws %s, which call %s has drawn", value, before)
		}
		v.drawn[value] = strconv.Itoa(i)
	}
}
