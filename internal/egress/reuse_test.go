package egress_test

import (
	"testing"

	"github.com/backstage/functions/internal/egress"
	"github.com/backstage/functions/sandbox"
)

// V8 collects garbage after some calls and sets a timer of its own then, which is nothing that a call has left.
func TestWorkersOfCallsThatFetchAreUsedAgain(t *testing.T) {
	site := newSite(t, false)
	onEachNode(t, func(t *testing.T, _ string, use func(*sandbox.Config)) {
		r := newRig(t, egress.Options{Policy: egress.Policy{Mode: egress.All}}, use)
		for range 60 {
			call[string](t, r, `async function main(req, res) { res.send((await get(req.body + '/a')).body); }`, site.URL)
		}
		if n := r.seen.of(sandbox.ReasonRetired); n != 0 {
			t.Errorf("%d workers were not used again", n)
		}
	})
}
