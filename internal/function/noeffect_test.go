package function_test

import (
	"strings"
	"testing"
	"time"

	"github.com/backstage/functions/internal/function"
)

// plain are the defaults of a server on which nobody has set anything.
var plain = function.Defaults{Timeout: 5 * time.Second}

func TestOptionsWithoutEffectAreTold(t *testing.T) {
	rollback, alone := plain, plain
	rollback.Rollback, alone.MaxInvocations = true, 1
	for _, row := range []struct {
		name     string
		defaults function.Defaults
		options  string
		want     map[string]string // options without effect, and a part of why
	}{
		{"state and reuse", plain, `state="worker" reuse="rollback"`, map[string]string{"reuse": "not put back"}},
		{"state and init", plain, `state="worker" init="each"`, map[string]string{"init": "once in each process"}},
		{"state and warmup", rollback, `state="worker" warmup={}`, map[string]string{"warmup": "not put back"}},
		{"warmup alone", plain, `warmup={}`, map[string]string{"warmup": `takes "reuse":"rollback" or REUSE=rollback`}},
		{"warmup against", rollback, `warmup={} reuse="worker"`, map[string]string{"warmup": `takes "reuse":"rollback"`}},
		{"one call, init", plain, `init="once" maxInvocations=1`, map[string]string{"init": "serves one call"}},
		{"one call, state", plain, `state="worker" maxInvocations=1`, map[string]string{"state": "serves one call"}},
		{"one call, reuse", plain, `reuse="rollback" maxInvocations=1`, map[string]string{"reuse": "serves one call"}},
		{
			"one call by the server", alone, `init="once" state="worker" reuse="rollback"`,
			map[string]string{"init": "serves one call", "state": "serves one call", "reuse": "not put back"},
		},
		{
			"fewer calls by the server",
			function.Defaults{MaxInvocations: 10},
			`maxInvocations=11`,
			map[string]string{"maxInvocations": "WORKER_MAX_INVOCATIONS is less, 10"},
		},
		{"sync timeout", plain, `syncTimeout="6s"`, map[string]string{"syncTimeout": "longer than the timeout of a call"}},
		{
			"sync timeout and timeout", plain, `syncTimeout="2s" timeout="1s"`,
			map[string]string{"syncTimeout": "CODE_ASYNC_TIMEOUT), 1s"},
		},
		{
			"after the answer",
			function.Defaults{Cut: true},
			`afterAnswer="finish"`,
			map[string]string{"afterAnswer": "AFTER_ANSWER=cut"},
		},
		{"access", function.Defaults{Open: true}, `access="jwt"`, map[string]string{"access": "AUTH is off"}},
		{"access by key", function.Defaults{Open: true}, `access="key"`, map[string]string{"access": "AUTH is off"}},
		{
			"no connections",
			function.Defaults{NoSockets: true},
			`websocket={}`,
			map[string]string{"websocket": "WEBSOCKET_CONNECTIONS is 0"},
		},
		{
			"idle connections",
			function.Defaults{SocketIdle: time.Minute},
			`websocket={"idle":"2m"}`,
			map[string]string{"websocket": "WEBSOCKET_IDLE_TIMEOUT: that is used, 1m"},
		},
		{
			"no calls",
			function.Defaults{NoCalls: true},
			`retries={"attempts":2} idempotency="sync" callback={"url":"https://a.example/","secret":"A"}`,
			map[string]string{"retries": "CALLS_MAX is 0", "idempotency": "CALLS_MAX", "callback": "CALLS_MAX"},
		},
	} {
		got := row.defaults.WithoutEffect(optionsOf(t, row.options))
		if len(got) != len(row.want) {
			t.Errorf("%s: %q, want %v", row.name, got, row.want)
		}
		for _, sentence := range got {
			rest, _ := strings.CutPrefix(sentence, "the option ")
			option, why, _ := strings.Cut(rest, " has no effect: ")
			if want, ok := row.want[option]; !ok || !strings.Contains(why, want) {
				t.Errorf("%s: %q, want %v", row.name, sentence, row.want)
			}
		}
	}
}

func TestOptionsWithAnEffectAreNotTold(t *testing.T) {
	rollback := plain
	rollback.Rollback = true
	for _, row := range []struct {
		defaults function.Defaults
		options  string
	}{
		{plain, ``},
		{rollback, `warmup={} init="once"`},
		{plain, `warmup={} reuse="rollback"`},
		{plain, `warmup={} reuse="rollback" maxInvocations=1`},
		{plain, `warmup=false state="worker" init="once" reuse="worker"`},
		{rollback, `state="worker" reuse=""`},
		{plain, `init="once" maxInvocations=2`},
		{plain, `init="each" state="call" maxInvocations=1 reuse="worker"`},
		{plain, `maxInvocations=1000`},
		{function.Defaults{MaxInvocations: 10}, `maxInvocations=10`},
		{plain, `syncTimeout="5s"`},
		{plain, `syncTimeout="6s" timeout="6s"`},
		{plain, `syncTimeout="" timeout="1s"`},
		{function.Defaults{Cut: true}, `afterAnswer="cut"`},
		{function.Defaults{Open: true}, `access="public"`},
		{plain, `access="key"`},
		{function.Defaults{NoSockets: true}, `websocket=false`},
		{function.Defaults{SocketIdle: time.Minute}, `websocket={"idle":"1m"}`},
		{function.Defaults{SocketIdle: time.Minute}, `websocket={}`},
		{plain, `retries={"attempts":2} idempotency="sync" callback={"url":"https://a.example/","secret":"A"}`},
		{function.Defaults{NoCalls: true}, `retries={} idempotency="async" callback={}`},
	} {
		if got := row.defaults.WithoutEffect(optionsOf(t, row.options)); len(got) > 0 {
			t.Errorf("%s on %+v: %q", row.options, row.defaults, got)
		}
	}
}

// optionsOf reads options of the form name=JSON.
func optionsOf(t *testing.T, text string) (o function.Options) {
	t.Helper()
	for field := range strings.FieldsSeq(text) {
		name, value, _ := strings.Cut(field, "=")
		if fault := function.OptionOf(name).Parse(&o, []byte(value)); fault != "" {
			t.Fatalf("%s%s", name, fault)
		}
	}
	return o
}
