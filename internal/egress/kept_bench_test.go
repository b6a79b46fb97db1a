package egress_test

import (
	"fmt"
	"testing"

	"github.com/backstage/functions/internal/egress"
	"github.com/backstage/functions/sandbox"
)

// BenchmarkConnection measures what a connection costs that is made for one request: a call with one request, less a
// call with none, less what a second request on the same connection adds. That is all that a connection kept from an
// earlier call could save on this machine; elsewhere it saves the round trips, too.
func BenchmarkConnection(b *testing.B) {
	plain, secure := kilobyte(b), newHandshakes(b)
	for _, row := range []struct{ name, url, agent string }{
		{"plain", plain.URL, `new http.Agent({ keepAlive: true })`},
		{"TLS, session resumed", secure.URL, `resuming`},
		{"TLS, full handshake", secure.URL, `new https.Agent({ keepAlive: true, maxCachedSessions: 0 })`},
	} {
		b.Run(row.name, func(b *testing.B) {
			r := newRig(b, egress.Options{Policy: egress.Policy{Mode: egress.All}}, func(c *sandbox.Config) {
				c.Node = nodeBinary(b, "node24")
				c.Egress.CA, c.Egress.KeepAlive = secure.certificate(), true
				c.Modules = append(c.Modules, "http", "https", "timers", "url")
			})
			source := `const http = require('http'); const https = require('https'); const resuming = https.globalAgent;
			const one = (url, agent) => new Promise((resolve, reject) => (url.startsWith('https') ? https : http).get(
				Object.assign(require('url').parse(url), { agent }), a => a.on('data', () => {}).on('end', resolve)).on('error', reject));
			async function main(req, res) {
				const agent = ` + row.agent + `;
				for (let i = 0; i < req.body.n; i++) {
					await one(req.body.url, agent);
					await new Promise(require('timers').setImmediate);
				}
				agent.destroy();
				res.send(req.body.n);
			}`
			var took [3]stopwatch
			for b.Loop() {
				for n := range took {
					inv := invocation(b, "", map[string]any{"url": row.url, "n": n})
					inv.Code, inv.Key = source, row.name
					took[n].time(b, func() error {
						result, err := r.pool.Invoke(b.Context(), inv)
						if err == nil && string(result.Body) != fmt.Sprint(n) {
							err = fmt.Errorf("got %s", result.Body)
						}
						return err
					})
				}
			}
			none, once, twice := took[0].quantile(0.5), took[1].quantile(0.5), took[2].quantile(0.5)
			b.ReportMetric(once-none-(twice-once), "µs-connection")
			b.ReportMetric(twice-once, "µs-request")
			b.ReportMetric(none, "µs-call")
		})
	}
}
