//go:build linux && amd64

package sandbox_test

import (
	"encoding/json"
	"testing"

	"github.com/backstage/functions/sandbox"
)

// named answers with a date, a number and an order as other languages write them, which ICU has in files of its own.
const named = `function main(req, res) {
	const format = { timeZone: 'America/Sao_Paulo', timeZoneName: 'long' };
	const texts = [new Date(0).toLocaleString('pt-BR', format), (1.5).toLocaleString('de'), 'a'.localeCompare('b', 'sv')];
	if (!/21:00:00/.test(texts[0])) throw new Error(texts[0]);
	const hour = new Intl.DateTimeFormat('en-US', { hour: 'numeric', hour12: false });
	res.send(String(hour.format(new Date(0)) % 24)); // 24 or 00 at midnight
}`

// Calls that format for a language and a zone find what that takes in the snapshot: it takes them little of the time of
// a call, 100 ms of the processor, and their workers are put back like any other. That is so in the zone of the server,
// told or not, and in one of their own.
func TestPromiseCallsThatFormatDatesArePutBack(t *testing.T) {
	onEveryVersion(t, func(t *testing.T, v version) {
		for servers, hour := range map[string]string{"": "0", "Asia/Tokyo": "9"} {
			observer := newRolledBack(t)
			pool := newRealPool(t, func(c *sandbox.Config) {
				c.Size, c.Prewarmed, c.TimeZone = fewWorkers, 0, servers
				c.Node, c.Observer, c.RollbackAudit = v.binary(t), observer, 1
			})
			needRollback(t, pool)
			for i := range 6 {
				inv, want := rolledBackInvocation("named", named), hour
				if i%2 == 1 {
					inv.Env, _ = json.Marshal(map[string]string{"TZ": "America/New_York"})
					want = "19"
				}
				if got := body(t, pool, inv); got != `"`+want+`"` {
					t.Errorf("server %q, call %d: %s, want %s", servers, i, got, want)
				}
				observer.wantPutBack(i)
			}
			if err := pool.Close(); err != nil {
				t.Error(err)
			}
		}
	})
}
