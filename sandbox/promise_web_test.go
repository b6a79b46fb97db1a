//go:build linux

package sandbox_test

import (
	"io"
	"strconv"
	"strings"
	"testing"

	"github.com/backstage/functions/sandbox"
)

// What functions with web globals have beside the others keeps the same promises. Node.js 8 lacks some of it.
var webPromises = []promise{
	webPoison("a method of URL", `URL.prototype.toString = () => 'forged'; Object.defineProperty(URL.prototype, 'pathname', { get() { return 'forged' }, configurable: true })`),
	webPoison("a static of URL and a key on its prototype", `URL.leak = 'forged'; new URL('http://a')['__proto__']['leak'] = 'forged'`),
	webPoison("the prototype of a web class", `Object.setPrototypeOf(URLSearchParams.prototype, { leak: 'forged', get: () => 'forged' })`),
	webPoison("a web class itself", `URL = class { constructor() { this.pathname = 'forged' } }; global.TextEncoder = null; global.crypto = null`),
	webPoison("a definition in the place of a web class", `Object.defineProperty(global, 'URL', { value: null, configurable: true })`),
	webPoison("what bodies are read with", `if (typeof Response === 'function') for (const C of [Request, Response, Blob, Headers, FormData]) for (const k of Object.getOwnPropertyNames(C.prototype)) try { C.prototype[k] = () => 'forged' } catch (e) {}`),
	webPoison("streams and events", `if (typeof ReadableStream === 'function') { ReadableStream.prototype.getReader = () => 'forged'; EventTarget.prototype.addEventListener = () => 'forged'; AbortSignal.prototype.leak = 'forged' }`),
	webPoison("WebCrypto", `if (typeof crypto === 'object') { crypto.leak = 'forged'; Object.getPrototypeOf(crypto).randomUUID = () => 'forged'; Object.getPrototypeOf(crypto.subtle).digest = () => 'forged' }`),
	webPoison("a module of Node.js", `require('crypto').createHash = () => 'forged'; require('util').inspect.leak = 1; require('querystring').parse = () => ({ a: 'forged' })`),
	webPoison("a class of a module of Node.js", `require('events').prototype.emit = () => 'forged'; require('events').defaultMaxListeners = 1; require('stream').Readable.prototype.leak = 'forged'`),
	webPoison("process", `process.env.LEAK = 'forged'; process.leak = 'forged'; process.nextTick = null; Object.getPrototypeOf(process).leak = 'forged'`),
	webPoison("what instanceof asks", `try { Object.defineProperty(Uint8Array, Symbol.hasInstance, { value: () => false }) } catch (e) {} Promise[Symbol.hasInstance].leak = 1`),
	webReach("what reads bodies of later calls", "typeof Response === 'function' && new Response('x').body.getReader()"),
	webReach("a controller of a stream", "typeof ReadableStream === 'function' && (() => { let k; new ReadableStream({ start(c) { k = c } }); return k })()"),
	webReach("an error of the web", "typeof atob === 'function' && (() => { try { atob('%') } catch (e) { return e } })()"),
	webReach("an error of structuredClone", "typeof structuredClone === 'function' && (() => { try { structuredClone(() => {}) } catch (e) { return e } })()"),
	webReach("the signal of a request", "typeof Request === 'function' && new Request('http://a').signal"),
	webReach("the headers of a request", "typeof Request === 'function' && new Request('http://a').headers"),
	webReach("an iterator of a web class", "new URLSearchParams('a=1').entries()"),
	webReach("a key of a module", "require('crypto')[require('crypto').createSecretKey ? 'createSecretKey' : 'createHmac'](...(require('crypto').createSecretKey ? [Buffer.from('a')] : ['md5', 'a']))"),
	webReach("the state of a stream of a module", "new (require('stream').Readable)()._readableState"),
	{
		name: "the defaults of a module", web: true, want: `1`, then: `[false,16384]`,
		code: `
		function main(req, res) {
			const { inspect } = require('util'), stream = require('stream');
			const size = () => (stream.getDefaultHighWaterMark ? (stream.getDefaultHighWaterMark(false) === 7 ? 7 : 16384) : 16384);
			if (req.body === 'next') return res.send([inspect.defaultOptions.showHidden, size()]);
			inspect.defaultOptions = { showHidden: true };
			if (stream.setDefaultHighWaterMark) stream.setDefaultHighWaterMark(false, 7);
			res.send(1);
		}`,
	},
	{
		name: "no path of properties of process leads to the real one", web: true, want: `[]`,
		code: `
		function main(req, res) {
			const known = new Set(), found = [];
			const look = (value, path) => {
				if ((typeof value !== 'object' || value === null) && typeof value !== 'function' || known.has(value)) return;
				known.add(value);
				if (['dlopen', 'binding', 'kill', 'reallyExit', 'mainModule', '_kill'].some(name => name in value)) found.push(path);
				look(Reflect.getPrototypeOf(value), path + '.__proto__');
				for (const key of Reflect.ownKeys(value)) {
					const { value: next, get } = Object.getOwnPropertyDescriptor(value, key);
					look(next, path + '.' + String(key));
					look(get, path + '.' + String(key));
				}
			};
			look(process, 'process');
			look(process.stdout, 'process.stdout');
			res.send(found);
		}`,
	},
	{
		name: "modules of Node.js that reach out of the process are not there", web: true, want: `[]`,
		code: `
		function main(req, res) {
			const names = ['vm', 'module', 'v8', 'inspector', 'cluster', 'repl', 'wasi', 'dgram', 'trace_events', 'sqlite'];
			res.send([...names, ...names.map(name => 'node:' + name)].filter((name) => { try { return require(name) } catch (e) { return false } }));
		}`,
	},
	{
		name: "stand-ins of modules of Node.js reach nothing", web: true, want: `[["fs.readFileSync","fs.openSync","child_process.execSync","child_process.fork","worker_threads.Worker","http2.connect"],[],"localhost"]`,
		code: `
		function main(req, res) {
			const calls = { fs: ['readFileSync', 'openSync'], child_process: ['execSync', 'fork'], worker_threads: ['Worker'], http2: ['connect'] };
			const refused = [], done = [];
			for (const name of Object.keys(calls)) for (const call of calls[name]) {
				try { new (require('node:' + name)[call])('/bin/true', 'r'); done.push(call) } catch (e) { if (e.code === 'ERR_ACCESS_DENIED') refused.push(name + '.' + call) }
			}
			res.send([refused, done, require('os').hostname()]);
		}`,
	},
	{
		name: "what the call before added to the global object", web: true, want: `1`, then: `["undefined","undefined","undefined"]`,
		code: `
		function main(req, res) {
			const mark = Symbol.for('mark');
			if (req.body === 'next') return res.send([typeof global.leak, typeof global.hidden, typeof global[mark]]);
			global.leak = global[mark] = 1;
			Object.defineProperty(global, 'hidden', { get() { return 1 }, configurable: true });
			res.send(1);
		}`,
	},
	{
		name: "an immediate and an interval of the call before", web: true, want: `1`, then: `"quiet"`,
		code: `
		function main(req, res) {
			if (req.body === 'next') return setTimeout(() => res.send(global.heard || 'quiet'), 50);
			setInterval(() => { global.heard = 'an interval' }, 1);
			setImmediate(function again() { global.heard = 'an immediate'; setImmediate(again) });
			res.send(1);
		}`,
	},
	{
		name: "what was assigned to a web name by the call before", web: true, want: `1`, then: `["undefined","undefined"]`,
		code: `
		function main(req, res) {
			if (req.body === 'next') return res.send([typeof process.leak, typeof performance.leak]);
			process.leak = performance.leak = 1;
			process = { leak: 1 };
			res.send(1);
		}`,
	},
	{
		name: "a body that the call before was still reading", web: true, want: `1`, then: `"nothing"`,
		code: `
		function main(req, res) {
			if (req.body === 'next') return setTimeout(() => res.send(global.leak || 'nothing'), 50);
			if (typeof Response === 'function') {
				new Response('a secret').text().then((text) => { global.leak = text });
				new Response(new ReadableStream({ pull(c) { setTimeout(() => c.enqueue(new Uint8Array(1)), 5) } })).arrayBuffer();
			}
			setTimeout(() => res.send(1), 5);
		}`,
	},
}

// webPoison is the promise that a call which does evil and then answers leaves the next one as it was.
func webPoison(name, evil string) promise {
	return promise{name: name, web: true, then: `["/b","1","61","ok","heard",11,null,0,true,"undefined"]`, poisons: true, code: `
		function main(req, res) {
			if (req.body !== 'next') {
				` + evil + `;
				res.send(1);
				return;
			}
			const emitter = new (require('events'))();
			let got;
			emitter.on('x', (what) => { got = what; });
			emitter.emit('x', 'heard');
			const leaks = [URL.leak, new URL('http://a').leak, new URLSearchParams('').leak, process.leak, process.env.LEAK, require('util').inspect.leak,
				{}.leak, new (require('stream').Readable)().leak, typeof crypto === 'object' ? crypto.leak : undefined];
			const bodies = typeof Response !== 'function' || new Response('x').text() instanceof Promise && new Headers({ a: 'b' }).get('a') === 'b';
			const streams = typeof ReadableStream !== 'function' || typeof new ReadableStream().getReader() === 'object';
			res.send([new URL('http://a/b').pathname, new URLSearchParams('a=1').get('a'), Buffer.from(new TextEncoder().encode('a')).toString('hex'),
				require('querystring').parse('a=ok').a, got, require('events').defaultMaxListeners + 1, leaks.find(leak => leak !== undefined) || null,
				require('crypto').createHash('md5').update('a').digest('hex').indexOf('0cc175b9'), bodies && streams && new Uint8Array(1) instanceof Uint8Array,
				typeof leak]);
		}`}
}

// webReach is the promise that what one call leaves on what an object inherits from, another one does not find.
func webReach(name, object string) promise {
	return promise{name: name, web: true, want: `1`, then: `["undefined",null]`, code: `
		function main(req, res) {
			const prototype = Object.getPrototypeOf(` + object + `);
			if (req.body === 'next') return res.send([typeof prototype.leak, typeof prototype.read === 'function' && prototype.read.name === 'forged' || null]);
			prototype.leak = 'forged';
			if (prototype.read) prototype.read = function forged() {};
			res.send(1);
		}`}
}

func TestPromiseWeb(t *testing.T) { keep(t, webPromises) }

// Two functions of the same code and the same name of a variable, called in turn, count their own calls.
func TestPromiseInitOnceKeepsStateWithinOneFunction(t *testing.T) {
	onEveryVersion(t, func(t *testing.T, v version) {
		pool := arena(t, v, nil)
		const code = `const seen = []; function main(req, res) { seen.push(req.body); res.send(seen); }`
		for i, want := range []string{`["x0"]`, `["y1"]`, `["x0","x2"]`, `["y1","y3"]`} {
			name := []string{"x", "y"}[i%2]
			inv := invocation("once-"+name, code)
			inv.Once = true
			inv.Request.Body = []byte(`"` + name + string(rune('0'+i)) + `"`)
			if result, err := pool.Invoke(t.Context(), inv); err != nil || string(result.Body) != want {
				t.Errorf("call %d got %s, %v, want %s", i, bodyOf(result), err, want)
			}
		}
	})
}

// The parser of modules is found in the worker's root.
func TestAnESModuleRuns(t *testing.T) {
	onEveryVersion(t, func(t *testing.T, v version) {
		pool := arena(t, v, nil)
		inv := invocation("module", "import { inspect } from 'node:util';\nexport default async (req) => inspect(req.body);")
		inv.Web = true
		inv.Request.Body = []byte(`[1]`)
		result, err := pool.Invoke(t.Context(), inv)
		if v == oldest {
			if err == nil {
				t.Errorf("got %s, want a refusal", bodyOf(result))
			}
		} else if err != nil || string(result.Body) != `"[ 1 ]"` {
			t.Errorf("got %s, %v", bodyOf(result), err)
		}
	})
}

// The first piece of a Response that goes on comes before the last is there, and a short one comes whole.
func TestAWebHandlerAnswers(t *testing.T) {
	const code = `export default { async fetch(request) {
		const text = await request.text();
		if (text === 'whole') return new Response(text, { status: 201, headers: { 'X-Path': new URL(request.url).pathname } });
		const pieces = ['a', 'b', 'c'];
		return new Response(new ReadableStream({ async pull(to) {
			await new Promise(resolve => setTimeout(resolve, 1));
			if (pieces.length === 0) to.close(); else to.enqueue(new TextEncoder().encode(pieces.shift()));
		} }));
	} }`
	onEveryVersion(t, func(t *testing.T, v version) {
		if v == oldest {
			return // it has no Response
		}
		pool := arena(t, v, nil)
		for _, body := range []string{"whole", "stream"} {
			inv := invocation("handler", code)
			inv.Web = true
			inv.Request.Body, inv.Request.Raw, inv.Request.HasRaw = nil, []byte(body), true
			inv.Request.HTTP = []byte(`{"path":"/a","url":"/a?b","ip":"10.0.0.1","host":"x.example","scheme":"http","params":{}}`)
			var sent strings.Builder
			inv.OnHead = func(head sandbox.StreamHead) (io.Writer, error) {
				if head.Status != 200 {
					t.Errorf("a head with status %d", head.Status)
				}
				return &sent, nil
			}
			result, err := pool.Invoke(t.Context(), inv)
			if err != nil {
				t.Fatal(err)
			}
			if whole := body == "whole"; whole != (result.Status == 201 && string(result.Bytes) == "whole") || whole == (sent.String() == "abc") {
				t.Errorf("%s: status %d, bytes %q, stream %q", body, result.Status, result.Bytes, sent.String())
			}
		}
	})
}

// A worker of a fork server that has loaded fetch gives functions the usual globals, and serves no other call once one of
// them was used.
func TestAWorkerThatHasFetchedServesNoOtherCall(t *testing.T) {
	const code = `async function main(req) {
		if (req.body) await fetch('data:,x');
		return [typeof fetch, typeof Response, typeof Headers];
	}`
	onEveryVersion(t, func(t *testing.T, v version) {
		if v == oldest {
			return // it has no fetch
		}
		died := make(chan sandbox.Reason, 1000)
		pool := arena(t, v, func(c *sandbox.Config) { c.Observer = deaths{died: died} })
		const calls = 60 // most of which are served by that fork server
		for i := range calls {
			inv := invocation("fetches", code)
			inv.Fetches = true
			inv.Request.Body = []byte(strconv.Itoa(i % 3 % 2))
			result, err := pool.Invoke(t.Context(), inv)
			if err != nil {
				t.Fatal(err)
			}
			if got := string(result.Body); got != `["function","undefined","undefined"]` {
				t.Fatalf("the globals are %s", got)
			}
		}
		for range calls / 3 {
			awaitDeath(t, died, sandbox.ReasonRetired)
		}
	})
}

// The fork server has rehearsed web handlers, which use objects of Node.js. That counts for none of its workers: one
// whose calls use none serves its function again.
func TestRehearsalsCountForNoWorker(t *testing.T) {
	const code = `function main(req, res) { res.send([typeof process, req.body]); }`
	onEveryVersion(t, func(t *testing.T, v version) {
		const calls = 60 // most of which are served by the fork server for such functions
		died := make(chan sandbox.Reason, 1000)
		pool := arena(t, v, func(c *sandbox.Config) { c.Observer = deaths{died: died} })
		for i := range calls {
			inv := invocation("rehearsed", code)
			inv.Web = true
			inv.Request.Body = []byte(strconv.Itoa(i))
			result, err := pool.Invoke(t.Context(), inv)
			if want := `["object",` + strconv.Itoa(i) + `]`; err != nil || string(result.Body) != want {
				t.Fatalf("call %d got %s, %v, want %s", i, bodyOf(result), err, want)
			}
		}
		if err := pool.Close(); err != nil {
			t.Fatal(err)
		}
		close(died)
		for reason := range died {
			if reason == sandbox.ReasonRetired {
				t.Error("a worker did not serve again")
			}
		}
	})
}
