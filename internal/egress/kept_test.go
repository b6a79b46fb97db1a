package egress_test

import (
	"bufio"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/backstage/functions/internal/egress"
	"github.com/backstage/functions/sandbox"
)

const (
	fewPlaces = 4  // connections of a call
	hostCount = 12 // hosts, and requests at once
)

// keeping makes hosts that let their callers keep connections. A request of /hold is answered after one of /release, and
// one of /echo has all that comes later sent back.
func keeping(t *testing.T, secure bool) (urls []string, certificate string) {
	release := make(chan struct{}, 100)
	handler := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Keep-Alive", "timeout=600") // longer than callers keep connections by themselves
		switch r.URL.Path {
		case "/echo":
			conn, both, err := http.NewResponseController(w).Hijack()
			if err != nil {
				t.Error(err)
				return
			}
			defer conn.Close()
			_, _ = io.WriteString(conn, "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\n")
			_, _ = io.Copy(conn, bufio.NewReader(both))
			return
		case "/there":
			http.Redirect(w, r, "/here", http.StatusFound)
			return
		case "/hold":
			w.(http.Flusher).Flush() // its caller knows that it has a connection
			select {
			case <-release:
			case <-r.Context().Done():
			}
		case "/release":
			release <- struct{}{}
		}
		_, _ = io.WriteString(w, r.Method+" "+r.URL.Path)
	})
	for range hostCount {
		s := httptest.NewUnstartedServer(handler)
		if secure {
			s.StartTLS()
		} else {
			s.Start()
		}
		t.Cleanup(s.Close)
		urls = append(urls, s.URL)
		if secure {
			certificate = (&site{Server: s}).certificate()
		}
	}
	return urls, certificate
}

// keepers is the beginning of functions that keep connections.
const keepers = `
	const http = require('http');
	const https = require('https');
	const request = require('request');
	const nodeFetch = require('node-fetch');
	const agents = { 'http:': new http.Agent({ keepAlive: true }), 'https:': new https.Agent({ keepAlive: true }) };
	const agentOf = url => agents[url.slice(0, url.indexOf(':') + 1)];
	const by = client => options => new Promise(done => client(options, (error, response, body) => done(error ? String(error) : body)));
	const get = by(request);
	const forever = by(request.defaults({ forever: true }));
	const atOnce = (items, one) => Promise.all(items.map(one));
	async function inTurn(items, one) {
		const all = [];
		for (const item of items) all.push(await one(item));
		return all;
	}
`

// onEachNodeWithFewPlaces runs test on each version of Node.js with a pool whose calls have few connections, and keep
// them. tell is what a function answers whose req.body is the hosts.
func onEachNodeWithFewPlaces(t *testing.T, test func(t *testing.T, node string, tell func(code string, web bool) string)) {
	t.Helper()
	for name, secure := range map[string]bool{"plain": false, "TLS": true} {
		t.Run(name, func(t *testing.T) {
			urls, certificate := keeping(t, secure)
			onEachNode(t, func(t *testing.T, node string, use func(*sandbox.Config)) {
				options := anywhere()
				options.Limits = egress.DefaultLimits()
				options.Limits.PerCall = fewPlaces
				r := newRig(t, options, func(c *sandbox.Config) {
					use(c)
					c.Modules = append(c.Modules, "http", "https", "url")
					c.Egress.KeepAlive, c.Egress.CA = true, certificate
				})
				test(t, node, func(code string, web bool) string {
					t.Helper()
					inv := invocation(t, code, urls)
					inv.Code, inv.Web = keepers+"async function main(req, res) { const urls = req.body; "+code+" }", web
					result, err := r.pool.Invoke(t.Context(), inv)
					if err != nil {
						t.Fatalf("%v\n%s", err, code)
					}
					return string(result.Body)
				})
			})
		})
	}
}

// times is what a function answers that has asked for /here so many times.
func times(n int) string {
	return "[" + strings.Repeat(`,"GET /here"`, n)[1:] + "]"
}

func TestKeptConnectionsGiveTheirPlacesToThoseWhoWait(t *testing.T) {
	onEachNodeWithFewPlaces(t, func(t *testing.T, node string, tell func(string, bool) string) {
		for _, code := range []string{
			`res.send(await atOnce(urls.fill(urls[0]), url => get({ url: url + '/here', agent: agentOf(url) })))`,
			`res.send(await atOnce(urls.fill(urls[0]), url => nodeFetch(url + '/here', { agent: agentOf(url) }).then(a => a.text())))`,
			`res.send(await atOnce(urls.fill(urls[0]), url => forever(url + '/here')))`,
			`res.send(await inTurn(urls, url => forever(url + '/there')))`,
			`res.send(await atOnce(urls, url => get(url + '/there')))`,
			`res.send(await inTurn(urls, url => get(url + '/there')))`,
		} {
			if got := tell(code, false); got != times(hostCount) {
				t.Errorf("%s\n%s", code, got)
			}
		}
		if node == "node8" {
			return
		}
		for _, web := range []bool{false, true} {
			for _, way := range []string{"atOnce", "inTurn"} {
				code := strings.ReplaceAll(`const text = url => fetch(url + '/there').then(a => a.text(), e => String(e.cause));
					res.send([await get(urls[0] + '/here')].concat(await WAY(urls, text), await WAY(urls, text), await WAY(urls, url => get(url + '/here'))))`, "WAY", way)
				if got := tell(code, web); got != times(1+3*hostCount) {
					t.Errorf("web %t, %s: %s", web, way, got)
				}
			}
		}
	})
}

func TestConnectionsInUseAreLeftToThoseWhoUseThem(t *testing.T) {
	onEachNodeWithFewPlaces(t, func(t *testing.T, _ string, tell func(string, bool) string) {
		got := tell(`
			const web = urls[0].startsWith('https') ? https : http;
			const at = (path, headers) => Object.assign(require('url').parse(urls[0] + path), { headers });
			const echo = await new Promise(done => web.get(at('/echo', { Connection: 'Upgrade', Upgrade: 'echo' })).on('upgrade', (response, socket) => done(socket)));
			const held = await new Promise(done => web.get(at('/hold'), done));
			const fetched = typeof fetch === 'function' ? await fetch(urls[0] + '/hold') : { text: () => 'GET /hold' };
			const answers = (await inTurn(urls, url => get(url + '/here'))).concat(await atOnce(urls, url => get(url + '/here')));
			await inTurn([1, 2], n => get(urls[n] + '/release'));
			const text = new Promise(done => held.setEncoding('utf8').on('data', done).on('aborted', () => done('aborted')));
			const said = new Promise(done => echo.setEncoding('utf8').on('data', done).on('close', () => done('closed')));
			echo.write('still there');
			answers.push(await text, await fetched.text(), await said);
			echo.destroy();
			res.send(answers)`, false)
		if want := strings.TrimSuffix(times(2*hostCount), "]") + `,"GET /hold","GET /hold","still there"]`; got != want {
			t.Errorf("got %s", got)
		}
	})
}

// An agent gives what it has kept to a request before anything of that is to be seen on the socket.
func TestNoRequestGetsAConnectionThatIsClosedForOthers(t *testing.T) {
	onEachNodeWithFewPlaces(t, func(t *testing.T, node string, tell func(string, bool) string) {
		one := map[string]string{"agent": `url => get({ url, method: 'POST', agent: agentOf(url) })`}
		if node != "node8" {
			one["fetch"] = `url => fetch(url, { method: 'POST' }).then(a => a.text(), e => String(e.cause))`
		}
		for name, code := range one {
			got := tell(`
				const one = `+code+`;
				const seen = {};
				await atOnce(urls, async (url, i) => {
					for (let n = 0; n < 20; n++) {
						const body = await one(urls[n % 2 ? 0 : i] + '/here');
						seen[body] = (seen[body] || 0) + 1;
					}
				});
				res.send(seen)`, false)
			if want := `{"POST /here":240}`; got != want {
				t.Errorf("%s: %s", name, got)
			}
		}
	})
}

func TestAConnectionThatARequestHasJustTakenIsNotClosed(t *testing.T) {
	onEachNodeWithFewPlaces(t, func(t *testing.T, _ string, tell func(string, bool) string) {
		got := tell(`
			const web = urls[0].startsWith('https') ? https : http;
			const agent = agentOf(urls[0]);
			const seen = {};
			const taken = new Promise((done) => {
				let left = 100;
				const note = (what) => {
					seen[what] = (seen[what] || 0) + 1;
					if (--left === 0) done();
				};
				const next = () => left > 0 && web.get(Object.assign(require('url').parse(urls[0] + '/here'), { agent }), response => response.resume().on('end', () => note('answered')))
					.on('error', (error) => { note(String(error)); next(); });
				agent.on('free', next); // after the agent's own listener: what is free now is taken at once
				next();
			});
			const others = atOnce(urls, async (url) => {
				for (let n = 0; n < 10; n++) await get({ url: url + '/here', agent: false });
			});
			await Promise.all([taken, others]);
			res.send(seen)`, false)
		if want := `{"answered":100}`; got != want {
			t.Errorf("got %s", got)
		}
	})
}
