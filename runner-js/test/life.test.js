'use strict';

// The life of a worker: calls one after another, what it prints, when it is not to be used again, how it ends.

const test = require('tape');
const { Runner, started, inTurn, ROOT } = require('./support');

const outcome = inTurn(test);

test('a worker serves call after call', async (t) => {
  const runner = await started();
  runner.load('let n = 0; function main(req, res) { n++; const send = () => res.send([n, req.body]); req.body % 2 ? setTimeout(send, 1) : send() }');
  for (let i = 0; i < 50; i++) {
    const { answer, pending } = await runner.call({ id: `call${i}`, body: i });
    if (JSON.stringify(answer.body) !== `[1,${i}]` || !answer.reusable || pending !== (i % 2 === 1)) t.fail(`call ${i}: ${JSON.stringify(answer)}`);
  }
  t.deepEqual(await runner.close(), { code: 0, signal: null, stderr: '' });
});

test('what a module has matched in a call is forgotten with it', async (t) => {
  const runner = await started({ modules: ['lodash'] });
  runner.load(`
    const _ = require('lodash');
    function main(req, res) {
      const { input, lastMatch } = _.templateSettings.escape.constructor;
      _.words(req.body);
      res.send([input, lastMatch]);
    }`);
  for (const body of ['the secret of one', 'of another']) {
    const { answer } = await runner.call({ body });
    t.deepEqual(answer.body, ['', '']);
    t.ok(answer.reusable);
  }
  await runner.close();
});

test('a call that freezes a built-in object is the last of its worker', async (t) => {
  for (const code of ['Object.freeze(Object.prototype)', 'Object.preventExtensions(Object.keys)', 'Object.defineProperty(Object.keys, "name", { value: "left" })']) {
    const runner = await started();
    runner.load(`function main(req, res) { if (req.body === 'change') ${code}; res.send(1); }`);
    t.ok((await runner.call({ body: 'nothing' })).answer.reusable);
    t.notOk((await runner.call({ body: 'change' })).answer.reusable, code);
    await runner.close();
  }
});

test('a failure does not end the worker', async (t) => {
  const runner = await started();
  runner.load(`
    if (Backstage.request && Backstage.request.body === 1) throw new Error('top');
    function main(req, res) {
      if (req.body === 2) throw new Error('main');
      if (req.body === 3) setTimeout(() => { throw new Error('timer') }, 1);
      if (req.body === 4) Promise.reject(new Error('promise'));
      if (req.body === 5) return Promise.reject(new Error('returned'));
      if (req.body === 6) res.status(42).send();
      if (req.body === 0) res.send('fine');
    }`);
  for (const message of ['top', 'main', 'timer', 'promise', 'returned', 'Invalid status code: 42']) {
    const body = ['top', 'main', 'timer', 'promise', 'returned'].indexOf(message) + 1 || 6;
    const { answer } = await runner.call({ body });
    t.deepEqual([answer.type, answer.message, answer.reusable], ['error', message, true]);
    t.equal((await runner.call({ body: 0 })).answer.body, 'fine');
  }
  await runner.close();
});

test('code that does not compile fails every call', async (t) => {
  const runner = await started();
  runner.load('function main( {');
  for (let i = 0; i < 2; i++) {
    t.ok(/^SyntaxError/.test((await runner.call({ kind: 'check' })).answer.text), 'check');
    t.ok(/^SyntaxError/.test((await runner.call()).answer.text), 'run');
  }
  await runner.close();
});

test('frames of any size and in any pieces', async (t) => {
  const runner = await started();
  runner.load('function main(req, res) { res.send(req.body) }');
  for (const size of [1, 65000, 65536, 1000000, 5000000]) {
    const body = `é${'x'.repeat(size)}`;
    const { answer } = await runner.call({ body });
    t.ok(answer.body === body, `${size} bytes there and back`);
  }
  const line = Buffer.from('{"type":"invoke","id":"g1","kind":"run","method":"GET","headers":{},"query":{},"body":"é😀"}\n');
  for (const byte of line) {
    runner.process.stdin.write(Buffer.from([byte]));
    await new Promise(resolve => setImmediate(resolve));
  }
  t.equal((await runner.frame()).body, 'é😀', 'byte by byte');
  await runner.close();
});

test('a frame over the limit ends the worker', async (t) => {
  const runner = await started({ maxFrame: 65536 });
  runner.send('x'.repeat(65537));
  const { code, stderr } = await runner.ended;
  t.equal(code, 70);
  t.ok(/frame is larger than 65536 bytes/.test(stderr));
});

test('an answer over the limit is not sent', async (t) => {
  const runner = await started({ maxAnswer: 65536 });
  runner.load("function main(req, res) { res.send('é'.repeat(req.body)) }");
  for (const [length, type] of [[32000, 'result'], [33000, 'oversize'], [10, 'result'], [10000000, 'oversize']]) {
    const { answer } = await runner.call({ body: length });
    t.deepEqual([answer.type, answer.reusable], [type, true], `${length} letters`);
    if (type === 'oversize') t.ok(answer.size > 2 * length, `${answer.size} bytes`);
  }
  await runner.close();
});

test('logs come before the answer, none after it', async (t) => {
  const code = `console.log('top');
    async function main(req, res) {
      console.error('main');
      await 1;
      setTimeout(() => { console.log('timer'); res.send(1); console.log('end of the timer') }, 1);
      return new Promise(() => {});
    }`;
  const { logs, lines, pending } = await outcome(code);
  t.deepEqual(logs, ['info top', 'error main', 'info timer', 'info end of the timer']);
  t.ok(pending);
  t.equal(JSON.parse(lines[lines.length - 1]).type, 'result');
});

test('logs end at their limit with a mark, in each call', async (t) => {
  const runner = await started({ maxLogs: 100 });
  runner.load("function main(req, res) { for (let i = 0; i < 50; i++) console.log(req.body); res.send(1) }");
  for (const [text, lines] of [['x'.repeat(9), 10], ['é'.repeat(12), 4], ['x'.repeat(100), 0], ['x'.repeat(99), 1]]) {
    const { logs } = await runner.call({ body: text });
    t.deepEqual(logs, new Array(lines).fill(`info ${text}`).concat('info [output truncated]'), `${Buffer.byteLength(text)} bytes a line`);
  }
  await runner.close();
});

test('what modules print is output of the call, in its limit', async (t) => {
  const { answer, lines, logs } = await outcome(`function main(req, res) {
    const request = require('request');
    request.debug = true;
    for (let i = 0; i < 100; i++) new request.Request({ uri: 'http://127.0.0.1:1/' + 'x'.repeat(5000), callback() {} }).abort();
    res.send(1);
  }`, {}, { modules: ['request'], maxLogs: 50000 });
  t.equal(answer.body, 1);
  t.equal(lines.length, logs.length + 1, 'lines of output, and the answer');
  t.ok(logs.some(line => line.startsWith('error REQUEST')), logs[0]);
  t.equal(logs[logs.length - 1].slice(5).trim(), '[output truncated]');
});

test('a call that leaves work behind ends its worker, and none of that work is done', async (t) => {
  const left = "() => console.log('left')";
  for (const [name, leave] of [
    ['a timer', `setTimeout(${left}, 0)`],
    ['a timer of a module', `require('lodash').delay(${left}, 0)`],
    ['a timer, with the methods of Map replaced', `Map.prototype.delete = Map.prototype.has = () => true; Map.prototype.get = () => ({}); setTimeout(${left}, 0); clearTimeout({})`],
    ['a timer, with then replaced', `Promise.prototype.then = (f) => { f(); f() }; setTimeout(${left}, 0);
      WebAssembly.compile(new Uint8Array([0, 97, 115, 109, 1, 0, 0, 0]))`],
  ]) {
    const runner = await started({ modules: ['lodash'] });
    runner.load(`function main(req, res) { ${leave}; res.send(1) }`);
    const { answer } = await runner.call();
    t.equal(answer.reusable, false, name);
    runner.send({ type: 'invoke', id: 'g2', kind: 'run', method: 'GET', headers: {}, query: {} });
    const { code } = await runner.ended;
    t.deepEqual([code, runner.lines], [10, []], 'it ends, and nothing more is written');
  }
});

test('a call that changes what the next one shares ends its worker', async (t) => {
  for (const change of ['top.x = 1', 'Object.prototype.x = 1', 'Array.prototype.x = 1', 'delete String.prototype.trim', 'Buffer.x = 1', 'Math.x = 1']) {
    const { answer } = await outcome(`const top = this; function main(req, res) { ${change}; res.send(1) }`);
    t.deepEqual([answer.type, answer.reusable], ['result', false], change);
  }
});

test('a function that puts itself into the place of what writes sees nothing of earlier answers', async (t) => {
  const runner = await started();
  runner.load(`function main(req, res) {
    let seen = '';
    if (req.body.look) {
      const text = Buffer.prototype.latin1Slice;
      for (const name of Reflect.ownKeys(Buffer.prototype)) {
        const { value } = Object.getOwnPropertyDescriptor(Buffer.prototype, name);
        if (typeof value === 'function' && name !== 'constructor') {
          Buffer.prototype[name] = function (...args) { seen += text.call(this); return value.apply(this, args) };
        }
      }
      console.log('x');
    }
    res.send(req.body.look ? seen.length : 'the answer of somebody else');
  }`);
  t.equal((await runner.call({ body: {} })).answer.reusable, true);
  const { answer } = await runner.call({ body: { look: true } });
  t.deepEqual([answer.body, answer.reusable], [0, false]);
  await runner.close();
});

test('a call that cleans up keeps its worker', async (t) => {
  const runner = await started({ modules: ['lodash', 'async'] });
  for (const body of [
    'res.send(1)', 'clearTimeout(setTimeout(() => {}, 1e6)); res.send(1)', 'setTimeout(() => res.send(1), 1)',
    "const f = require('lodash').debounce(() => res.send(1), 1); f(); f()", "require('async').parallel([f => setTimeout(f, 2), f => setTimeout(f, 1)], () => res.send(1))",
    'WebAssembly.compile(new Uint8Array([0, 97, 115, 109, 1, 0, 0, 0])).then(() => res.send(1))', 'Object.prototype.x = 1; delete Object.prototype.x; res.send(1)',
    "Promise.resolve().then(() => { throw new Error('handled') }).catch(() => res.send(1))",
  ]) {
    runner.load(`function main(req, res) { ${body} }`);
    const { answer } = await runner.call();
    t.deepEqual([answer.body, answer.reusable], [1, true], body);
  }
  await runner.close();
});

test('a worker whose host goes in the middle of a call ends', async (t) => {
  const runner = await started();
  runner.load("function main(req, res) { setTimeout(() => res.send('x'.repeat(1e6)), 50) }");
  runner.send({ type: 'invoke', id: 'g1', kind: 'run', method: 'GET', headers: {}, query: {} });
  t.equal((await runner.frame()).type, 'pending');
  runner.process.stdout.destroy();
  const { code, signal } = await runner.close();
  t.deepEqual([code, signal], [0, null]);
});

test('a module that is not there is said when the worker is ready, and when it is required', async (t) => {
  const runner = new Runner({ modules: ['no-such-module', 'lodash'] });
  const { missing } = JSON.parse(await runner.line());
  t.equal(missing, "no-such-module: Cannot find module 'no-such-module'");
  runner.load("require('lodash'); require('no-such-module'); function main(req, res) { res.send(1) }");
  const { answer } = await runner.call();
  t.equal(answer.message, `Cannot find module 'no-such-module' on Node.js ${process.version}: Cannot find module 'no-such-module'`);
  await runner.close();
});

test('errors show no path of the host', async (t) => {
  const { answer } = await outcome("const fail = () => { throw new Error('x') }; async function main() { await 1; [1].forEach(fail) }");
  t.ok(/at fail|at main/.test(answer.stack), answer.stack);
  t.notOk(answer.stack.includes(ROOT), 'of the runner');
});

test('the answer of a call that loaded the code says how long that took, and no other does', async (t) => {
  const runner = await started();
  runner.load('function main(req, res) { res.send(1) }');
  const times = [];
  for (const kind of ['check', 'check', 'run', 'run']) {
    const { answer } = await runner.call({ kind });
    times.push(answer.load);
  }
  await runner.close();
  t.ok(times[0] > 0 && times[2] > 0, `each kind is compiled once: ${times}`);
  t.deepEqual([times[1], times[3]], [undefined, undefined]);
});

test('code that does not compile has a load time too', async (t) => {
  const { answer } = await outcome('function main( {');
  t.equal(answer.type, 'error');
  t.ok(answer.load > 0);
});

// together sends calls in one write, each with its body and the number of those behind it.
function together(runner, bodies) {
  runner.send(bodies.map((body, i) => JSON.stringify({
    type: 'invoke', id: `t${i}`, kind: 'run', behind: bodies.length - 1 - i, method: 'PUT', headers: {}, query: {}, body,
  })).join('\n'));
}

test('calls that were sent together are served in order', async (t) => {
  const runner = await started();
  runner.load('function main(req, res) { console.log(req.body); res.send(req.body) }');
  together(runner, [7, 8, 9]);
  for (const [i, body] of [7, 8, 9].entries()) {
    t.equal((await runner.frame()).text, String(body));
    const answer = await runner.frame();
    t.deepEqual([answer.id, answer.type, answer.body], [`t${i}`, 'result', body]);
  }
  await runner.close();
});

test('calls behind one that waits are passed over', async (t) => {
  const runner = await started();
  runner.load('function main(req, res) { if (req.body < 0) setTimeout(() => res.send(req.body), 1); else res.send(req.body) }');
  together(runner, [1, -2, 3, 4]);
  t.equal((await runner.frame()).body, 1);
  t.equal((await runner.frame()).type, 'pending');
  t.equal((await runner.frame()).body, -2);
  const { answer } = await runner.call({ body: 5 });
  t.equal(answer.body, 5, 'the next call that was sent later');
  together(runner, [6, 7]);
  t.equal((await runner.frame()).body, 6);
  t.equal((await runner.frame()).body, 7, 'and none that was sent together again');
  await runner.close();
});

test('calls behind one that ends its worker are not begun', async (t) => {
  const runner = await started();
  runner.load('function main(req, res) { console.log(req.body); setTimeout(() => {}, 1); res.send(req.body) }');
  together(runner, [1, 2]);
  t.equal((await runner.frame()).text, '1');
  t.equal((await runner.frame()).reusable, false);
  const { code } = await runner.ended;
  t.deepEqual([code, runner.lines], [10, []]);
});
