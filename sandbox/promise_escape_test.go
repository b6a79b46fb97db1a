//go:build linux

package sandbox_test

import "testing"

// probe runs code with a helper that compiles "typeof process" with the Function of whatever it is given, as every
// escape from a context begins.
func probe(code string) string {
	return `function by(f) { try { return f.constructor('return typeof process')() } catch (e) { return e.name } }
		function main(req, res) { ` + code + ` }`
}

// By the ways that are known out of a V8 context no code is compiled in the runner's own.
var escapePromises = []promise{
	{name: "the global object has nothing of Node.js", code: probe(
		`const g = Function('return this')(); res.send(['process', 'global', 'setImmediate', 'queueMicrotask', 'performance'].map(n => typeof g[n]).filter(t => t !== 'undefined'))`), want: `[]`},
	{name: "eval sees nothing of the runner", code: probe(
		`res.send([(0, eval)('typeof process'), (0, eval)('typeof frame'), eval('typeof hooks'), eval('typeof host')])`), want: `["undefined","undefined","undefined","undefined"]`},
	{
		name: "Buffer compiles nothing", code: probe(`res.send([by(Buffer), by(Buffer.from), by(Buffer.prototype.toString)])`),
		want: `["EvalError","EvalError","EvalError"]`,
	},
	{name: "the prototype of Buffer compiles nothing", code: probe(`res.send(by(Object.getPrototypeOf(Buffer)))`), want: `"EvalError"`},
	{name: "an error of the runner's realm compiles nothing", code: probe(
		`try { Buffer.alloc(-1) } catch (e) { res.send([by(e.constructor), by(Object.getPrototypeOf(e.constructor))]) }`), want: `["EvalError","EvalError"]`},
	{name: "a module's functions compile nothing", code: probe(
		`res.send([require('lodash'), require('async').each, require('request'), require('uuid').v4, require('node-fetch')].map(by).filter(r => r !== 'EvalError'))`), want: `[]`},
	{name: "what newer versions have for all compiles nothing", code: probe(
		`const g = Function('return this')();
			res.send(['fetch', 'Headers', 'Request', 'Response', 'FormData', 'Blob', 'URL', 'AbortController', 'TextDecoder', 'structuredClone', 'crypto']
				.map(name => g[name]).filter(v => v !== undefined).map(v => by(typeof v === 'function' ? v : v.constructor)).filter(r => r !== 'EvalError' && r !== 'undefined'))`), want: `[]`},
	{
		name: "a module's classes compile nothing", code: probe(
			`const { Headers, Response } = require('node-fetch'); res.send([by(new Headers().get), by(Response)])`),
		want: `["EvalError","EvalError"]`,
	},
	{name: "what all functions of modules inherit from compiles nothing", code: probe(
		`const F = Object.getPrototypeOf(require('lodash')); res.send([by(F), by(F.call)])`), want: `["EvalError","EvalError"]`},
	{name: "what the function is given is of its own realm", code: probe(
		`res.send([req, res, Backstage, module, exports, console, console.log, setTimeout, clearTimeout, setInterval, require, relativeRequire, BadRequest, res.send, Backstage.env]
			.map(v => by(typeof v === 'function' ? v : v.constructor)).filter(r => r !== 'undefined'))`), want: `[]`},
	{
		name: "what arrives in a request is of its own realm", code: probe(
			`res.send([req.body, req.query, req.headers].map(v => v.constructor.constructor('return typeof process')()))`),
		want: `["undefined","undefined","undefined"]`,
	},
	{name: "a timer's handle and this are of its own realm", code: probe(
		`const t = setTimeout(function () { res.send([by(this.constructor), by(t.constructor)]) }, 1)`), want: `["undefined","undefined"]`},
	{name: "an interval's handle and this are of its own realm", code: probe(
		`const t = setInterval(function () { clearTimeout(t); res.send([by(this.constructor), by(t.constructor)]) }, 1)`), want: `["undefined","undefined"]`},
	{name: "the resolver of an answer's promise is of its own realm", code: probe(
		`return { then(resolve, reject) { resolve([by(resolve), by(reject)]) } }`), want: `["undefined","undefined"]`},
	{name: "what reads an answer is of its own realm", code: probe(
		`res.send({ toJSON(...args) { let caller = 'none'; try { caller = typeof arguments.callee.caller } catch (e) { caller = e.name } return caller } })`), want: `"TypeError"`},
	{name: "a proxy as the answer meets nobody else's objects", code: probe(
		`const seen = []; res.send(new Proxy({ a: 1 }, { get(target, key, receiver) { if (typeof receiver !== 'object') throw new Error(key); return target[key] }, ownKeys(t) { return Reflect.ownKeys(t) } }))`), want: `{"a":1}`},
	{name: "stack frames do not hand out objects", code: probe(
		`const seen = []; Error.prepareStackTrace = (e, frames) => { for (const f of frames) seen.push(typeof f.getThis(), typeof f.getFunction()); return '' };
			new Error('x').stack; res.send(seen.filter(t => t !== 'undefined'))`), want: `[]`},
	{name: "stack frames of the runner's realm are not prepared here", code: probe(
		`let seen = 0; let e; try { Buffer.alloc(-1) } catch (error) { e = error }
			let E = e.constructor; while (E.name !== 'Error') E = Object.getPrototypeOf(E);
			E.prepareStackTrace = (error, frames) => { for (const f of frames) if (typeof f.getThis() === 'object' || typeof f.getFunction() === 'function') seen++; return '' };
			try { Buffer.alloc(-1) } catch (error) { error.stack } res.send(seen)`), want: `0`},
	{
		name: "an import finds no module", code: `
		function main(req, res) { let p; try { p = Function("return import('fs')")() } catch (e) { return res.send('refused') } p.then(() => res.send('loaded'), () => res.send('refused')) }`,
		want: `"refused"`,
	},
	{name: "require knows only the modules that were named", code: `
		function main(req, res) { res.send(['fs', 'child_process', 'vm', 'module', '../main', '/runner/main.js', './frame', 'lodash/fp', '__proto__', 'constructor', 'toString']
			.filter(name => { try { return require(name) } catch (e) { return e.code !== 'MODULE_NOT_FOUND' } })) }`, want: `[]`},
	{name: "inspection of an object hands out nothing", code: probe(
		`const seen = []; console.log({ inspect(depth, options) { seen.push(by(options.stylize || main)); return '' } }); console.log(new Proxy({}, { get(t, k) { return undefined } }));
			res.send(seen.filter(r => r === 'object'))`), want: `[]`},
	{name: "no path of properties leads to the process", code: walk, want: `[]`},
	{name: "webassembly gets nothing but what it imports", code: probe(
		`const module = new WebAssembly.Module(new Uint8Array([0, 97, 115, 109, 1, 0, 0, 0])); res.send(by(new WebAssembly.Instance(module).constructor))`), want: `"undefined"`},

	{name: "no module of Node.js is loaded by what a function holds", code: `
		function main(req, res) {
			const things = [module, exports, require, relativeRequire, Backstage, console, Buffer].concat(['lodash', 'async', 'request', 'uuid', 'node-fetch'].map(require));
			const loads = (f, name) => { try { return typeof f(name) === 'object' } catch (e) { return false } };
			const ways = [];
			for (const thing of things) for (const of of [thing, thing.constructor, thing.prototype, thing.main, thing.parent]) {
				if (of) for (const key of ['require', '_load', 'createRequire', 'mainModule', 'binding', 'getBuiltinModule']) if (typeof of[key] === 'function') ways.push(of[key].bind(of));
			}
			ways.push(require);
			res.send(['module', 'node:module', 'process', 'internal/timers', 'internal/test/binding', 'fs', 'vm'].filter(name => ways.some(way => loads(way, name))));
		}`, want: `[]`},

	// A module that compiles code by itself leads out: lodash's templates. What is found there is the rest of these
	// promises.
	{name: "outside there is no way to exit, signal or load native code", code: outside(
		`res.send(['binding', '_linkedBinding', 'dlopen', 'mainModule', 'exit', 'reallyExit', 'kill', '_kill', 'abort', 'chdir', 'setuid', 'setgid', 'umask', 'openStdin', 'stdin',
			'_getActiveHandles', '_getActiveRequests', '_debugProcess', '_rawDebug', 'getBuiltinModule', 'report', 'execve', 'loadEnvFile'].filter(name => name in process))`), want: `[]`},
	{name: "outside no module of Node.js is loaded", code: outside(
		`const ways = ['process.mainModule.require', 'process.mainModule.constructor._load', 'process.binding', 'process._linkedBinding', 'process.getBuiltinModule', 'require', 'module.require',
				'global.require', 'process.constructor._load', 'process.main.require', 'internalBinding', 'process.internalBinding', 'NativeModule.require'];
			const loads = (way, name) => { try { return typeof template(way + "('" + name + "')") === 'object' } catch (e) { return false } };
			res.send(ways.filter(way => ['module', 'internal/timers', 'internal/test/binding', 'natives', 'fs'].some(name => loads(way, name))))`), want: `[]`},
	{
		name: "outside an import finds no module", code: `
		function main(req, res) {
			let p; try { require('lodash').template("<% give(import('fs')) %>")({ give: v => { p = v } }) } catch (e) { return res.send('refused') }
			p.then(() => res.send('loaded'), () => res.send('refused'));
		}`, want: `"refused"`,
	},
	{name: "outside the standard streams lead nowhere", code: outside(
		`for (const s of [process.stdout, process.stderr]) { s.write('{"type":"result"}\\n'); try { s.fd = 1 } catch (e) {} try { s.write.x = 1 } catch (e) {} s.end() }
			res.send([process.stdout, process.stderr].map(s => [s.fd, s._handle, s.write.x].filter(v => v !== undefined).length))`), want: `[0,0]`},
	{name: "outside there is neither require nor module", code: outside(
		`res.send(['require', 'module', 'exports', '__filename', 'frame', 'invoker', 'reader', 'host'].filter(name => template("typeof " + name) !== 'undefined'))`), want: `[]`},
	{
		name: "outside there is no environment and no path of the host", code: outside(
			`res.send([Object.keys(process.env), process.argv, process.execPath, process.cwd()])`),
		want: `[[],["node","/runner/main.js","zygote"],"node","/"]`,
	},
	{name: "outside nothing of the server is in memory's view", code: outside(
		`res.send(Object.getOwnPropertyNames(global).filter(name => /pool|redis|server|invoker|secret/i.test(name.replace('Observer', ''))))`), want: `[]`},
	{name: "outside a listener for errors hears only this call", code: outside(
		`process.on && process.on('uncaughtException', () => {}); res.send(req.body === 'next' ? 'answered' : 1)`), want: `1`, then: `"answered"`},
}

// outside runs code with the process object and the global object of the runner's realm, and template, which evaluates
// there.
func outside(code string) string {
	return `function template(text) { let out; require('lodash').template('<% give(' + text + ') %>')({ give: v => { out = v } }); return out }
		function main(req, res) { const process = template('process'); const global = template('global'); ` + code + ` }`
}

// walk follows every property, prototype and getter from all that a function can name, and reports the paths to
// anything that is the process, and to any function whose constructor compiles code where there is one.
const walk = `
function main(req, res) {
  const seen = new Set();
  const bad = [];
  const todo = [];
  const push = (path, value) => {
    if ((typeof value !== 'object' || value === null) && typeof value !== 'function') return;
    if (seen.has(value)) return;
    seen.add(value);
    todo.push([path, value]);
  };
  const roots = { req, res, Backstage, Buffer, console, exports, module, setTimeout, clearTimeout, require, relativeRequire, NotFound, self: Function('return this')() };
  for (const name of ['lodash', 'async', 'request', 'uuid', 'node-fetch']) roots[name] = require(name);
  for (const name of Object.keys(roots)) push(name, roots[name]);
  while (todo.length > 0 && seen.size < 20000) {
    const [path, value] = todo.pop();
    if (path.split('.').length > 12) continue;
    try {
      if (typeof value === 'function' && value.constructor('return typeof process')() !== 'undefined') bad.push(path + '.constructor');
    } catch (e) {}
    try { if (typeof value.dlopen === 'function' || (typeof value.nextTick === 'function' && 'execPath' in value)) bad.push(path); } catch (e) {}
    try { push(path + '.__proto__', Object.getPrototypeOf(value)); } catch (e) {}
    let keys = [];
    try { keys = Reflect.ownKeys(value); } catch (e) {}
    for (const key of keys) {
      try {
        const d = Object.getOwnPropertyDescriptor(value, key);
        const next = path + '.' + String(key);
        if ('value' in d) push(next, d.value);
        else { push(next + '.get', d.get); push(next + '.set', d.set); try { push(next, value[key]); } catch (e) {} }
      } catch (e) {}
    }
  }
  res.send(bad);
}`

func TestPromiseEscape(t *testing.T) { keep(t, escapePromises) }
