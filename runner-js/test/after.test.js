'use strict';

// What a call has begun and left at its answer: what of it goes on, and until when.

const fs = require('fs');
const http = require('http');
const net = require('net');
const os = require('os');
const path = require('path');
const test = require('tape');
const { started } = require('./support');

// target is a server that counts what it is asked for, and the proxy that leads to it. A request of /hold is answered when release is called.
async function target() {
  const seen = [];
  const held = [];
  const open = new Set();
  const server = http.createServer((req, res) => {
    req.on('data', () => {});
    req.on('end', () => {
      seen.push(req.url);
      if (req.url.startsWith('/hold')) held.push(res);
      else res.end('{}');
    });
  });
  await new Promise(resolve => server.listen(0, '127.0.0.1', resolve));
  const dir = fs.mkdtempSync(path.join(os.tmpdir(), 'after-test-'));
  const proxy = net.createServer((socket) => {
    const far = net.connect(server.address().port, '127.0.0.1');
    [socket, far].forEach(one => open.add(one) && one.on('error', () => {}).on('close', () => open.delete(one)));
    socket.once('data', () => {
      socket.write('200 192.0.2.1\n');
      socket.pipe(far).pipe(socket);
    });
    socket.on('close', () => far.destroy());
  });
  const socket = path.join(dir, 'socket');
  await new Promise(resolve => proxy.listen(socket, resolve));
  return {
    seen,
    url: 'http://name.example',
    asked: async (n) => { while (seen.length < n) await new Promise(resolve => setImmediate(resolve)); },
    start: () => started({ modules, egress: { socket, keepAlive: false } }),
    release() { while (held.length > 0) held.pop().end('{}'); },
    async close() {
      open.forEach(one => one.destroy());
      await Promise.all([server, proxy].map(one => new Promise(resolve => one.close(resolve))));
      fs.rmdirSync(dir);
    },
  };
}

const modules = ['request', 'node-fetch', 'lodash'];

// Each way is a request that is not awaited.
const ways = [
  ['request.post', "require('request').post({ url: req.body + '/a', json: { a: 1 } })"],
  ['request with a callback', "require('request')(req.body + '/a', () => {})"],
  ['node-fetch', "require('node-fetch')(req.body + '/a').then(r => r.text())"],
  ['node-fetch, unread', "require('node-fetch')(req.body + '/a')"],
];
if (typeof fetch === 'function') ways.push(['fetch', "fetch(req.body + '/a').then(r => r.text())"], ['fetch, unread', "fetch(req.body + '/a')"]);

test('a request that is not awaited reaches its target, and the worker serves the next call', async (t) => {
  const server = await target();
  for (const [name, way] of ways) {
    let runner = null; // serves the next kind too, if it is reusable
    for (const [when, code] of [
      ['before the answer', `function main(req, res) { ${way}; res.send(1) }`],
      ['after it', `function main(req, res) { res.send(1); ${way} }`],
      ['of an async main', `async function main(req, res) { await null; ${way}; return 1 }`],
      ['of a main that has waited', `async function main(req, res) { await new Promise(r => setTimeout(r, 1)); ${way}; return 1 }`],
    ]) {
      runner = runner || await server.start();
      runner.load(code);
      let reusable = false;
      for (let i = 0; i < 5; i++) {
        reusable = false;
        server.seen.length = 0;
        const { answer } = await runner.call({ body: server.url });
        t.deepEqual([answer.type, answer.status, answer.body, answer.reusable, answer.late >= 1], ['result', 200, 1, false, true], `${name}, ${when}`);
        if (!answer.late) break;
        const { done } = await runner.afterwards();
        t.deepEqual([done.cut, server.seen], [undefined, ['/a']], `${name}, ${when}: call ${i}`);
        if (name.startsWith('fetch')) break; // which is never used again: what Node.js has made for it stays
        reusable = done.reusable;
        t.ok(reusable, 'and is as before');
      }
      if (reusable) continue;
      await runner.close();
      runner = null;
    }
    if (runner !== null) await runner.close();
  }
  await server.close();
});

test('what a request goes on to do is done too', async (t) => {
  const server = await target();
  const runner = await server.start();
  runner.load(`
    const get = (url) => new Promise((done, fail) => require('request')(url, (e, r, body) => e ? fail(e) : done(body)));
    const work = async (url) => {
      await get(url + '/1'); console.log('one'); await get(url + '/2');
      await new Promise(r => setTimeout(r, 60000)).then(() => console.log('never'));
    };
    function main(req, res) { work(req.body); res.send(1) }`);
  await runner.call({ body: server.url });
  const { logs, done } = await runner.afterwards();
  t.deepEqual([server.seen, logs, done.cut, done.reusable], [['/1', '/2'], ['info one'], 1, false], 'timers alone hold nothing');
  t.equal((await runner.ended).code, 10);
  await server.close();
});

test('waitUntil holds the worker, whatever the promise waits for', async (t) => {
  const server = await target();
  const runner = await server.start();
  runner.load(`
    const sleep = ms => new Promise(r => setTimeout(r, ms));
    async function work(url) { await sleep(20); await require('node-fetch')(url + '/1').then(r => r.text()); await sleep(20); console.log('done') }
    function main(req, res) { Backstage.waitUntil(work(req.body)); res.send(Object.keys(Backstage)) }`);
  for (let i = 0; i < 3; i++) {
    const { answer } = await runner.call({ body: server.url });
    t.deepEqual([answer.body.includes('waitUntil'), answer.late >= 1], [false, true]);
    const { logs, done } = await runner.afterwards();
    t.deepEqual([logs, done.reusable, server.seen.length], [['info done'], true, i + 1]);
  }
  await runner.close();
  await server.close();
});

test('waitUntil of anything', async (t) => {
  for (const [name, code, late, said] of [
    ['a value', 'Backstage.waitUntil(1)', undefined, []],
    ['nothing', 'Backstage.waitUntil()', undefined, []],
    ['a promise that is settled', 'Backstage.waitUntil(Promise.resolve())', undefined, []],
    ['a thenable', 'Backstage.waitUntil({ then(f) { setTimeout(f, 5) } })', 1, []],
    ['one that is rejected later', "Backstage.waitUntil(new Promise((_, no) => setTimeout(() => no(new Error('x')), 5)))", 1, ['error Unhandled rejection: Error: x']],
  ]) {
    const runner = await started();
    runner.load(`function main(req, res) { ${code}; res.send(1) }`);
    const { answer } = await runner.call();
    t.deepEqual([answer.body, answer.late], [1, late], name);
    if (late) {
      const { logs, done } = await runner.afterwards();
      t.deepEqual([logs.map(line => line.split('\n')[0]).slice(0, 1), done.reusable], [said, true], name);
    }
    await runner.close();
  }
});

test('a promise that nothing can settle holds nothing', async (t) => {
  const runner = await started();
  runner.load('function main(req, res) { Backstage.waitUntil(new Promise(() => {})); res.send(1) }');
  const { answer } = await runner.call();
  t.deepEqual([answer.reusable, answer.cut, answer.late], [false, 1, undefined]);
  t.equal((await runner.ended).code, 10);
});

test('timers alone are cut with the answer, and counted', async (t) => {
  for (const [name, code, count] of [
    ['two', 'setTimeout(() => {}, 10); setTimeout(() => {}, 20)', 2],
    ['of a module', "require('lodash').delay(() => {}, 10)", 1],
    ['one that nothing waits for', 'setTimeout(() => {}, 10).unref()', 1],
  ]) {
    const runner = await started({ modules });
    runner.load(`function main(req, res) { ${code}; res.send(1) }`);
    const { answer } = await runner.call();
    t.deepEqual([answer.reusable, answer.cut, answer.late], [false, count, undefined], name);
    t.equal((await runner.ended).code, 10);
  }
});

test('an immediate of a module runs in its own call', async (t) => {
  const runner = await started({ modules: ['async'] });
  runner.load("function main(req, res) { if (req.body) require('async').setImmediate(() => console.log(Backstage.request.body)); res.send(1) }");
  t.equal((await runner.call({ body: 'one' })).answer.late, 1);
  runner.send({ type: 'invoke', id: 'second', kind: 'run', method: 'GET', headers: {}, query: {} });
  const { logs, done } = await runner.afterwards();
  t.deepEqual([logs, done.reusable], [['info one'], true]);
  t.equal((await runner.frame()).id, 'second');
  await runner.close();
});

test('a call that is to be cut is', async (t) => {
  const server = await target();
  const runner = await server.start();
  runner.load("function main(req, res) { require('node-fetch')(req.body + '/hold'); res.send(1) }");
  const { answer } = await runner.call({ body: server.url, cut: true });
  t.deepEqual([answer.reusable, answer.cut, answer.late], [false, 1, undefined]);
  t.equal((await runner.ended).code, 10);
  await server.close();
});

test('the host is told when less is left', async (t) => {
  const server = await target();
  const runner = await server.start();
  runner.load("function main(req, res) { ['/hold', '/hold', '/a'].forEach(p => require('node-fetch')(req.body + p).then(r => r.text())); res.send(1) }");
  const { answer } = await runner.call({ body: server.url });
  t.equal(answer.late, 3);
  t.deepEqual(await runner.frame(), { type: 'late', id: 'g1', late: 2 });
  server.release();
  t.equal((await runner.afterwards()).done.reusable, true);
  await runner.close();
  await server.close();
});

test('what goes wrong after the answer is a line', async (t) => {
  const server = await target();
  const runner = await server.start();
  runner.load(`function main(req, res) {
    require('request')(req.body + '/a', () => { throw new Error('callback') });
    require('node-fetch')(req.body + '/a').then(() => { throw new Error('promise') });
    require('request')(req.body + '/a', () => { setTimeout(() => { throw new Error('timer') }, 1); require('request')(req.body + '/hold', () => {}) });
    res.send(1); }`);
  const { answer } = await runner.call({ body: server.url });
  await server.asked(4);
  const said = [];
  while (!said.some(text => /timer/.test(text))) {
    const { type, text } = await runner.frame();
    if (type === 'log') said.push(text);
  }
  server.release();
  const { done } = await runner.afterwards();
  for (const what of ['Uncaught after the answer: Error: callback', 'Unhandled rejection: Error: promise', 'Uncaught after the answer: Error: timer']) {
    t.ok(said.includes(what), what);
  }
  t.deepEqual([answer.body, done.reusable], [1, true]);
  await runner.close();
  await server.close();
});

test('a late call sees nothing of the next one, and the next one nothing of it', async (t) => {
  const server = await target();
  const runner = await server.start();
  runner.load(`function main(req, res) {
    const { url, mark } = req.body;
    if (url) require('node-fetch')(url + '/hold').then(r => r.text()).then(() => { console.log(mark, Backstage.request.body.mark); res.send('late') });
    res.send(mark); }`);
  await runner.call({ id: 'first', body: { url: server.url, mark: 'a' } });
  runner.send({ type: 'invoke', id: 'second', kind: 'run', method: 'PUT', headers: {}, query: {}, body: { mark: 'b' } });
  await server.asked(1);
  server.release();
  const { logs, done } = await runner.afterwards('first');
  t.deepEqual([logs, done.reusable], [['info a a'], true]);
  t.deepEqual(await runner.frame(), { type: 'result', id: 'second', reusable: true, status: 200, headers: [], body: 'b' });
  await runner.close();
  await server.close();
});

test('calls behind one that goes on are passed over', async (t) => {
  const server = await target();
  const runner = await server.start();
  runner.load("function main(req, res) { if (req.body) require('node-fetch')(req.body + '/a').then(r => r.text()); res.send(1) }");
  const call = (id, behind, body) => `${JSON.stringify(Object.assign({ type: 'invoke', id, kind: 'run' }, behind && { behind }, { method: 'PUT', headers: {}, query: {}, body }))}`;
  runner.send([call('a', 2, ''), call('b', 1, server.url), call('c', 0, '')].join('\n'));
  const next = async () => { for (;;) { const frame = await runner.frame(); if (frame.type !== 'log') return frame; } }; // what Node.js warns of aside
  t.equal((await next()).id, 'a');
  const answer = await next();
  t.deepEqual([answer.id, answer.late], ['b', 1]);
  t.equal((await runner.afterwards('b')).done.reusable, true);
  t.equal((await runner.call({ id: 'd', body: '' })).answer.body, 1, 'c is not served here');
  await runner.close();
  await server.close();
});

test('a call that has changed what others share ends its worker when it is through', async (t) => {
  const server = await target();
  const runner = await server.start();
  runner.load("function main(req, res) { Array.prototype.last = 1; require('node-fetch')(req.body + '/a').then(r => r.text()); res.send(1) }");
  t.equal((await runner.call({ body: server.url })).answer.late, 1);
  const { done } = await runner.afterwards();
  t.deepEqual(done, { type: 'done', id: 'g1', reusable: false });
  t.equal((await runner.ended).code, 10);
  await server.close();
});
