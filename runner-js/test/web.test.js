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
  t.deepEqual((await runner.call({ body: 'print' })).logs, ['info a', 'info b', 'error c', 'error Warning: w', 'error of two lines']);
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
