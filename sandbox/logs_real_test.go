//go:build linux

package sandbox_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/backstage/functions/sandbox"
)

// logsOf returns the lines that a call of code printed, each after its level.
func logsOf(tb testing.TB, pool *sandbox.Pool, code string) []string {
	tb.Helper()
	var lines []string
	inv := invocation(code, code)
	inv.OnLog = func(line sandbox.LogLine) { lines = append(lines, line.Level+" "+line.Text) }
	if _, err := pool.Invoke(tb.Context(), inv); err != nil {
		tb.Error(err)
	}
	return lines
}

func TestLogsArriveInOrderWithTheirLevels(t *testing.T) {
	pool := newRealPool(t, nil)
	got := logsOf(t, pool, `
		console.log('top', { a: 1 });
		async function main(req, res) {
			console.info('two\n\nlines'); console.warn('%s is %d', 'x', 7); console.error('e\r\tf'); console.dir([1]);
			await 1; console.log('later'); setTimeout(() => { console.log('last'); res.send(1); console.log('after the answer') }, 1);
			return new Promise(() => {});
		}`)
	want := []string{"info top { a: 1 }", "info two", "info lines", "error x is 7", "error e\r\tf", "info [ 1 ]", "info later", "info last", "info after the answer"}
	if !slices.Equal(got, want) {
		t.Errorf("got %q\nwant %q", got, want)
	}
}

func TestLogsEndAtTheirLimitWithAMark(t *testing.T) {
	const limit = 1000
	pool := newRealPool(t, func(c *sandbox.Config) { c.Limits.Logs = limit })
	for name, row := range map[string]struct {
		print string
		lines int
	}{
		"short lines":      {`for (let i = 0; i < 5000; i++) console.log('x'.repeat(9))`, limit / 10},
		"one long line":    {`console.log('x'.repeat(1e5)); console.log('more')`, 0},
		"just below":       {`console.log('x'.repeat(999))`, 1},
		"many small bytes": {`for (let i = 0; i < 1000; i++) console.error('é'.repeat(12))`, limit / 25},
		"lone surrogates":  {`for (let i = 0; i < 1000; i++) console.log('\ud800'.repeat(8))`, limit / 25},
	} {
		got := logsOf(t, pool, `function main(req, res) { `+row.print+`; res.send(1) }`)
		marked := len(got) > 0 && got[len(got)-1][strings.IndexByte(got[len(got)-1], ' ')+1:] == "[output truncated]"
		if marked {
			got = got[:len(got)-1]
		}
		if len(got) != row.lines || marked == (name == "just below") {
			t.Errorf("%s: %d lines, marked %v; want %d", name, len(got), marked, row.lines)
		}
	}
	if got := logsOf(t, pool, `function main(req, res) { console.log('x'); res.send(1) }`); !slices.Equal(got, []string{"info x"}) {
		t.Errorf("the next call printed %q", got)
	}
}

func TestModulesMayPrintWithoutEnd(t *testing.T) {
	pool := newRealPool(t, one)
	for range 3 {
		invoke(t, pool, "debug", `function main(req, res) {
			const request = require('request');
			request.debug = true;
			for (let i = 0; i < 20; i++) {
				new request.Request({ uri: 'http://127.0.0.1:1/' + 'x'.repeat(10000), callback() {} }).abort();
			}
			res.send(1);
		}`, `1`)
	}
}
