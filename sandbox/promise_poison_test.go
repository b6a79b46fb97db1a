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
	poison("the response", `res.send = () => {}; Object.getPrototypeOf(res).send = function () {}; Object.getPrototypeOf(res).set = () => 1`),
	{
		name: "prototype keys in a body are plain data", want: `[{"polluted":1},"undefined"]`,
		code: `function main(req, res) { const body = JSON.parse('{"__proto__":{"polluted":1}}'); res.send([body.__proto__, typeof ({}).polluted]) }`,
	},
}

// poison is the promise that a call which does evil and then answers, as far as it still can, leaves the next one as it was.
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
			res.send({ say: [JSON.parse('"next"'), Object.keys({ a: 1 })[0] === 'a' && {}.status === undefined && Math.random() !== 0.5, list.join('-'), String(1 + 1)] });
		}`}
}

func TestPromisePoison(t *testing.T) { keep(t, poisonPromises) }
