package egress_test

import (
	"strings"
	"testing"

	"github.com/backstage/functions/internal/egress"
	"github.com/backstage/functions/sandbox"
)

// open has the modules of Node.js itself that know the network, as an operator could give them to functions, and
// said(emitter), which waits until an emitter has come to something.
const open = `
const said = emitter => new Promise(done => {
	['error', 'connect', 'secureConnect', 'close', 'response', 'message', 'listening', 'exit'].forEach(name => emitter.on(name, done));
	if (emitter.write && !emitter.setHeader) emitter.write('GET / HTTP/1.0\r\n\r\n');
	if (emitter.end && emitter.setHeader) emitter.end();
	setTimeout(done, 300);
});
const net = require('net'), tls = require('tls'), http = require('http'), https = require('https'), http2 = require('http2'), dgram = require('dgram'), dns = require('dns');
const other = name => { try { return require(name) } catch (e) { return {} } };
`

// moduleAttacks are attacks like those above by functions that have these modules.
var moduleAttacks = map[string]string{
	"net.connect":                      `await said(net.connect({ host: '127.0.0.1', port: PORT }))`,
	"net.connect, port first":          `await said(net.connect(PORT, '127.0.0.1'))`,
	"net.connect, text port":           `await said(net.connect({ host: '127.0.0.1', port: 'PORT' }))`,
	"both families":                    `await said(net.connect({ host: 'localhost', port: PORT, autoSelectFamily: true, autoSelectFamilyAttemptTimeout: 10 }))`,
	"both families, own lookup":        `await said(net.connect({ host: 'good.example', port: PORT, autoSelectFamily: true, lookup: (h, o, done) => done(null, [{ address: '127.0.0.1', family: 4 }, { address: '::1', family: 6 }]) }))`,
	"both families by default":         `net.setDefaultAutoSelectFamily(true); await said(net.connect({ host: 'localhost', port: PORT, lookup: (h, o, done) => done(null, [{ address: '127.0.0.1', family: 4 }]) }))`,
	"lookup that answers twice":        `await said(net.connect({ host: 'good.example', port: PORT, lookup: (h, o, done) => { done(null, '192.0.2.1', 4); done(null, '127.0.0.1', 4) } }))`,
	"lookup that answers an object":    `await said(net.connect({ host: 'good.example', port: PORT, lookup: (h, o, done) => done(null, { toString: () => '127.0.0.1', includes: () => false }, 4) }))`,
	"host that changes":                `let n = 0; await said(net.connect({ get host() { return n++ ? '127.0.0.1' : 'good.example' }, port: PORT }))`,
	"path":                             `await said(net.connect({ path: '/run/docker.sock' }))`,
	"path that changes":                `let n = 0; await said(net.connect({ get path() { return n++ ? '\0ABSTRACT' : undefined }, port: PORT }))`,
	"path of the proxy's own mark":     `await said(net.connect({ path: '/via the egress proxy', host: '127.0.0.1', port: PORT }))`,
	"abstract path":                    `await said(net.connect({ path: '\0ABSTRACT' }))`,
	"abstract path as text":            `await said(net.connect('\0ABSTRACT'))`,
	"a socket used again":              `const s = net.connect(PORT, '10.0.0.1'); const over = new Promise(r => s.on('close', r)); await said(s); await over; await said(s.connect(PORT, '127.0.0.1'))`,
	"a socket told twice":              `const s = net.connect({ host: front.slice(7).split(':')[0], port: +front.split(':')[2] }); s.connect(PORT, '127.0.0.1'); await said(s)`,
	"a socket's private functions":     `const s = new net.Socket(); s.on('error', () => {}); await said(Reflect.apply(Object.getPrototypeOf(s).connect, s, [{ host: '127.0.0.1', port: PORT, localPort: 1 }]))`,
	"a buffer of one's own":            `await said(net.connect({ host: '127.0.0.1', port: PORT, onread: { buffer: Buffer.alloc(9), callback() { return true } } }))`,
	"a file descriptor":                `for (let fd = 3; fd < 40; fd++) try { const s = new net.Socket({ fd, readable: true, writable: true }); s.on('error', () => {}); s.connect(PORT, '127.0.0.1') } catch (e) {} await new Promise(r => setTimeout(r, 50))`,
	"tls.connect":                      `await said(tls.connect(PORT, '127.0.0.1', { rejectUnauthorized: false }))`,
	"tls.connect to a path":            `await said(tls.connect({ path: '\0ABSTRACT' }))`,
	"tls.connect over a socket":        `await said(tls.connect({ socket: net.connect(PORT, '127.0.0.1') }))`,
	"tls socket by hand":               `const s = new tls.TLSSocket(new net.Socket()); s.on('error', () => {}); await said(s.connect(PORT, '127.0.0.1'))`,
	"http":                             `await said(http.get('http://VICTIM/'))`,
	"http, own connection":             `await said(http.get({ createConnection: () => net.connect(PORT, '127.0.0.1') }))`,
	"http, path of a socket":           `await said(http.get({ socketPath: '\0ABSTRACT' }))`,
	"http, the proxy of an agent":      `await said(http.get({ host: 'good.example', agent: new http.Agent({ proxyEnv: { HTTP_PROXY: 'http://VICTIM', http_proxy: 'http://VICTIM' } }) }))`,
	"https":                            `await said(https.get({ host: '127.0.0.1', port: PORT, rejectUnauthorized: false }))`,
	"https, the proxy of an agent":     `await said(https.get({ host: 'good.example', agent: new https.Agent({ proxyEnv: { HTTPS_PROXY: 'http://VICTIM', https_proxy: 'http://VICTIM' } }) }))`,
	"http2":                            `const s = http2.connect('http://VICTIM'); s.on('error', () => {}); s.request({ ':path': '/' }).on('error', () => {}); await said(s)`,
	"http2 with TLS":                   `await said(http2.connect('https://VICTIM', { rejectUnauthorized: false }))`,
	"http2, own connection":            `await said(http2.connect('http://good.example', { createConnection: () => net.connect(PORT, '127.0.0.1') }))`,
	"http2, by name":                   `await said(http2.connect('http://localhost:PORT'))`,
	"UDP":                              `const s = dgram.createSocket('udp4'); s.on('error', () => {}); s.send('x', PORT, '127.0.0.1', () => {}); await said({ on() {} })`,
	"UDP, connected":                   `const s = dgram.createSocket('udp4'); s.on('error', () => {}); s.connect(PORT, '127.0.0.1', () => s.send('x')); await said({ on() {} })`,
	"UDP over IPv6":                    `const s = dgram.createSocket('udp6'); s.on('error', () => {}); s.send('x', PORT, '::ffff:127.0.0.1', () => {}); await said({ on() {} })`,
	"dns.resolve":                      `dns.setServers(['VICTIM']); await Promise.race([new Promise(d => dns.resolve('x.example', d)), said({ on() {} })])`,
	"dns.resolveTxt":                   `dns.setServers(['VICTIM']); await Promise.race([new Promise(d => dns.resolveTxt('x.example', d)), said({ on() {} })])`,
	"dns.Resolver":                     `const r = new dns.Resolver(); r.setServers(['VICTIM']); await Promise.race([new Promise(d => r.resolve4('x.example', d)), said({ on() {} })])`,
	"dns.promises":                     `const r = new dns.promises.Resolver(); r.setServers(['VICTIM']); await Promise.race([r.resolve4('x.example'), said({ on() {} })])`,
	"dns.reverse":                      `dns.setServers(['VICTIM']); await Promise.race([new Promise(d => dns.reverse('192.0.2.1', d)), said({ on() {} })])`,
	"dns.lookupService":                `await Promise.race([new Promise(d => dns.lookupService('127.0.0.1', PORT, d)), said({ on() {} })])`,
	"dns.promises.lookup":              `await dns.promises.lookup('localhost')`,
	"a server":                         `await said(net.createServer().listen(0)); await said(net.createServer().listen('\0x')); await said(dgram.createSocket('udp4').bind(0))`,
	"a thread with modules of its own": `const { Worker } = other('worker_threads'); await said(new Worker("require('net').connect(PORT, '127.0.0.1')", { eval: true }))`,
	"another process":                  `await said(other('child_process').spawn(process.execPath, ['-e', "require('net').connect(PORT, '127.0.0.1')"]))`,
	"a WebSocket":                      `await said({ on(name, f) { this.s.addEventListener(name, f) }, s: new WebSocket('ws://VICTIM/') })`,
	"an EventSource":                   `new EventSource('http://VICTIM/'); await said({ on() {} })`,
	"fetch":                            `await fetch('http://VICTIM/')`,
	"fetch by name":                    `await fetch('http://localhost:PORT/')`,
	"fetch with a dispatcher":          `await fetch('http://good.example/', { dispatcher: { dispatch(o, h) { return net.connect(PORT, '127.0.0.1') } } })`,
	"fetch with a socket path":         `await fetch('http://good.example:PORT/', { socketPath: '\0ABSTRACT', connect: { socketPath: '\0ABSTRACT' } })`,
	"many at once":                     `await Promise.all(Array.from({ length: 300 }, () => said(net.connect(PORT, '127.0.0.1'))))`,
}

func TestNoModuleOfNodeReachesTheVictim(t *testing.T) {
	byName := map[string]string{}
	for name, code := range moduleAttacks {
		byName[name] = open + code
	}
	onEachNode(t, func(t *testing.T, name string, use func(*sandbox.Config)) {
		t.Parallel() // most of it is waiting
		tryAll(t, byName, func(c *sandbox.Config) { use(c); withModules(name, c) })
	})
}

// withModules gives functions the modules of open.
func withModules(name string, c *sandbox.Config) {
	c.Modules = append(c.Modules, "net", "tls", "http", "https", "http2", "dgram", "dns", "child_process")
	if name != "node8" {
		c.Modules = append(c.Modules, "worker_threads")
	}
}

// Those attacks are no attacks where the policy lets them: what does not work would prove nothing.
func TestTheSameModulesReachWhatIsAllowed(t *testing.T) {
	onEachNode(t, func(t *testing.T, name string, use func(*sandbox.Config)) {
		victim := newVictim(t)
		r := newRig(t, egress.Options{
			Policy:   egress.Policy{Mode: egress.Public, Allow: mustRules(t, victim.addr)},
			Resolver: &names{answers: map[string][]string{"localhost": {"127.0.0.1"}}},
		}, func(c *sandbox.Config) { use(c); withModules(name, c) })
		for _, attack := range []string{
			"net.connect", "net.connect, port first", "net.connect, text port", "both families", "both families, own lookup", "a buffer of one's own",
			"a socket used again", "tls.connect", "tls.connect over a socket", "http", "http, own connection", "https", "http2", "http2 with TLS",
			"http2, by name", "fetch", "fetch by name",
		} {
			if name == "node8" && strings.HasPrefix(attack, "fetch") {
				continue // it is that of a module
			}
			before := victim.hits.Load()
			code := strings.NewReplacer("VICTIM", victim.addr, "PORT", victim.port).Replace(open + moduleAttacks[attack])
			inv := invocation(t, "async function main(req, res) { const front = req.body; try {\n"+code+"\n} catch (e) {} res.send(1) }", "")
			if _, err := r.pool.Invoke(t.Context(), inv); err != nil {
				t.Fatal(err)
			}
			waitUntil(t, func() bool { return victim.hits.Load() > before }) // a connection is there before it is accepted
		}
	})
}
