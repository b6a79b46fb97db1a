package egress_test

import (
	"testing"

	"github.com/backstage/functions/internal/egress"
	"github.com/backstage/functions/sandbox"
)

func TestTheGlobalFetchOfNewerNodesGoesTheSameWay(t *testing.T) {
	site := newSite(t, false)
	r := newRig(t, egress.Options{Policy: egress.Policy{Mode: egress.Public, Allow: mustRules(t, site.Listener.Addr().String())}}, func(c *sandbox.Config) {
		c.Isolation = sandbox.IsolationProcess // another Node.js may need more than the sandbox gives
	})
	inv := invocation(t, "", site.URL)
	inv.Code = `async function main(req, res) {
		if (typeof fetch !== 'function') return res.send(['none']); // Node.js 8
		const got = await (await fetch(req.body + '/a')).text();
		const refused = await fetch('http://10.0.0.1/').catch(e => e.cause.code);
		return res.send([got, refused]);
	}`
	result, err := r.pool.Invoke(t.Context(), inv)
	if err != nil {
		t.Fatal(err)
	}
	if got := string(result.Body); got != `["none"]` && got != `["GET /a ","EGRESS_DENIED"]` {
		t.Error(got)
	}
}
