'use strict';

const test = require('tape');
const { realm, ROOT } = require('./support');

const describe = realm('describe');

const hostile = () => { throw new Error('gotcha'); };
const proxy = () => new Proxy({}, { get: hostile, has: hostile, ownKeys: hostile, getOwnPropertyDescriptor: hostile, getPrototypeOf: hostile });
const withStack = stack => Object.assign(new Error('x'), { stack });
const cycle = {};
cycle.self = cycle;

test('describe finds the message, the text and the status', (t) => {
  for (const [name, thrown, message, text, status] of [
    ['an error', new TypeError('bad'), 'bad', 'TypeError: bad', 0],
    ['an error without a message', new Error(), '', 'Error', 0],
    ['a text', 'boom', 'boom', 'boom', 0],
    ['a number', 7, '7', '7', 0],
    ['null', null, 'null', 'null', 0],
    ['undefined', undefined, 'undefined', 'undefined', 0],
    ['a symbol', Symbol('s'), 'Symbol(s)', 'Symbol(s)', 0],
    ['an object', { a: 1 }, '{"a":1}', '[object Object]', 0],
    ['an array', [1, 2], '[1,2]', '1,2', 0],
    ['an object with a message', { message: 'm', statusCode: 404 }, 'm', '[object Object]', 404],
    ['a message that is an object', { message: { a: 1 } }, '{"a":1}', '[object Object]', 0],
    ['a message that is null', { message: null }, 'null', '[object Object]', 0],
    ['a status in digits', { message: 'm', statusCode: '503' }, 'm', '[object Object]', 503],
    ['a status in letters', { message: 'm', statusCode: 'abc' }, 'm', '[object Object]', 0],
    ['an impossible status', { message: 'm', statusCode: 42 }, 'm', '[object Object]', 500],
    ['an enormous status', { message: 'm', statusCode: 1e300 }, 'm', '[object Object]', 0],
    ['a status of zero', { message: 'm', statusCode: 0 }, 'm', '[object Object]', 0],
    ['an object without a prototype', Object.assign(Object.create(null), { message: 'm' }), 'm', 'unknown error', 0],
  ]) {
    const got = describe(thrown, 'ns/id.js');
    t.deepEqual([got.message, got.text, got.status], [message, text, status], name);
  }
  t.end();
});

test('describe never throws and gives texts', (t) => {
  const getters = {};
  ['message', 'statusCode', 'stack', 'toString'].forEach(name => Object.defineProperty(getters, name, { get: hostile }));
  for (const [name, thrown] of [
    ['a proxy', proxy()], ['getters that throw', getters], ['a cycle', cycle], ['a toString that throws', { toString: hostile }],
    ['a toJSON that throws', { toJSON: hostile }], ['a status that is a proxy', { message: 'm', statusCode: proxy() }],
    ['a message that is a proxy', { message: proxy() }], ['a stack that is a number', withStack(7)], ['a stack that is a proxy', withStack(proxy())],
    ['a function', hostile], ['a revoked proxy', (() => { const { proxy: p, revoke } = Proxy.revocable({}, {}); revoke(); return p; })()],
  ]) {
    const got = describe(thrown, 'ns/id.js');
    t.deepEqual([typeof got.message, typeof got.text, typeof got.stack, typeof got.frames, typeof got.status],
      ['string', 'string', 'string', 'string', 'number'], name);
  }
  t.end();
});

test('frames are the lines of the stack that lie in the function', (t) => {
  for (const [name, stack, frames] of [
    ['none', 'Error: x', ''],
    ['named', 'Error: x\n    at main (ns/id.js:3:7)', 'at main (ns/id.js:3)'],
    ['nameless', 'Error: x\n    at ns/id.js:12:1', 'at ns/id.js:12'],
    ['anonymous', 'Error: x\n    at Object.<anonymous> (ns/id.js:1:2)\n    at <anonymous> (ns/id.js:2:2)', 'at ns/id.js:1\nat ns/id.js:2'],
    ['a method', 'Error: x\n    at new Foo (ns/id.js:3:7)\n    at Foo.bar [as baz] (ns/id.js:4:7)', 'at new Foo (ns/id.js:3)\nat Foo.bar [as baz] (ns/id.js:4)'],
    ['async', 'Error: x\n    at async main (ns/id.js:3:7)', 'at main (ns/id.js:3)'],
    ['of others', 'Error: x\n    at f (other/id.js:3:7)\n    at g (ns/id.jsx:1:1)\n    at vm.js:1:1\n    at h (native)\n    at <anonymous>', ''],
    ['without a column', 'SyntaxError: x\n    at ns/id.js:7', 'at ns/id.js:7'],
  ]) {
    t.equal(describe(withStack(stack), 'ns/id.js').frames, frames, name);
  }
  t.end();
});

test('the stack shows nothing of the runner', (t) => {
  const stack = `Error: x\n    at main (ns/id.js:1:1)\n    at start (runner:realm/call.js:9:9)\n    at Invoker.start (${ROOT}/invoke.js:1:1)`;
  t.equal(describe(withStack(stack), 'ns/id.js').stack, 'Error: x\n    at main (ns/id.js:1:1)');
  t.end();
});

test('a stack ends with the function', (t) => {
  for (const [name, stack, want] of [
    ['the wrapper', 'Error: x\n    at main (ns/id.js:2:1)\n    at ns/id.js:3:7\n    at ns/id.js:3:99', 'Error: x\n    at main (ns/id.js:2:1)'],
    ['Node.js 8', 'Error: x\n    at main (ns/id.js:2:1)\n    at <anonymous>\n    at process._tickCallback (internal/process/next_tick.js:189:7)\n    at Module.load (module.js:566:32)',
      'Error: x\n    at main (ns/id.js:2:1)'],
    ['later ones', 'Error: x\n    at async main (ns/id.js:2:1)\n    at process.processTicksAndRejections (node:internal/process/task_queues:95:5)\n    at node:internal/main/run_main_module:28:49',
      'Error: x\n    at async main (ns/id.js:2:1)'],
    ['what is called from Node.js in between', 'Error: x\n    at f (ns/id.js:1:1)\n    at emit (node:events:5:1)\n    at main (ns/id.js:2:1)',
      'Error: x\n    at f (ns/id.js:1:1)\n    at emit (node:events:5:1)\n    at main (ns/id.js:2:1)'],
    ['nothing else', 'Error: x\n    at emit (node:events:5:1)', 'Error: x\n    at emit (node:events:5:1)'],
  ]) {
    t.equal(describe(withStack(stack), 'ns/id.js', 2).stack, want, name);
  }
  t.end();
});
