//go:build linux

package sandbox_test

import (
	"errors"
	"os"
	"testing"

	"github.com/backstage/functions/sandbox"
)

// Nothing of a call is there for the next call of its function, and no code of it runs in that.
var leakPromises = []promise{
	left("a variable of the top level", `count++`, `count`, `0`),
	left("a key on the global object", `Function('return this')().left = 1`, `typeof left`, `"undefined"`),
	left("a key on the module", `module.exports.left = exports.left = module.left = 1`, `Object.keys(exports).concat(Object.keys(module))`, `["exports"]`),
	left("a key on Backstage", `Backstage.left = 1; Backstage.modules.left = () => 1; Backstage.config.left = 1`, `[Backstage.left, Object.keys(Backstage.modules), Object.keys(Backstage.config)]`, `[null,[],[]]`),
	left("a key on the connections", `try { Backstage.connections.left = 1 } catch (e) {} try { Backstage.connections.send.left = 1 } catch (e) {}`,
		`[Backstage.connections.left, Backstage.connections.send.left]`, `[null,null]`),
	left("a variable of the environment", `try { Backstage.env.left = 1 } catch (e) {}`, `Object.keys(Backstage.env)`, `[]`),
	left("the body of the call before", `(req.body.nested = req.body)`, `req.body`, `"next"`),
	left("a handler of a global name", `Object.defineProperty(Function('return this')(), 'secret', { get() { return 1 }, configurable: true })`, `typeof secret`, `"undefined"`),
	left("a timer", `setTimeout(() => { mark() }, 5)`, marked, `0`),
	left("an interval", `setInterval(() => { mark() }, 1)`, marked, `0`),
	left("an interval that does not keep the process", `setInterval(() => { mark() }, 1).unref()`, marked, `0`),
	left("a chain of timers", `(function again() { mark(); setTimeout(again, 5) })(); unmark()`, marked, `0`),
	left("a promise", `Promise.resolve().then(() => Promise.resolve()).then(function again() { if (marks() < 50) { mark(); setTimeout(again, 1) } }); unmark()`, marked, `0`),
	left("a timer of a module", `require('async').setImmediate(() => require('async').setImmediate(mark))`, marked, `0`),
	left("a timer of the runner's realm", `require('lodash').delay(mark, 5)`, marked, `0`),
	left("an interval of the runner's realm", `require('lodash').template('<% setInterval(mark, 5) %>')({ mark })`, marked, `0`),
	left("a debounced function", `require('lodash').debounce(mark, 5)()`, marked, `0`),
	left("a request on its way", `require('request')('http://10.0.0.1/', mark)`, marked, `0`),
	left("a compilation of webassembly", `WebAssembly.compile(new Uint8Array([0, 97, 115, 109, 1, 0, 0, 0])).then(() => setTimeout(mark, 5))`, marked, `0`),
	left("a wait on shared memory", `if (Atomics.waitAsync) Atomics.waitAsync(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 5).value.then(mark)`, marked, `0`),
	left("a finalizer", `if (typeof FinalizationRegistry === 'function') new FinalizationRegistry(mark).register({}, 1)`, marked, `0`),
	left("a job of WebCrypto", `const { crypto } = outside('global');
		if (crypto) crypto.subtle.digest('SHA-256', new Uint8Array(1 << 20)).then(mark)`, marked, `0`),
	left("a timeout of an AbortSignal", `const { AbortSignal } = outside('global'); if (AbortSignal && AbortSignal.timeout) AbortSignal.timeout(5).onabort = mark`, marked, `0`),
	left("a message on a channel", `const { MessageChannel } = outside('global');
		if (MessageChannel) { const { port1, port2 } = new MessageChannel(); port2.onmessage = mark; port2.unref(); port1.postMessage(1) }`, marked, `0`),
	left("a channel that all hear", `const { BroadcastChannel } = outside('global');
		if (BroadcastChannel) { const a = new BroadcastChannel('a'); a.onmessage = mark; a.unref(); new BroadcastChannel('a').unref().postMessage(1) }`, marked, `0`),
	left("a stream that compresses", `const { CompressionStream } = outside('global');
		if (CompressionStream) { const { readable, writable } = new CompressionStream('gzip'); writable.getWriter().write(new Uint8Array(1 << 20)); readable.getReader().read().then(mark) }`, marked, `0`),
	left("an observer of performance", `const { PerformanceObserver, performance } = outside('global');
		if (PerformanceObserver) { new PerformanceObserver(mark).observe({ entryTypes: ['mark', 'gc'] }); performance.mark('a') }`, marked, `0`),
	left("a compilation of webassembly of the runner's realm", `const { WebAssembly } = outside('global');
		WebAssembly.compile(new Uint8Array([0, 97, 115, 109, 1, 0, 0, 0])).then(() => setTimeout(mark, 5))`, marked, `0`),
	left("a read of a large body", `const { Response, CompressionStream } = outside('global');
		if (Response) new Response(new Uint8Array(1 << 20)).body.pipeThrough(new CompressionStream('gzip')).getReader().read().then(mark)`, marked, `0`),
	left("a listener in the place of the runner's", `require('lodash').template('<% process._events.unhandledRejection = mark %>')({ mark })`,
		`require('lodash').template('<%= process._events.unhandledRejection.name %>')()`, `"lost"`),
	left("a listener that is not counted", `outside('process')._events.uncaughtExceptionMonitor = mark`,
		`typeof outside('process')._events.uncaughtExceptionMonitor`, `"undefined"`),
	left("a listener under a hidden name", `Object.defineProperty(outside('process')._events, 'uncaughtExceptionMonitor', { value: mark, configurable: true })`,
		`typeof outside('process')._events.uncaughtExceptionMonitor`, `"undefined"`),
	left("a listener that is inherited", `Object.setPrototypeOf(outside('process')._events, { uncaughtExceptionMonitor: mark })`,
		`typeof outside('process')._events.uncaughtExceptionMonitor`, `"undefined"`),
	left("a listener behind a getter", `const process = outside('process'), real = process._events;
		try { Object.defineProperty(process, '_events', { get() { mark(); return real }, configurable: true }) } catch (e) {}
		try { Object.defineProperty(real, 'unhandledRejection', { get() { mark(); return real.uncaughtException }, configurable: true }) } catch (e) {}`,
		`marks()`, `0`),
	left("a listener behind a proxy", `const process = outside('process'); process._events = new Proxy(process._events, {
			get(target, key) { if (key === 'uncaughtExceptionMonitor') return mark; return target[key] } })`,
		`typeof outside('process')._events.uncaughtExceptionMonitor`, `"undefined"`),
	left("a method of an array of listeners", `const events = outside('process')._events, { push } = outside('Array').prototype;
		Object.keys(events).filter(name => Array.isArray(events[name])).forEach(name => Object.defineProperty(events[name], 'push',
			{ value() { mark(); return push.apply(this, arguments) } }))`,
		`(() => { const process = outside('process'), f = () => {}; for (const name of ['newListener', 'removeListener']) {
			process.on(name, f); process.removeListener(name, f) } return marks() })()`, `0`),
	left("what a listener is called by", `const events = outside('process')._events;
		for (const name of Object.keys(events)) for (const f of [].concat(events[name])) for (const key of ['call', 'apply']) {
			try { Object.defineProperty(f, key, { value() { mark() } }) } catch (e) {} }`,
		`(() => { const process = outside('process'), f = () => {}; process.on('x', f); process.removeListener('x', f); return marks() })()`, `0`),
	left("what the process calls its listeners by", `const process = outside('process'); const up = Object.getPrototypeOf(process);
		for (const target of [process, up, Object.getPrototypeOf(up)]) { try {
			Object.defineProperty(target, 'emit', { value() { mark() }, configurable: true, writable: true }) } catch (e) {} }`,
		`(() => { outside('process').emit('x'); return marks() })()`, `0`),
	left("what the process handles failures by", `outside('process')._fatalException = mark`,
		`outside('process')._fatalException.name === 'mark'`, `false`),
	left("a timer in a list that says it is empty", `const timer = outside('global').setTimeout(mark, 1);
		if (timer._idleNext) timer._idleNext._idleNext = timer._idleNext`, marked, `0`),
	left("a timer in a list that says it is empty both ways", `const timer = outside('global').setTimeout(mark, 1), list = timer._idleNext;
		if (list) { const { _idlePrev } = list; list._idleNext = list; let asked = 0;
			try { Object.defineProperty(list, '_idlePrev', { get: () => asked++ < 2 ? list : _idlePrev, set() {}, configurable: true }) } catch (e) {} }`, marked, `0`),
	left("a timer in a list that Node.js does not find", `const global = outside('global');
		global.setTimeout(mark, 1); const bait = global.setTimeout(() => {}, 3), list = bait._idleNext;
		if (list) { list.msecs = 1; global.clearTimeout(bait) }`, marked, `0`),
	left("a timer beside the runner's own", `const timer = outside('global').setTimeout(mark, 0x7fffffff), next = timer._idleNext;
		for (const one of [next, timer._idlePrev]) { try { one.expiry = 1; one._onTimeout = mark } catch (e) {} }
		outside('global').clearTimeout(timer); outside('global').clearTimeout(outside('global').setTimeout(() => {}, 1))`, marked, `0`),
	left("a list of timers that is left with a value of its own", `const global = outside('global'), timer = global.setTimeout(() => {}, 40), list = timer._idleNext;
		if (list) { timer.unref(); global.clearTimeout(timer); list.expiry = { valueOf: () => { mark(); return 1 } } }`,
		`(() => { const { setTimeout, clearTimeout } = outside('global'); [1, 2, 3].forEach(n => clearTimeout(setTimeout(() => {}, n))); return marks() })()`, `0`),
	left("a list of timers that hands the next one on", `const global = outside('global'), timer = global.setTimeout(() => {}, 40), list = timer._idleNext;
		if (list) { timer.unref(); global.clearTimeout(timer); list._idleNext = { set _idlePrev(timer) { mark() } } }`,
		`(() => { const { setTimeout, clearTimeout } = outside('global'); clearTimeout(setTimeout(() => {}, 40)); return marks() })()`, `0`),
	left("a method of all timers", `const { prototype } = outside('global').setTimeout(() => {}, 1).constructor;
		try { prototype.hasRef = mark; prototype.unref = mark } catch (e) {}`,
		`(() => { const { setTimeout, clearTimeout } = outside('global'), timer = setTimeout(() => {}, 40); timer.unref(); clearTimeout(timer); return marks() })()`, `0`),
	left("an immediate that is not counted", `const global = outside('global');
		global.setImmediate(mark); const bait = global.setImmediate(() => {}); global.clearImmediate(bait); bait._destroyed = false; global.clearImmediate(bait)`,
		`new Promise(resolve => { require('async').setImmediate(() => {}); setTimeout(() => resolve(marks()), 30) })`, `0`),
	left("a listener of performance", `const { performance } = outside('global'); if (performance && performance.dispatchEvent) performance.addEventListener('x', mark)`,
		`(() => { const { performance, Event } = outside('global'); if (performance && performance.dispatchEvent) performance.dispatchEvent(new Event('x')); return marks() })()`, `0`),
	lasting("a hook of async_hooks", `inside.require('async_hooks').createHook({ init: mark, before: mark }).enable()`, ``),
	lasting("a subscription to a channel of diagnostics", `try { inside.require('diagnostics_channel').channel('x').subscribe(mark) } catch (e) {}`,
		`try { inside.require('diagnostics_channel').channel('x').publish(1) } catch (e) {}`),
	lasting("a hook of promises", `const { promiseHooks } = inside.require('v8'); if (promiseHooks) promiseHooks.onInit(mark)`, `Promise.resolve().then(() => {})`),
	lasting("a hook of require", `const { registerHooks } = inside.require('module'); if (registerHooks) registerHooks({ resolve(...args) { mark(); return args[2](args[0], args[1]) } })`,
		`try { inside.require('./nothing') } catch (e) {}`),
	lasting("an observer of performance that a module has", `const { PerformanceObserver } = inside.require('perf_hooks'); if (PerformanceObserver) new PerformanceObserver(mark).observe({ entryTypes: ['mark', 'gc'] })`,
		`const { performance } = inside.require('perf_hooks'); performance.mark('a')`),
	lasting("a turn at a lock", `try { const { locks } = inside.require('worker_threads'); locks.request('x', () => new Promise(open => { inside.open = open })); locks.request('x', mark) } catch (e) {}`,
		`if (inside.open) inside.open()`),
	{name: "an immediate beside the runner's own", want: `1`, then: `"its own"`, code: `
		const shared = require('lodash').templateSettings;
		const outside = (text) => { let out; require('lodash').template('<% give(' + text + ') %>')({ give: v => { out = v } }); return out };
		function main(req, res) {
			shared.now = req.body;
			if (req.body === 'next') return void setTimeout(() => res.send(shared.stolen || 'its own'), 20);
			setTimeout(() => {
				res.send(1);
				Promise.resolve().then(() => {}).then(() => {}).then(() => {}).then(() => {
					const { setImmediate, clearImmediate } = outside('global'), mine = setImmediate(() => {}), last = mine._idlePrev;
					clearImmediate(mine);
					if (last) last._idleNext = { _destroyed: false, _idleNext: null, _onImmediate() { if (shared.now === 'next') shared.stolen = 'stolen' } };
				});
			}, 1);
		}`},
	{name: "a promise of an immediate of a module", want: `1`, then: `"its own"`, code: `
		function main(req, res) {
			if (req.body === 'next') return void setTimeout(() => res.send('its own'), 5);
			setTimeout(() => {
				require('async').setImmediate(() => { Promise.resolve().then(() => { throw new Error('of the call before') }) });
				res.send(1);
			}, 1);
		}`},
	{name: "a timer of the runner's realm that repeats itself", want: `1`, then: `"undefined"`, code: `
		const shared = require('lodash').templateSettings;
		function main(req, res) {
			if (req.body === 'next') return void setTimeout(() => res.send(typeof shared.left), 20);
			require('lodash').delay(() => { shared.left = 1 }, 1)._repeat = 5;
			setTimeout(() => { delete shared.left; res.send(1) }, 15);
		}`},
	{name: "a tick of the process", insider: true, want: `1`, then: `"undefined"`, code: `
		function main(req, res) {
			if (req.body === 'next') return setTimeout(() => res.send(typeof inside.left), 30);
			res.send(1); setTimeout(() => inside.process.nextTick(() => { inside.left = 1 }), 5);
		}`},
	{name: "work in the threads of Node.js", insider: true, want: `1`, then: `"undefined"`, code: `
		const mine = inside.call = {}, mark = () => { if (inside.call !== mine) inside.left = 1 };
		function main(req, res) {
			if (req.body === 'next') return setTimeout(() => res.send(typeof inside.left), 100);
			inside.require('fs').readFile('/runner/main.js', () => { mark() }); inside.require('crypto').randomBytes(1 << 20, () => { mark() }); res.send(1);
		}`},
	{name: "a stream of zlib", insider: true, want: `1`, then: `"undefined"`, code: `
		const mine = inside.call = {}, mark = () => { if (inside.call !== mine) inside.left = 1 };
		function main(req, res) {
			if (req.body === 'next') return setTimeout(() => res.send(typeof inside.left), 100);
			const gzip = inside.require('zlib').createGzip(); gzip.on('data', () => { mark() }); gzip.write(Buffer.alloc(1 << 20)); gzip.flush(); res.send(1);
		}`},
	{name: "an answer given before an endless loop is not sent", death: sandbox.ReasonSyncDeadline, change: soon, code: `function main(req, res) { res.send(1); for (;;) {} }`},
	{name: "a second answer is not sent", want: `1`, code: `function main(req, res) { res.send(1); res.send(2); setTimeout(() => res.send(3), 1) }`},
}

// marked answers, after a time in which what was left would have run, how often it did.
const marked = `new Promise(resolve => setTimeout(() => resolve(marks()), 30))`

// left is the promise that what a first call leaves behind is not there when the next call looks. Marks are made where
// the calls of one process meet: on an object of a module, and by what runs in another call than its own.
func left(name, leave, look, want string) promise {
	return promise{name: name, want: `1`, then: want, code: `
		let count = 0;
		const shared = require('lodash').templateSettings;
		const outside = (text) => { let out; require('lodash').template('<% give(' + text + ') %>')({ give: v => { out = v } }); return out };
		const mine = shared.call = {};
		const mark = () => { if (shared.call !== mine) shared.marks = (shared.marks || 0) + 1 };
		const unmark = () => { delete shared.marks };
		const marks = () => shared.marks || 0;
		function main(req, res) {
			if (req.body === 'next') { const out = ` + look + `; return out && out.then ? out.then(v => res.send(v)) : void res.send(out) }
			` + leave + `;
			res.send(1);
		}`}
}

// lasting is the promise that what a first call has Node.js do from then on does not reach the next call, which gives
// it cause to.
func lasting(name, begin, cause string) promise {
	return promise{name: name, insider: true, want: `1`, then: `"undefined"`, code: `
		const mark = () => { inside.left = 1 };
		function main(req, res) {
			if (req.body !== 'next') { ` + begin + `; return res.send(1) }
			` + cause + `; setTimeout(() => res.send(typeof inside.left), 20);
		}`}
}

func TestPromiseLeaks(t *testing.T) { keep(t, leakPromises) }

// The rows above would hold in vain if no worker were ever used again.
func TestPromiseACleanWorkerServesItsFunctionAgain(t *testing.T) {
	onEveryVersion(t, func(t *testing.T, v version) {
		pool := arena(t, v, nil)
		for i, want := range []sandbox.StartKind{sandbox.StartPrewarmed, sandbox.StartWarm, sandbox.StartWarm} {
			result, err := pool.Invoke(t.Context(), invocation("clean", `function main(req, res) { setTimeout(() => res.send(1), 1) }`))
			if err != nil || result.Start != want {
				t.Errorf("call %d: %+v, %v, want %s", i, result, err, want)
			}
		}
	})
}

// What is left where the runner does not look cannot use a processor for long either.
func TestPromiseAnIdleWorkerThatComputesIsKilled(t *testing.T) {
	runner := insiderRunner(t)
	onEveryVersion(t, func(t *testing.T, v version) {
		died := make(chan sandbox.Reason, 10)
		pool := arena(t, v, insider(runner, func(c *sandbox.Config) { one(c); c.Observer = deaths{died: died} }))
		for range 2 {
			inv := invocation("spinner", `const inside = require('inside'); function main(req, res) { res.send(inside.native.spin()) }`)
			result, err := pool.Invoke(t.Context(), inv)
			if err != nil || string(result.Body) != "0" {
				t.Fatalf("got %s, %v", bodyOf(result), err)
			}
			reason := <-died
			for reason == sandbox.ReasonClosed || reason == sandbox.ReasonEvicted { // that of a runtime that was replaced
				reason = <-died
			}
			if reason != sandbox.ReasonIdleActivity {
				t.Errorf("the worker died of %s", reason)
			}
		}
	})
}

func TestPromiseAWorkerServesOneFunctionOnly(t *testing.T) {
	onEveryVersion(t, func(t *testing.T, v version) {
		pool := arena(t, v, nil)
		const code = `function main(req, res) { const shared = require('lodash').templateSettings; shared.met = (shared.met || []).concat(req.body); res.send(shared.met) }`
		for _, name := range []string{"a", "b", "c"} {
			inv := invocation(name, code)
			inv.Request.Body = []byte(`"` + name + `"`)
			result, err := pool.Invoke(t.Context(), inv)
			if err != nil || string(result.Body) != `["`+name+`"]` {
				t.Errorf("%s met %s, %v", name, bodyOf(result), err)
			}
		}
	})
}

func TestPromisePoolsOfOneProcessKeepApart(t *testing.T) {
	onEveryVersion(t, func(t *testing.T, v version) {
		ownTempDir(t)
		before := lookAtHost(t)
		first, second := arena(t, v, nil), arena(t, v, nil)
		for _, pool := range []*sandbox.Pool{first, second} {
			disturb(t, pool, func() {})
		}
		users, groups := map[string]bool{}, map[string]bool{}
		for _, pid := range descendants(t, os.Getpid()) {
			users[statusOf(t, pid, "Uid")] = true
			groups[procText(t, pid, "cgroup")] = true
		}
		if len(users) < 4 || len(groups) < 3 { // two zygotes in the group of this process, and at least one worker each
			t.Errorf("found users %v and groups %v", users, groups)
		}
		if err := errors.Join(first.Close(), second.Close()); err != nil {
			t.Error(err)
		}
		before.compare(t)
	})
}

func TestPromiseOneCallPerProcessSharesNothing(t *testing.T) {
	onEveryVersion(t, func(t *testing.T, v version) {
		pool := arena(t, v, func(c *sandbox.Config) { c.MaxInvocations = 1 })
		for range 3 {
			result, err := pool.Invoke(t.Context(), invocation("once", `
				function main(req, res) { const shared = require('lodash').templateSettings; shared.calls = (shared.calls || 0) + 1; res.send(shared.calls) }`))
			if err != nil || string(result.Body) != "1" {
				t.Errorf("got %s, %v", bodyOf(result), err)
			}
		}
	})
}
