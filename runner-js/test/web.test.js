'use strict';

// What functions with "globals":"web" find, on every version.

const test = require('tape');
const fs = require('fs');
const path = require('path');
const { builtinModules } = require('module');
const { started } = require('./support');
const page = require('./globals_page');
const { TABLE, NEVER, offered } = require('../globals');
const builtins = require('../builtins');

const modern = parseInt(process.versions.node, 10) >= 18;
const WEB = { web: true };

// answers returns the last frames of calls with these bodies in one runner, as long as it is used again.
async function answers(code, bodies, changes, load = WEB) {
  const runner = await started(changes);
  runner.load(code, undefined, undefined, load);
  const frames = [];
  for (const body of bodies) {
    const { answer: frame } = await runner.call({ id: `g${frames.length}`, body });
    frames.push(frame);
    if (!frame.reusable) break;
  }
  await runner.close();
  return frames;
}

async function answer(code, changes, load) {
  const [frame] = await answers(code, [{}], changes, load);
  return frame.type === 'result' ? frame.body : frame;
}

const send = what => `async function main(req, res) { return ${what}; }`;
const NAMES = TABLE.reduce((all, { names }) => all.concat(names), []);
const HERE = offered.reduce((all, { names }) => all.concat(names), []);
const typesOf = names => send(`[${names.map(name => `typeof ${name}`)}]`);
const results = frames => frames.map(({ body, reusable }) => [body, reusable]);

test('docs/globals.md is what the tables say', (t) => {
  t.equal(fs.readFileSync(path.join(__dirname, '../../docs/globals.md'), 'utf8'), page, 'run make docs');
  t.end();
});

test('the names of the table are there, and no others', async (t) => {
  const frames = await answers(typesOf(NAMES.concat(NEVER)), [1, 2, 3]);
  t.deepEqual(frames.map(({ reusable }) => reusable), [false]);
  const found = NAMES.concat(NEVER).filter((name, i) => frames[0].body[i] !== 'undefined');
  t.deepEqual(found, NAMES.filter(name => HERE.includes(name)));
});

test('a worker that was rehearsed serves as many calls as any other', async (t) => {
  const runner = await started();
  runner.load('function main(req, res) { res.send(1); }');
  await runner.call({ id: 'rehearsal' });
  runner.load('function main(req, res) { res.send(typeof process); }', undefined, undefined, WEB);
  const calls = 1100; // everything is compared after the 1,024th
  let served = 0;
  for (let reusable = true; reusable && served < calls; served++) {
    ({ answer: { reusable } } = await runner.call({ id: `w${served}` }));
  }
  t.equal(served, calls);
  await runner.close();
});

test('the output of a function without it says what it would mend', async (t) => {
  const printed = async (code, load) => {
    const runner = await started();
    runner.load(code, undefined, undefined, load);
    const { answer: frame, logs } = await runner.call({ id: 'h' });
    await runner.close();
    return [frame.message, logs];
  };
  const advice = ' is there for functions with "globals":"web" in their PUT';
  t.deepEqual(await printed('require("crypto")', {}), ["Cannot find module 'crypto'", [`error The module crypto${advice}`]]);
  t.deepEqual(await printed('require("node:fs")', {}), ["Cannot find module 'node:fs'", [`error The module fs${advice}`]]);
  t.deepEqual(await printed('function main() { new URL("/") }', {}), ['URL is not defined', [`error URL${advice}`]]);
  t.deepEqual(await printed('require("vm")', {}), ["Cannot find module 'vm'", []]);
  t.deepEqual(await printed('main2()', {}), ['main2 is not defined', []]);
  t.deepEqual(await printed('require("vm")', WEB), ["Cannot find module 'vm'", []]);
  t.deepEqual(await printed('throw null', {}), ['null', []]);
});

test('without it a function finds none of them', async (t) => {
  const types = await answer(`function main(req, res) {
    let fault; try { require('crypto'); } catch (e) { fault = e.message; }
    res.send([${NAMES.map(name => `typeof ${name}`)}, fault]); }`, {}, {});
  t.deepEqual(NAMES.filter((name, i) => types[i] !== 'undefined' && !['fetch', 'globalThis'].includes(name)), []);
  t.equal(types[types.length - 1], "Cannot find module 'crypto'");
});

test('what a call assigns to a name is there for that call alone', async (t) => {
  const code = `function main(req, res) { const before = typeof process.x; process.x = 1; const { performance: p } = global; performance = 5;
    res.send([before, performance, typeof p]); }`;
  t.deepEqual(results(await answers(code, [1, 2])), [[['undefined', 5, 'object'], true], [['undefined', 5, 'object'], true]]);
});

// What gives an object of Node.js, and what does not.
const REACHES = TABLE.filter(({ origin, names }) => origin === 'node' && !names.includes('fetch'))
  .reduce((all, { names }) => all.concat(names), []).filter(name => HERE.includes(name))
  .concat(builtins.PLAIN.filter(name => builtins.offered.has(name)).map(name => `require('node:${name}')`))
  .concat(modern ? ['fetch("data:,").catch(() => {})', '(() => { try { structuredClone(() => {}); } catch (e) { return e; } })()', 'structuredClone(new Blob([]))'] : []);
const OWN = TABLE.filter(({ origin }) => origin === 'realm').reduce((all, { names }) => all.concat(names), [])
  .filter(name => HERE.includes(name)).map(name => `typeof ${name}`)
  .concat(builtins.OWN.concat(builtins.STAND_INS).map(name => `require('${name}')`), modern ? ['structuredClone({ a: [1] })'] : []);

test('a worker with a call that has got an object of Node.js serves no other one', async (t) => {
  const reusableAfter = async (ways) => {
    const found = [];
    await Promise.all([0, 1].map(async (half) => { // two at a time
      for (let i = half; i < ways.length; i += 2) {
        const [frame] = await answers(`function main(req, res) { ${ways[i]}; res.send(1); }`, [1]);
        if (frame.type !== 'result') t.fail(`${ways[i]}: ${frame.text}`);
        if (frame.reusable) found.push(ways[i]);
      }
    }));
    return found.sort();
  };
  t.deepEqual(await reusableAfter(REACHES), []);
  const [frame] = await answers(`function main(req, res) { ${OWN.join('; ')}; setImmediate(() => res.send(1)); }`, [1]);
  t.deepEqual([frame.type, frame.reusable], ['result', true], 'what the realm makes is of the call');
});

test('process is an object of its call, and nothing of the real one is reachable from it', async (t) => {
  const frames = await answers(`function main(req, res) {
    const found = [];
    const known = new Set();
    const look = (value, path) => {
      if (((typeof value !== 'object' || value === null) && typeof value !== 'function') || known.has(value)) return;
      known.add(value);
      const prototype = Reflect.getPrototypeOf(value);
      if (prototype !== null && ![Object.prototype, Function.prototype, Array.prototype].includes(prototype)) found.push(path);
      for (const key of Reflect.ownKeys(value)) {
        const { value: next } = Object.getOwnPropertyDescriptor(value, key);
        if (key !== 'prototype') look(next, path + '.' + String(key));
      }
    };
    look(process, 'process');
    look(process.stdout, 'process.stdout');
    const left = process.env.B || 'none';
    process.env.B = 'left';
    res.send([found, left, process.env.A, process.argv, process.cwd(), String(process), Object.keys(process.versions).includes('node')]);
  }`, [1, 2], { env: { A: 'b' } });
  t.deepEqual(results(frames), Array(2).fill([[[], 'none', 'b', [], '/', '[object process]', true], true]));
});

test('process ticks, prints and fails as a function may', async (t) => {
  const runner = await started();
  runner.load(`function main(req, res) {
    switch (req.body) {
      case 'tick': return process.nextTick(x => res.send(x), 7);
      case 'throw': return process.nextTick(() => { throw new Error('late') });
      case 'micro': return queueMicrotask(() => { throw new NotFound('gone') });
      case 'exit': return process.exit(1);
      default: process.stdout.write('a\\nb\\n'); process.stderr.write('c'); process.on('exit', () => {}).emitWarning('w\\n\\nof two lines'); res.send(1);
    }
  }`, undefined, undefined, WEB);
  t.equal((await runner.call({ body: 'tick' })).answer.body, 7);
  t.equal((await runner.call({ body: 'throw' })).answer.message, 'late');
  t.equal((await runner.call({ body: 'micro' })).answer.status, 404);
  t.equal((await runner.call({ body: 'exit' })).answer.message, 'process.exit is not available in functions');
  t.deepEqual((await runner.call({ body: 'print' })).logs, ['info a', 'info b', 'error Warning: w', 'error of two lines', 'error c']);
  await runner.close();
});

const LATEST = "const { PassThrough, pipeline, promises, Writable } = require('stream');";
const STREAMED = [
  ['a write calls back', "process.stdout.write('x\\n', () => res.send('done'))", 'done', ['info x']],
  ['a write with an encoding calls back', "process.stderr.write('aGk=', 'base64', error => res.send(error))", null, ['error hi']],
  ['a line is put together', "const { stdout } = process; stdout.write('a'); stdout.write(' b\\nc'); process.stderr.write('d'); stdout.write(Buffer.from('e\\n\\n')); stdout.write('f'); res.send(1)", 1, ['info a b', 'info ce', 'info f', 'error d']],
  ['a character is put together', "const bytes = new Uint8Array(Buffer.from('€ü😀')); for (const byte of bytes) process.stdout.write(bytes.constructor.of(byte)); res.send(1)", 1, ['info €ü😀']],
  ['a character that does not end', "process.stdout.write(Buffer.from([65, 0xE2, 0x82])); process.stdout.write('b\\n'); process.stdout.write(Buffer.from([66, 0xC3])); res.send(1)", 1, ['info A\uFFFDb', 'info B\uFFFD']],
  ['it is there in a process that is frozen', "Object.freeze(process).stdout.write('x\\n'); res.send(1)", 1, ['info x']],
  ['what inherits from process has its own', "const own = Object.create(process); own.stdout = 1; process.stdout.write('x\\n'); res.send(own.stdout)", 1, ['info x']],
  ['an encoding that is none', "try { process.stdout.write('x', 'what'); } catch (e) { res.send(e.name.slice(0, 9)) }", 'TypeError', []],
  ['what is no text', "process.stdout.write(7); process.stdout.write(null); process.stdout.write({}); res.send(1)", 1, ['info 7null[object Object]']],
  ['its end calls back and closes nothing', "process.stdout.on('finish', () => process.stdout.write('finish ')).end('end ', () => { process.stdout.write('after'); res.send(process.stdout.writable) })", true, ['info end finish after']],
  ['an error goes to its listener', "process.stdout.once('error', e => res.send(e.code)).pipe()", 'ERR_STREAM_CANNOT_PIPE', []],
  ['an error that a listener throws fails the call', "process.stdout.on('finish', () => { throw new NotFound('gone') }).end()", 'gone', []],
  ['an error in a callback fails the call', "process.stdout.write('', () => { throw new NotFound('gone') })", 'gone', []],
  ['an error without a listener fails the call', "process.stdout.destroy(new NotFound('gone'))", 'gone', []],
  ['listeners are as many as there are', `const { stdout } = process, seen = [], a = x => seen.push('a' + x), b = x => seen.push('b' + x);
    stdout.on('x', a).once('x', b).prependListener('x', b).prependOnceListener('x', a).off('x', b).emit('x', 1);
    stdout.emit('x', 2); seen.push(stdout.listenerCount('x'), stdout.eventNames().length, stdout.listeners('x')[0] === b, stdout.removeAllListeners().emit('x'));
    try { stdout.on('x', 1) } catch (e) { seen.push(e.name) } res.send(seen)`, ['a1', 'b1', 'a1', 'b2', 'a2', 2, 1, true, false, 'TypeError'], []],
  ['no call sees a listener of another', "res.send([process.stdout.listenerCount('x'), typeof process.stdout.left]); process.stdout.left = process.stdout.write; process.stdout.write = 1; process.stdout.on('x', () => {})", [0, 'undefined'], []],
  ['a call may have one of its own', "process.stdout = { write: text => console.log('own ' + text) }; process.stdout.write('x'); res.send(1)", 1, ['info own x']],
].map(([name, code, want, logs]) => ({ name, code, want, logs, reusable: true })).concat([
  ['a stream is piped to it', "const p = new PassThrough(); process.stdout.on('unpipe', () => res.send(1)); p.pipe(process.stdout); p.write('a'); p.end(Buffer.from(' b\\nc'))", 1, ['info a b', 'info c']],
  ['a transport of winston takes it', `const { createLogger, format, transports } = require('winston');
    const logger = createLogger({ format: format.simple(), transports: [new transports.Stream({ stream: process.stdout })] });
    logger.on('finish', () => res.send(1)).info('hello'); logger.end()`, 1, ['info info: hello']],
].concat(modern ? [
  ['a pipeline ends in it', `const first = new PassThrough(), second = new PassThrough();
    pipeline(first, process.stdout, (none) => { pipeline(second, process.stdout, error => res.send([none === undefined, error.message])); second.destroy(new Error('broken')) });
    first.end('a\\n')`, [true, 'broken'], ['info a']],
  ['a pipeline of a generator ends in it', "promises.pipeline(['a', 'b'], process.stdout).then(() => promises.pipeline(['c'], process.stdout)).then(() => res.send(1))", 1, ['info abc']],
  ['a stream of the web leads to it', "const w = Writable.toWeb(process.stdout).getWriter(); w.write('a').then(() => w.close()).then(() => res.send(1))", 1, ['info a']],
] : []).map(([name, code, want, logs]) => ({ name, code, want, logs, reusable: false })));

test('the standard streams are as good as those of Node.js', async (t) => {
  for (const { name, code, want, logs, reusable } of STREAMED) {
    const runner = await started({ modules: ['winston'] });
    runner.load(`${reusable ? '' : LATEST} function main(req, res) { ${code} }`, undefined, undefined, WEB);
    for (const id of reusable ? ['s1', 's2'] : ['s1']) {
      const { answer: frame, logs: found } = await runner.call({ id });
      t.deepEqual([frame.type === 'result' ? frame.body : frame.message, found], [want, logs], name);
      t.equal(frame.reusable, reusable, `${name}: whether its worker serves another call`);
    }
    await runner.close();
  }
});

test('a long line is told in parts, and no character in pieces', async (t) => {
  const runner = await started();
  runner.load(`function main(req, res) {
    const all = Buffer.from('€'.repeat(50000));
    for (let at = 0; at < all.length; at += 65536) process.stdout.write(all.slice(at, at + 65536));
    for (let i = 0; i < 30000; i++) process.stdout.write('.');
    res.send(1);
  }`, undefined, undefined, WEB);
  const { logs } = await runner.call();
  t.equal(logs.map(line => line.slice('info '.length)).join(''), '€'.repeat(50000) + '.'.repeat(30000));
  t.ok(logs.length > 1, `${logs.length} parts`);
  await runner.close();
});

test('a line that is not finished after the answer is of its call', async (t) => {
  const runner = await started({ modules: ['lodash'] });
  runner.load(`const write = require('lodash').template('<% process.stdout.write("of a module") %>');
    function main(req, res) {
      res.send(1);
      if (req.body === 'late') Backstage.waitUntil(new Promise(done => setTimeout(() => { process.stderr.write('late'); write(); done(); }, 1)));
    }`, undefined, undefined, WEB);
  t.equal((await runner.call({ body: 'late' })).answer.late, 1);
  const { logs, done } = await runner.afterwards();
  t.deepEqual([logs, done.reusable], [['info of a module', 'error late'], true]);
  t.deepEqual((await runner.call({ body: 'next' })).logs, []);
  await runner.close();
});

test('immediates and intervals count as work', async (t) => {
  const frames = await answers(`function main(req, res) {
    const seen = [];
    if (req.body === 1) {
      setImmediate((a, b) => { seen.push(a + b); clearInterval(timer); res.send(seen); }, 1, 2);
      const timer = setInterval(() => seen.push('tick'), 1e6);
      clearImmediate(setImmediate(() => seen.push('cleared')));
    } else {
      setImmediate(() => {});
      setInterval(() => {}, 1e6);
      res.send(typeof performance.mark);
    }
  }`, [1, 2]);
  t.deepEqual(results(frames), [[[3], true], ['undefined', false]]);
});

test('timers have their promisified versions', async (t) => {
  const code = `const { promisify } = require('util');
    async function main(req, res) {
      const timers = require('timers');
      const waits = [promisify(setTimeout)(1, 'a'), promisify(setImmediate)('b'), promisify(timers.setTimeout)(1, 'c'), promisify(timers.setImmediate)('d')];
      if (${modern}) { const later = require('timers/promises'); waits.push(later.setTimeout(1, 'e'), later.setImmediate('f')); }
      return Promise.all(waits);
    }`;
  const want = ['a', 'b', 'c', 'd'].concat(modern ? ['e', 'f'] : []);
  t.deepEqual(results(await answers(code, [1])), [[want, false]]);
});

test('the modules of the table are there, also with node:, and no others', async (t) => {
  const names = builtins.PLAIN.concat(builtins.OWN).filter(name => builtins.offered.has(name) || builtins.OWN.includes(name));
  const all = names.concat(names.map(name => `node:${name}`));
  const never = builtins.NETWORK.concat('vm', 'module', 'v8', 'inspector', 'cluster', 'repl',
    'wasi', 'sqlite', 'test', 'node:vm', 'node:test', 'internal/util', '', 'toString', '__proto__');
  const code = `Backstage.modules.own = () => 'own'; Backstage.modules['node:own'] = () => 'own';
    const there = (name) => { try { return Boolean(require(name)); } catch (e) { return false; } };
    function main(req, res) { res.send([${JSON.stringify(all)}.filter(name => !there(name)), ${JSON.stringify(never)}.filter(there), require('node:own')]); }`;
  t.deepEqual(results(await answers(code, [1])), [[[[], [], 'own'], false]]);
});

test('stand-ins load, and what would reach out of the process throws', async (t) => {
  const code = `function main(req, res) {
    const reached = [];
    const look = (object, path) => Object.keys(object).forEach((key) => {
      const value = object[key];
      if (typeof value === 'object' && value !== null) look(value, path + '.' + key);
      if (typeof value !== 'function' || path === 'os' || path === 'diagnostics_channel' || key === 'AsyncResource') return;
      let answer;
      try { answer = value('/etc/passwd', () => {}); if (answer && answer.catch) answer = Boolean(answer.catch(() => {})) && path !== 'fs.promises' && path !== 'fs/promises'; } catch (e) { answer = e.code === 'ERR_ACCESS_DENIED' ? false : e.message; }
      if (answer !== false) reached.push(path + '.' + key);
    });
    const all = ${JSON.stringify(builtins.STAND_INS)}.map(name => [name, require('node:' + name)]);
    all.forEach(([name, module]) => look(module, name));
    const os = require('os');
    class Own extends require('fs').ReadStream {}
    res.send([reached, require('fs').readFile.name, typeof require('fs').promises.readFile, typeof require('fs/promises').readFile, os.hostname(), os.tmpdir(), os.cpus(), typeof Own,
      require('worker_threads').isMainThread, require('fs').x]);
    require('fs').x = 'left';
  }`;
  const promises = modern ? 'function' : 'undefined';
  t.deepEqual(results(await answers(code, [1, 2])), Array(2).fill([[[], 'readFile', promises, promises, 'localhost', '/tmp', [], 'function', true, null], true]));
});

test('classes that libraries extend or compare with are there and do nothing', async (t) => {
  const code = `const { AsyncResource } = require('async_hooks');
    class Own extends AsyncResource { constructor() { super('OWN'); } }
    function main(req, res) {
      const seen = [new Own().runInAsyncScope((a, b) => a + b, null, 1, 2), AsyncResource.bind(() => 4)(), new Own().bind(function () { return this; }, 5)() == 5];
      if (${modern}) {
        const registry = new FinalizationRegistry(() => {});
        registry.register({}, 1);
        const thrown = [() => new MessagePort(), () => new FinalizationRegistry()].map((f) => { try { f(); } catch (e) { return e.name; } });
        seen.push(registry.unregister({}), {} instanceof MessagePort, ...thrown);
      }
      FinalizationRegistry = AsyncResource.left = 1;
      res.send(seen.concat(Object.keys(AsyncResource).length));
    }`.replace('FinalizationRegistry = ', modern ? 'FinalizationRegistry.left = MessagePort.left = ' : '');
  const want = [3, 4, true].concat(modern ? [false, false, 'TypeError', 'TypeError'] : [], [1]);
  t.deepEqual(results(await answers(code, [1, 2])), Array(2).fill([want, true]));
});

test('the module console prints to the output of the call', async (t) => {
  for (const more of [WEB, { web: true, once: true }]) {
    const runner = await started();
    runner.load(`const { log } = require('node:console'); function main(req, res) { log('a' + req.body); require('console').error('b'); res.send(require('console') === console); }`, undefined, undefined, more);
    for (const body of [1, 2]) {
      const { logs, answer: got } = await runner.call({ body });
      t.deepEqual([logs, got.body], [[`info a${body}`, 'error b'], true]);
    }
    await runner.close();
  }
});

test('channels of diagnostics are those of the call', async (t) => {
  const code = `const { channel, hasSubscribers, subscribe, unsubscribe, tracingChannel } = require('node:diagnostics_channel');
    function main(req, res) {
      const seen = [], listen = (message, name) => seen.push(name + message);
      const before = hasSubscribers('a');
      subscribe('a', listen);
      channel('a').publish(1);
      channel('b').publish(2);
      seen.push(channel('a').hasSubscribers, channel('a') === channel('a'), unsubscribe('a', listen), unsubscribe('a', listen));
      channel('a').publish(3);
      const traced = tracingChannel('t');
      res.send([before, seen, traced.traceSync(function (x) { return this.y + x; }, {}, { y: 1 }, 2), traced.start.name, channel('c').runStores(4, x => x, null, 5)]);
    }`;
  const want = [false, ['a1', true, true, true, false], 3, 'tracing:t:start', 5];
  t.deepEqual(results(await answers(code, [1, 2])), Array(2).fill([want, true]));
});

test('what a call adds to the global object is there for it alone, or for later calls of init once', async (t) => {
  const code = `globalThis_ = Function('return this')(); globalThis_.count = (globalThis_.count || 0) + 1; Object.defineProperty(globalThis_, 'hidden', { get() { return 7; }, configurable: true });
    globalThis_[Symbol.for('mark')] = 1; function main(req, res) { count++; res.send([count, hidden, globalThis_[Symbol.for('mark')]]); }`.replace('globalThis_ =', 'const globalThis_ =');
  t.deepEqual(results(await answers(code, [1, 2, 3])), Array(3).fill([[2, 7, 1], true]));
  t.deepEqual(results(await answers(code, [1, 2, 3], {}, { web: true, once: true })), [2, 3, 4].map(count => [[count, 7, 1], true]));
  const [stuck] = await answers(`function main(req, res) { Object.defineProperty(global, 'stuck', { value: 1 }); res.send(1); }`, [1, 2]);
  t.equal(stuck.reusable, false, 'what cannot be taken away ends the worker');
});

test('modules that connect are there with egress', async (t) => {
  const code = `function main(req, res) { res.send(${JSON.stringify(builtins.NETWORK)}.filter((name) => { try { return require('node:' + name); } catch (e) { return false; } })) }`;
  const frames = await answers(code, [1, 2], { egress: { socket: '/tmp/no-such.sock', keepAlive: false } });
  t.deepEqual(results(frames), [[builtins.NETWORK.filter(name => builtinModules.includes(name)), false]]);
});

test('no constructor of them compiles code outside of the realm', async (t) => {
  const ways = HERE.filter(name => !['global', 'globalThis'].includes(name)).concat('require("crypto").createHash', 'require("util").inspect', 'new URL("http://a")');
  const got = await answer(`function main(req, res) {
    const inside = Object.keys(process).length;
    res.send([${ways.map(way => `() => ${way}`)}].map((way) => {
      try {
        return way().constructor.constructor('return typeof Backstage + Object.keys(process).length')() === 'object' + inside;
      } catch (e) {
        return e.name === 'EvalError';
      }
    }));
  }`);
  t.deepEqual(ways.filter((way, i) => !got[i]), []);
});

test('objects of Node.js are instances of the classes of the function', { skip: !modern }, async (t) => {
  t.deepEqual(await answer(`async function main(req, res) {
    const request = new Request('http://a/', { method: 'POST', body: JSON.stringify({ a: [1] }) });
    const digest = await crypto.subtle.digest('SHA-256', new Uint8Array(3));
    const body = await request.json();
    class Own extends Uint8Array {}
    return [body.constructor === Object, Array.isArray(body.a), new TextEncoder().encode('a') instanceof Uint8Array, digest instanceof ArrayBuffer,
      request.text instanceof Function, request.clone instanceof Object, new Response('x').text() instanceof Promise, Buffer.from('x') instanceof Uint8Array,
      Buffer.from('x') instanceof Own, {} instanceof Uint8Array, [] instanceof Promise, Buffer.from('x') instanceof Array];
  }`), [true, true, true, true, true, true, true, true, false, false, false, false]);
});

test('structuredClone gives objects of the realm', { skip: !modern }, async (t) => {
  t.deepEqual(await answer(`function main(req, res) {
    const shared = { at: new Date(5) };
    const from = { list: [shared, shared], map: new Map([['k', new Set([1])]]), bytes: new Uint8Array([1, 2]).subarray(1), error: new TypeError('x'), re: /a/g };
    from.self = from;
    const to = structuredClone(from);
    const refused = [() => {}, Symbol('x')].map((value) => { try { structuredClone(value); return ''; } catch (e) { return e.name; } });
    res.send([to !== from, to.self === to, to.list[0] === to.list[1], to.list[0] !== shared, to.list[0].at.getTime(), to.map.get('k').has(1), Array.from(to.bytes),
      to.error.constructor === TypeError, to.re.flags, Object.getPrototypeOf(to) === Object.prototype, refused]);
  }`), [true, true, true, true, 5, true, [2], true, 'g', true, ['DataCloneError', 'DataCloneError']]);
});

test('a timeout of AbortSignal after the answer is work that is left', { skip: !modern }, async (t) => {
  const [timeout] = await answers('function main(req, res) { AbortSignal.timeout(1e6); res.send(1) }', [1, 2]);
  t.equal(timeout.reusable, false);
});
