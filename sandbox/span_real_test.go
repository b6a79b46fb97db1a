//go:build linux

package sandbox_test

import (
	"reflect"
	"testing"

	"github.com/backstage/functions/sandbox"
)

func TestSpansOfAFunctionReachWhoeverAskedForThem(t *testing.T) {
	pool := newRealPool(t, one)
	inv := invocation("spans", `function main(req, res) {
		const outer = Backstage.span.tracer().startSpan('outer');
		const inner = outer.tracer().startSpan('inner', { childOf: outer, tags: { rows: 3 } });
		Backstage.span.setTag('user', 'u1');
		setTimeout(() => { inner.finish(); outer.setTag('ok', true).finish(); res.send(1) }, 5);
	}`)
	for range 2 { // on the same worker, the second time
		var got []sandbox.Span
		inv.OnSpan = func(s sandbox.Span) { got = append(got, s) }
		result, err := pool.Invoke(t.Context(), inv)
		if err != nil {
			t.Fatal(err)
		}
		for i := range got {
			if got[i].Start+got[i].Duration > result.Run || (got[i].Number > 0) != (got[i].Duration > 0) {
				t.Errorf("span %+v in a call of %v", got[i], result.Run)
			}
			got[i].Start, got[i].Duration = 0, 0
		}
		want := []sandbox.Span{
			{Number: 2, Parent: 1, Name: "inner", Tags: []sandbox.Tag{{Key: "rows", Value: 3.0}}},
			{Number: 1, Name: "outer", Tags: []sandbox.Tag{{Key: "ok", Value: true}}},
			{Tags: []sandbox.Tag{{Key: "user", Value: "u1"}}},
		}
		if !reflect.DeepEqual(got, want) {
			t.Errorf("got %+v, want %+v", got, want)
		}
	}
	inv.OnSpan = nil
	if _, err := pool.Invoke(t.Context(), inv); err != nil {
		t.Errorf("nobody asks: %v", err)
	}
}

func TestSpansWithoutEndAreABreachOfProtocol(t *testing.T) {
	pool, err := nakedPool(t, ready+`serve()`, nil)
	if err != nil {
		t.Fatal(err)
	}
	kept := 0
	asking := func(sandbox.Span) { kept++ }
	for name, row := range map[string]struct {
		code string
		on   func(sandbox.Span)
	}{
		"nobody asked":      {`send({ type: 'span', id, span: 1, parent: 0, name: 'x', start: 0, duration: 0, tags: [] })`, nil},
		"one after another": {`for (;;) send({ type: 'span', id, span: 1, parent: 0, name: 'x', start: 0, duration: 0, tags: [] })`, asking},
	} {
		inv := invocation("naked "+name, row.code)
		inv.OnSpan = row.on
		_, err := pool.Invoke(t.Context(), inv)
		wantDeath(t, name, err, sandbox.ReasonProtocol)
	}
	if kept != 65 {
		t.Errorf("%d spans were handed on, 65 are allowed", kept)
	}
}
