//go:build linux

package sandbox_test

import "testing"

// A call that changes the language itself harms neither its own answer's form nor the next call of its function.
var poisonPromises = []promise{
	poison("keys on the prototype of all objects", `Object.prototype.body = 'forged'; Object.prototype.status = 500; Object.prototype.statusCode = 418; Object.prototype.then = 1`),
	poison("accessors on the prototype of all objects", `for (const k of ['id', 'type', 'body', 'env', 'kind']) Object.defineProperty(Object.prototype, k, { get() { return 'forged' }, set() {}, configurable: true })`),
	poison("the iterator of arrays", `Array.prototype[Symbol.iterator] = function* () { yield ['x', 'forged'] }`),
	poison("the methods of arrays", `for (const k of ['push', 'map', 'filter', 'join', 'forEach', 'concat', 'slice']) Array.prototype[k] = () => ['forged']`),
	poison("the methods of strings", `for (const k of ['split', 'includes', 'slice', 'replace', 'endsWith']) String.prototype[k] = () => 'forged'`),
	poison("JSON", `JSON.stringify = () => '"forged"'; JSON.parse = () => ({ body: 'forged' })`),
	poison("promises", `Promise.prototype.then = function () { return this }; Promise.resolve = () => 1`),
	poison("call and apply", `Function.prototype.call = () => 'forged'; Function.prototype.apply = () => 'forged'; Reflect.apply = () => 'forged'`),
	poison("maps and sets", `for (const k of ['get', 'set', 'has', 'delete']) { Map.prototype[k] = () => 'forged'; WeakMap.prototype[k] = () => 'forged' }`),
	poison("regular expressions", `RegExp.prototype.test = () => true; RegExp.prototype.exec = () => ['', 'forged', 'forged']`),
	poison("object functions", `Object.keys = () => ['forged']; Object.defineProperty = () => {}; Object.freeze = x => x`),
	poison("a toJSON on every prototype", `for (const C of [String, Number, Boolean, Array, Object]) C.prototype.toJSON = () => 'forged'; delete Object.prototype.toJSON; delete Array.prototype.toJSON; delete String.prototype.toJSON`),
	poison("the preparation of stack traces", `Error.prepareStackTrace = () => { throw 1 }; Error.stackTraceLimit = 0`),
	poison("Buffer", `Buffer.from = () => 'forged'; Buffer.prototype.toString = () => 'forged'`),
	poison("the prototype of arrays itself", `Object.setPrototypeOf(Array.prototype, { forged: 1 })`),
	poison("global functions", `const g = Function('return this')(); g.JSON = { stringify: () => 'forged', parse: () => ({ body: 'forged' }) }; g.Promise = null; g.Object = null`),
	poison("the console and require", `const g = Function('return this')(); g.require = () => 'forged'; g.console = null; g.Backstage = { request: { body: 'forged' } }`),
	poison("random numbers", `Math.random = () => 0.5`),
	poison("the functions that objects hold", "try { ({})[`hasOwnProperty`][`call`] = 1 } catch (e) {} try { [][`map`][`apply`] = 1; JSON.parse.call = 1 } catch (e) {}"),
	poison("what functions and errors inherit from", `
		const async = async () => {}; async['__proto__']['call'] = 1;
		for (const C of [TypeError, RangeError]) { const e = new C('x'); e['__proto__']['status'] = 202; e['__proto__']['name'] = 'forged' }`),
	poison("what buffers have in common", `Buffer.from('x')['__proto__']['status'] = 1; Buffer.from('x')['constructor']['poolSize'] = 4e6`),
	poison("getters", `Object.defineProperty(Map.prototype, 'size', { get() { return 'forged' } }); delete Object.prototype.__proto__; Object.defineProperty(Object.prototype, 'status', { value: 1 })`),
	poison("the prototype of the global object", `Object.getPrototypeOf(Function('return this')()).leak = 'forged'`),
	poison("the response", `res.send = () => {}; Object.getPrototypeOf(res).send = function () {}; Object.getPrototypeOf(res).set = () => 1`),
	{
		name: "what fetch gives", then: `["hello","text/plain","undefined"]`, poisons: true,
		code: `
		async function main(req) {
			if (typeof fetch === 'undefined') { // on Node.js 8
				if (req.body !== 'next') Object.prototype.evil = 1;
				return ['hello', 'text/plain', typeof {}.evil];
			}
			const r = await fetch('data:text/plain,hello');
			if (req.body !== 'next') {
				r['__proto__']['text'] = r['headers']['__proto__']['get'] = () => 'forged';
				r['body']['__proto__']['evil'] = 1;
				return 1;
			}
			return [await r.text(), r.headers.get('content-type'), typeof r.body.evil];
		}`,
	},
	{
		name: "what was matched last is forgotten", want: `["",""]`, then: `["",""]`,
		code: `function main(req, res) { const answer = [RegExp.input, RegExp.$1]; /(.*)/.test('a secret of ' + req.body); res.send(answer) }`,
	},
	{
		name: "what buffers measure their length by stays", fails: "Cannot redefine property: length", then: `"next"`,
		code: `
		function main(req, res) {
			const typed = Object.getPrototypeOf(Object.getPrototypeOf(Buffer.prototype));
			if (req.body !== 'next') Object.defineProperty(typed, 'length', { get() { return 1 }, configurable: true });
			res.send(req.body);
		}`,
	},
	{
		name: "prototype keys in a body are plain data", want: `[{"polluted":1},"undefined"]`,
		code: `function main(req, res) { const body = JSON.parse('{"__proto__":{"polluted":1}}'); res.send([body.__proto__, typeof ({}).polluted]) }`,
	},
}

// poison is the promise that a call which does evil and then answers, as far as it still can, leaves the next one as it
// was.
func poison(name, evil string) promise {
	return promise{name: name, then: `{"say":["next",true,"a-b","2"]}`, poisons: true, code: `
		function main(req, res) {
			if (req.body !== 'next') {
				const send = res.send.bind(res);
				` + evil + `;
				send(1);
				return;
			}
			const list = [];
			for (const x of ['a', 'b']) list.push(x);
			const names = { [TypeError.name]: TypeError, [RangeError.name]: RangeError, Error };
			const inherited = Object.keys(names).every(name => new names[name]('x').name === name) && new NotFound('x').name === 'Error' &&
				[TypeError, RangeError, NotFound, Error].every(C => new C('x').status === undefined);
			const called = [Object.prototype.hasOwnProperty.call, [].map.apply, JSON.parse.call, (async () => {}).call].every(f => typeof f === 'function');
			const plain = {}.status === undefined && Buffer.from('x').status === undefined && Buffer.poolSize === 0 && typeof leak === 'undefined';
			const works = Object.keys({ a: 1 })[0] === 'a' && Math.random() !== 0.5 && new Map().size === 0 && {}.__proto__ === Object.prototype;
			res.send({ say: [JSON.parse('"next"'), inherited && called && plain && works, list.join('-'), String(1 + 1)] });
		}`}
}

func TestPromisePoison(t *testing.T) { keep(t, poisonPromises) }
