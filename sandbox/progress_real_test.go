//go:build linux

package sandbox_test

import (
	"reflect"
	"testing"

	"github.com/backstage/functions/sandbox"
)

func TestAQueuedCallTellsHowFarItIs(t *testing.T) {
	pool := newRealPool(t, one)
	inv := invocation("progress", `function main(req, res) {
		Backstage.progress(0.25, 'a quarter');
		setTimeout(() => { Backstage.progress(1); send(res) }, 5);
	}
	function send(res) {
		const { id, attempt, deadline } = Backstage.invocation;
		res.send({ id, attempt, deadline: deadline > Date.now() });
	}`)
	told := []sandbox.Progress{{Part: 0.25, Text: "a quarter"}, {Part: 1}}
	for _, row := range []struct {
		queued *sandbox.Queued
		want   []sandbox.Progress
		body   string
	}{
		{&sandbox.Queued{ID: "q1", Attempt: 1}, told, `{"id":"q1","attempt":1,"deadline":true}`},
		{nil, nil, `{"deadline":true}`}, // on the same worker
		{&sandbox.Queued{ID: "q2", Attempt: 7}, told, `{"id":"q2","attempt":7,"deadline":true}`},
	} {
		var got []sandbox.Progress
		inv.Queued, inv.OnProgress = row.queued, func(p sandbox.Progress) { got = append(got, p) }
		result, err := pool.Invoke(t.Context(), inv)
		if err != nil || string(result.Body) != row.body || !reflect.DeepEqual(got, row.want) {
			t.Errorf("%+v: got %+v, %+v, %v", row.queued, got, result, err)
		}
	}
}

func TestProgressThatNobodyAskedForIsABreachOfProtocol(t *testing.T) {
	pool, err := nakedPool(t, ready+`serve()`, nil)
	if err != nil {
		t.Fatal(err)
	}
	told := 0
	for name, row := range map[string]struct {
		code   string
		queued *sandbox.Queued
	}{
		"somebody waits": {`send({ type: 'progress', id, part: 0, text: '' })`, nil},
		"one after another": {
			`for (;;) send({ type: 'progress', id, part: 0, text: '' })`, &sandbox.Queued{ID: "q", Attempt: 1},
		},
	} {
		inv := invocation("naked "+name, row.code)
		inv.Queued, inv.OnProgress = row.queued, func(sandbox.Progress) { told++ }
		_, err := pool.Invoke(t.Context(), inv)
		wantDeath(t, name, err, sandbox.ReasonProtocol)
	}
	if told != 10_000 {
		t.Errorf("%d notices were handed on, 10000 are allowed", told)
	}
}
