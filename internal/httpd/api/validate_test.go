package api

import (
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/backstage/functions/internal/function"
	"github.com/backstage/functions/sandbox"
)

func TestPropertiesAreThoseThatJavaScriptSees(t *testing.T) {
	var got []string
	for _, p := range properties(json.RawMessage(`{"b":1,"10":2,"a":{"x":[1]},"9":3,"b":4,"":5,"4294967295":6,"01":7,"-1":8}`)).list {
		got = append(got, p.name+"="+string(p.value))
	}
	const want = `9=3 10=2 b=4 a={"x":[1]} =5 4294967295=6 01=7 -1=8`
	if text := strings.Join(got, " "); text != want {
		t.Errorf("properties are %s, want %s", text, want)
	}
}

// A caller who sends many members, of one name or of many, has the first of them read and no more.
func TestObjectsOfManyMembersAreNotReadToTheirEnd(t *testing.T) {
	const count = 20_000
	for kind, name := range map[string]func(int) string{
		"names":    func(i int) string { return "k" + strconv.Itoa(i) },
		"indices":  strconv.Itoa,
		"one name": func(int) string { return "k" },
	} {
		var text strings.Builder
		for i := range count {
			text.WriteString(`,"` + name(i) + `":"x"`)
		}
		object := "{" + text.String()[1:] + "}"
		for place, read := range map[string]func() []string{
			"instance.env": func() []string {
				_, faults := parseFunction(json.RawMessage(`{"code":"x","env":`+object+`}`), &optionParser{})
				return faults
			},
			"instance": func() []string {
				_, faults := parseFunction(json.RawMessage(object), &optionParser{})
				_, same := parseNamespace(json.RawMessage(object))
				return slices.Compact(append(faults, same...))
			},
		} {
			want := []string{place + " has more than 1024 members, which is the most that are taken"}
			if got := read(); !slices.Equal(got, want) {
				t.Errorf("%s of %s: got %.99s, want %q", kind, place, strings.Join(got, ", "), want)
			}
			if allocations := testing.AllocsPerRun(1, func() { read() }); allocations > count/2 {
				t.Errorf("%s of %s: %v allocations", kind, place, allocations)
			}
		}
	}
}

func TestEnvironmentsAreBounded(t *testing.T) {
	body := func(count int) json.RawMessage {
		var env strings.Builder
		for i := range count {
			fmt.Fprintf(&env, `,"A%d":""`, i)
		}
		return json.RawMessage(`{"code":"x","env":{` + env.String()[1:] + "}}")
	}
	if f, faults := parseFunction(body(1024), &optionParser{}); len(faults) > 0 || f.Env.Len() != 1024 {
		t.Errorf("1024 variables: %q", faults)
	}
	want := []string{"instance.env has more than 1024 members, which is the most that are taken"}
	if _, faults := parseFunction(body(1025), &optionParser{}); !slices.Equal(faults, want) {
		t.Errorf("1025 variables: %q", faults)
	}
}

func FuzzBodiesAreEitherReadOrExplained(f *testing.F) {
	for _, seed := range []string{
		`{}`, `[]`, `{"code":"x"}`, `{"code":"","env":{"a":1}}`, `{"code":"x","env":{"1":"\ud800","a b":"2"}}`, `"x"`, `null`,
		`{"namespace":"x","sentryDSN":"y"}`, `{"code":"\u0000","code":1}`,
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		if !json.Valid([]byte(text)) {
			return
		}
		body := json.RawMessage(strings.TrimSpace(text))
		if fn, faults := parseFunction(body, &optionParser{}); (fn == nil) == (len(faults) == 0) {
			t.Errorf("function %v, faults %q", fn, faults)
		} else if fn != nil && fn.Code == "" {
			t.Error("the code is empty")
		}
		if n, faults := parseNamespace(body); len(faults) > 0 && n.dsn != nil {
			t.Errorf("namespace %v, faults %q", n, faults)
		}
	})
}

// eightAnd24 are the runtimes of a server.
var eightAnd24 = []sandbox.Runtime{{Name: "node8", Version: "v8.17.0"}, {Name: "node24", Version: "v24.21.0"}}

func TestOptionsAreChecked(t *testing.T) {
	parser := &optionParser{
		eightAnd24, function.Bounds{
			Timeout: time.Minute, SyncTimeout: time.Second, Memory: 128 << 20, CPU: 2,
		},
	}
	for text, want := range map[string][]string{
		`{"code":"1","runtime":"node24","maxInvocations":1}`: nil,
		`{"code":"1","runtime":"","maxInvocations":0}`:       nil,
		`{"code":"1","runtime":"node9"}`: {
			"instance.runtime is not one of enum values: node8,node24; functions runtimes add gives the server others",
		},
		`{"code":"1","runtime":8}`:                         {"instance.runtime is not of a type(s) string"},
		`{"code":"1","maxInvocations":"1"}`:                {"instance.maxInvocations is not of a type(s) integer"},
		`{"code":"1","maxInvocations":1.5}`:                {"instance.maxInvocations is not of a type(s) integer"},
		`{"code":"1","maxInvocations":-1}`:                 {"instance.maxInvocations must have a minimum value of 0"},
		`{"code":"1","maxConcurrency":3}`:                  nil,
		`{"code":"1","note":"x","time":1,"hash":"x"}`:      nil,
		`{"code":"1","maxinvocation":1}`:                   {`instance.maxinvocation is not known: did you mean "maxInvocations"?`},
		`{"code":"1","runtimes":["node8"]}`:                {`instance.runtimes is not known: did you mean "runtime"?`},
		`{"code":"1","maxConcurrency":null}`:               {"instance.maxConcurrency is not of a type(s) integer"},
		`{"code":"1","maxConcurrency":-1}`:                 {"instance.maxConcurrency must have a minimum value of 0"},
		`{"code":"1","maxInvocations":1000000001}`:         {"instance.maxInvocations must have a maximum value of 1000000000"},
		`{"code":"1","reuse":""}`:                          nil,
		`{"code":"1","reuse":"rollback"}`:                  nil,
		`{"code":"1","reuse":"worker","afterAnswer":""}`:   nil,
		`{"code":"1","reuse":"fork"}`:                      {"instance.reuse is not one of enum values: rollback,worker"},
		`{"code":"1","afterAnswer":""}`:                    nil,
		`{"code":"1","afterAnswer":"drop"}`:                {"instance.afterAnswer is not one of enum values: finish,cut"},
		`{"code":"1","timeout":"60s","syncTimeout":"1ms"}`: nil,
		`{"code":"1","timeout":"","syncTimeout":""}`:       nil,
		`{"code":"1","timeout":1000}`:                      {"instance.timeout is not of a type(s) string"},
		`{"code":"1","timeout":"1000"}`:                    {"instance.timeout is not a duration with its unit, such as 500ms, 10s or 1m30s"},
		`{"code":"1","timeout":"-1s"}`:                     {"instance.timeout is not a duration with its unit, such as 500ms, 10s or 1m30s"},
		`{"code":"1","timeout":"1m1ms"}`:                   {"instance.timeout must be at most 1m, which is FUNCTION_TIMEOUT_MAX of this server"},
		`{"code":"1","syncTimeout":"1.001s"}`:              {"instance.syncTimeout must be at most 1s, which is FUNCTION_SYNC_TIMEOUT_MAX of this server"},
		`{"code":"1","syncTimeout":"999us"}`:               {"instance.syncTimeout must be at least 1ms"},
		`{"code":"1","memory":"32mb","cpu":0.01}`:          nil,
		`{"code":"1","memory":"128mb","cpu":2}`:            nil,
		`{"code":"1","memory":"","cpu":0}`:                 nil,
		`{"code":"1","memory":"33554431"}`:                 {"instance.memory must be at least 32mb"},
		`{"code":"1","memory":"129mb"}`:                    {"instance.memory must be at most 128mb, which is FUNCTION_MEMORY_MAX of this server"},
		`{"code":"1","memory":64}`:                         {"instance.memory is not of a type(s) string"},
		`{"code":"1","memory":"64m"}`:                      {"instance.memory is not a number of bytes with its unit, such as 64mb"},
		`{"code":"1","cpu":2.01}`:                          {"instance.cpu must be at most 2, which is FUNCTION_CPU_MAX of this server"},
		`{"code":"1","cpu":0.001}`:                         {"instance.cpu must be at least 0.01"},
		`{"code":"1","cpu":-1}`:                            {"instance.cpu must have a minimum value of 0"},
		`{"code":"1","cpu":"1"}`:                           {"instance.cpu is not of a type(s) number"},
		`{"code":"1","cpu":1e999}`:                         {"instance.cpu must have a maximum value of 1000000000"},
		`{"code":"1","globals":"web","init":"once"}`:       nil,
		`{"code":"1","globals":"node"}`:                    {"instance.globals is not one of enum values: web,classic"},
		`{"code":"1","init":true}`:                         {"instance.init is not of a type(s) string"},
		`{"code":"1","syncTimeouts":"1s"}`:                 {`instance.syncTimeouts is not known: did you mean "syncTimeout"?`},
	} {
		if _, faults := parseFunction([]byte(text), parser); !slices.Equal(faults, want) {
			t.Errorf("%s: got %q, want %q", text, faults, want)
		}
	}
}

func TestAModernRuntimeIsAskedForWithWebGlobals(t *testing.T) {
	parser := &optionParser{runtimes: eightAnd24}
	for options, want := range map[string]string{
		`"runtime":"node24"`:                     "web",
		`"runtime":"node24","globals":"classic"`: "classic",
		`"runtime":"node24","globals":""`:        "",
		`"runtime":"node8"`:                      "unset",
		`"runtime":"node8","globals":"web"`:      "web",
		`"runtime":""`:                           "unset",
		`"globals":"web"`:                        "web",
		`"maxInvocations":1`:                     "unset",
	} {
		f, faults := parseFunction(json.RawMessage(`{"code":"1",`+options+`}`), parser)
		if faults != nil {
			t.Fatal(faults)
		}
		got := "unset"
		if f.Options.Globals != nil {
			got = *f.Options.Globals
		}
		if got != want {
			t.Errorf("%s: globals are %q, want %q", options, got, want)
		}
	}
}
