//go:build linux

package sandbox_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/backstage/functions/sandbox"
)

// clocks answers with the hour of noon in UTC at Christmas 2026, in January 2015 and in July 2026, once if all that
// tells it agrees: Brazil had summer time in 2015 and has none any more.
const clocks = `function main(req, res) {
	const dates = [Date.UTC(2026, 11, 25, 12), Date.UTC(2015, 0, 15, 12), Date.UTC(2026, 6, 1, 12)].map(t => new Date(t));
	const format = { hour: 'numeric', hour12: false };
	const intl = date => parseInt(new Intl.DateTimeFormat('en-US', format).format(date), 10);
	const text = date => parseInt(String(date).slice(16, 18), 10);
	const locale = date => parseInt(date.toLocaleTimeString('en-US', { hour12: false }), 10);
	const offset = date => 12 - date.getTimezoneOffset() / 60;
	const all = [date => date.getHours(), offset, intl, text, locale].map(kind => dates.map(date => kind(date)).join(' '));
	res.send(Array.from(new Set(all)).join(' | '));
}`

// hoursIn is what clocks answers in a zone.
var hoursIn = map[string]string{
	"": "12 12 12", "UTC": "12 12 12", "America/Sao_Paulo": "9 10 9",
	"Asia/Tokyo": "21 21 21", "America/New_York": "7 7 8",
	"Etc/GMT+3": "9 9 9", "CET": "13 13 14", "posix/Asia/Tokyo": "21 21 21",
}

// zoneOf calls a function whose own variable TZ is zone, if that is not empty.
func zoneOf(t *testing.T, pool *sandbox.Pool, function, zone string) (hours string, logs []string) {
	t.Helper()
	inv := invocation(function, clocks)
	inv.OnLog = func(line sandbox.LogLine) { logs = append(logs, line.Text) }
	if zone != "" {
		inv.Env, _ = json.Marshal(map[string]string{"TZ": zone})
	}
	result, err := pool.Invoke(t.Context(), inv)
	if err != nil {
		t.Fatal(err)
	}
	return strings.Trim(string(result.Body), `"`), logs
}

// TestZoneIsTheServersOrTheFunctionsOwn goes through the zones in one worker after the other and in one and the same.
func TestZoneIsTheServersOrTheFunctionsOwn(t *testing.T) {
	jailed := directlyInJails(t)
	process := func(c *sandbox.Config) { c.Isolation = sandbox.IsolationProcess }
	plain := func(c *sandbox.Config) { jailed(c); c.Isolation = sandbox.IsolationNone }
	for name, row := range map[string]struct {
		change  func(*sandbox.Config)
		servers []string
		some    bool // not on every version
	}{
		"forked":            {func(*sandbox.Config) {}, []string{"", "America/Sao_Paulo"}, false},
		"directly":          {jailed, []string{"America/Sao_Paulo"}, true},
		"forked, process":   {process, []string{"America/Sao_Paulo"}, true},
		"directly, no tier": {plain, []string{"America/Sao_Paulo"}, true},
	} {
		t.Run(name, func(t *testing.T) {
			onEveryVersion(t, func(t *testing.T, v version) {
				if row.some && v != oldest && v != versions[len(versions)-1] {
					return
				}
				for _, servers := range row.servers {
					pool := arena(t, v, func(c *sandbox.Config) { row.change(c); c.TimeZone = servers })
					zonesHold(t, pool, servers, v != oldest || !strings.Contains(name, "directly"))
					if err := pool.Close(); err != nil {
						t.Error(err)
					}
				}
			})
		})
	}
}

// zonesHold calls functions in zones of their own; again says that a worker can change its zone.
func zonesHold(t *testing.T, pool *sandbox.Pool, servers string, again bool) {
	t.Helper()
	same := []string{"Asia/Tokyo", "", "CET", "America/New_York", "", "Etc/GMT+3", "posix/Asia/Tokyo"}
	if !again {
		same = same[:1]
	}
	for i, own := range append([]string{"", "Asia/Tokyo", "", "America/New_York"}, same...) {
		function := "worker of its own " + own
		if i >= 4 {
			function = "one worker"
		}
		want := hoursIn[servers]
		if own != "" {
			want = hoursIn[own]
		}
		if got, logs := zoneOf(t, pool, function, own); got != want || len(logs) > 0 {
			t.Errorf("%s: server %q, function %q: it is %s and says %v, want %s", function, servers, own, got, logs, want)
		}
	}
	for _, wrong := range []string{
		"Mars/Olympus", "../../../etc/passwd", "America", "leapseconds", "posixrules", "localtime", "Factory", "right/UTC",
	} {
		got, logs := zoneOf(t, pool, "wrong", wrong)
		if got != hoursIn[servers] || len(logs) != 1 || !strings.Contains(logs[0], "TZ="+wrong+" is not a name") {
			t.Errorf("%s: server %q: it is %s and says %v", wrong, servers, got, logs)
		}
	}
}
