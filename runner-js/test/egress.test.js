'use strict';

// What the runner says to the proxy and makes of its answers; internal/egress has the other half of these tests.

const childProcess = require('child_process');
const fs = require('fs');
const net = require('net');
const os = require('os');
const path = require('path');
const test = require('tape');
const { Runner } = require('./support');

const NET = "const net = require('net');";
const TELL = 'const tell = e => ({ code: e.code, syscall: e.syscall, address: e.address, port: e.port, host: e.hostname, reason: e.reason });';

// fetched runs a function on a runner whose proxy answers as `answer(socket, request)` does, and resolves to the function's answer and what
// the proxy was told. request is the first that came on the connection.
async function fetched(code, answer, { outgoing, keepAlive } = {}) {
  const dir = fs.mkdtempSync(path.join(os.tmpdir(), 'egress-test-'));
  const told = [];
  const proxy = net.createServer((socket) => {
    socket.setEncoding('latin1');
    socket.on('error', () => {});
    socket.once('data', (text) => {
      told.push(text);
      answer(socket, text);
    });
  });
  const socket = path.join(dir, 'socket');
  await new Promise(resolve => proxy.listen(socket, resolve));
  const runner = new Runner({ modules: ['net', 'tls', 'http', 'dns'], egress: { socket, keepAlive: keepAlive === true } });
  await runner.frame();
  runner.load(code);
  runner.send({ type: 'invoke', id: '1', kind: 'run', method: 'GET', headers: {}, query: {}, outgoing });
  let frame = await runner.frame();
  while (frame.type === 'pending') frame = await runner.frame();
  await runner.close();
  await new Promise(resolve => proxy.close(resolve));
  fs.rmdirSync(dir);
  return { frame, told };
}

const read = `${NET} function main(req, res) {
  const seen = [];
  const s = net.connect(80, 'name.example');
  ['lookup', 'connect', 'end'].forEach(name => s.on(name, () => seen.push(name)));
  s.on('data', d => seen.push(String(d)));
  s.on('close', () => res.send([seen, s.remoteAddress === undefined]));
}`;

test('an answer may come in pieces, and bytes with it', async (t) => {
  for (const pieces of [['200 192.0.2.1\nearly'], ['2', '00 192.0.2.1', '\n', 'early'], ['200 192.0.2.1\ne', 'arly']]) {
    const { frame, told } = await fetched(read, (socket) => {
      pieces.forEach((piece, i) => setTimeout(() => socket[i === pieces.length - 1 ? 'end' : 'write'](piece), 20 * i));
    });
    t.deepEqual(told, ['CONNECT name.example:80\n'], 'one line, and nothing before the answer');
    const [seen] = frame.body;
    t.deepEqual([seen.slice(0, 2), seen.slice(2, -1).join(''), seen.slice(-1)], [['lookup', 'connect'], 'early', ['end']], pieces.join('|'));
  }
});

test('a line before the answer says that it takes longer', async (t) => {
  for (const pieces of [['102 waiting\n', '200 192.0.2.1\nearly'], ['102 wai', 'ting\n200 192', '.0.2.1\nearly'], ['102 waiting\n200 192.0.2.1\nearly']]) {
    const { frame } = await fetched(read, (socket) => {
      pieces.forEach((piece, i) => setTimeout(() => socket[i === pieces.length - 1 ? 'end' : 'write'](piece), 20 * i));
    });
    t.deepEqual(frame.body[0], ['lookup', 'connect', 'early', 'end'], pieces.join('|'));
  }
  const code = "const tls = require('tls'); function main(req, res) { tls.connect(443, 'name.example').on('error', e => res.send(e.code)) }";
  const { told } = await fetched(code, (socket, text) => socket.end(text.startsWith('RESERVE') ? '102 waiting\n200 192.0.2.1 the-ticket\n' : ''));
  t.ok(told[1].startsWith('ATTACH the-ticket\n'), 'TLS has its ticket');
});

test('a socket that is paused stays so', async (t) => {
  const code = `${NET} function main(req, res) {
    let resumed = false;
    const s = net.connect(80, '::1').pause();
    s.on('data', d => res.send([resumed, String(d)]));
    s.on('connect', () => setTimeout(() => { resumed = true; s.resume() }, 50));
    s.on('end', () => s.destroy());
  }`;
  const { frame, told } = await fetched(code, socket => socket.write('200 ::1\n', () => setTimeout(() => socket.end('late'), 10)));
  t.deepEqual(told, ['CONNECT [::1]:80\n']);
  t.deepEqual(frame.body, [true, 'late']);
});

test('what a record says is no sign of its kind', async (t) => {
  const code = "function main(req, res) { require('dns').resolveMx('a.example', (error, found) => res.send(error ? error.code : found)) }";
  const record = { exchange: 'mail.example', priority: 1, certUsage: 'x' };
  const { frame, told } = await fetched(code, socket => socket.end(`200 ${JSON.stringify([record])}\n`));
  t.deepEqual(told, ['RESOLVE MX/a.example\n']);
  t.deepEqual(Object.assign({}, frame.body[0], { type: undefined }), Object.assign({}, record, { type: undefined }));
});

test('a refusal is an error of Node.js', async (t) => {
  const code = `${NET} ${TELL} function main(req, res) { net.connect(80, 'name.example').on('error', e => res.send(tell(e))) }`;
  for (const [line, want] of [
    ['403 EGRESS_DENIED private 10.0.0.1\n', { code: 'EGRESS_DENIED', syscall: 'connect', address: '10.0.0.1', port: 80, reason: 'private' }],
    ['403 EGRESS_DENIED limit -\n', { code: 'EGRESS_DENIED', syscall: 'connect', address: 'name.example', port: 80, reason: 'limit' }],
    ['502 ECONNREFUSED - 192.0.2.1\n', { code: 'ECONNREFUSED', syscall: 'connect', address: '192.0.2.1', port: 80 }],
    ['502 ENOTFOUND - -\n', { code: 'ENOTFOUND', syscall: 'getaddrinfo', host: 'name.example' }],
    ['', { code: 'ECONNREFUSED', syscall: 'connect', address: 'name.example', port: 80 }],
  ]) {
    const { frame } = await fetched(code, socket => socket.end(line));
    if (want.syscall === 'getaddrinfo') delete frame.body.port; // Node.js 8 names it
    t.deepEqual(frame.body, want, line);
  }
});

test('a refusal of a lookup says why', async (t) => {
  const ways = ["'lookup', 'a.example'", "'lookup', 'a.example', { all: true }", "'resolve', 'a.example', 'MX'", "'resolve4', 'a.example'",
    "'resolveSrv', 'a.example'", "'reverse', '192.0.2.1'", "'lookupService', '192.0.2.1', 80"];
  for (const way of ways) {
    for (const [line, want] of [
      ['403 EGRESS_DENIED off -\n', ['EGRESS_DENIED', 'off']], ['502 ENOTFOUND - -\n', ['ENOTFOUND']],
    ]) {
      const code = `const dns = require('dns'), tell = e => [e.code, 'reason' in e ? e.reason : undefined].filter(Boolean);
        const ask = (name, ...args) => new Promise(done => dns[name](...args, e => done(tell(e))));
        const promised = (name, ...args) => (dns.promises && dns.promises[name] ? dns.promises[name](...args).catch(tell) : null);
        function main(req, res) { return Promise.all([ask(${way}), promised(${way})]) }`;
      const { frame: { body } } = await fetched(code, socket => socket.end(line));
      t.deepEqual(body, [want, body[1] && want], `${way} ${line}`);
    }
  }
});

test('TLS gets a ticket and then a connection of its own', async (t) => {
  const code = "const tls = require('tls'); function main(req, res) { tls.connect(443, 'name.example').on('error', e => res.send(e.code)) }";
  const { frame, told } = await fetched(code, (socket, text) => socket.end(text.startsWith('RESERVE') ? '200 192.0.2.1 the-ticket\n' : ''));
  t.equal(frame.body, 'ECONNRESET');
  t.equal(told[0], 'RESERVE name.example:443\n');
  t.ok(/^ATTACH the-ticket\n(\x16|$)/.test(told[1]), 'and TLS comes after the ticket'); // eslint-disable-line no-control-regex
  t.equal(told.length, 2);
});

test('requests carry the headers of their call, and the worker stays usable', async (t) => {
  const code = `function main(req, res) {
    require('http').get({ host: 'name.example', headers: { b3: 'own' } }, r => { let body = ''; r.on('data', d => { body += d }); r.on('end', () => res.send(body)) });
  }`;
  for (const keepAlive of [false, true]) {
    let request = '';
    const { frame } = await fetched(code, (socket) => {
      socket.on('data', (text) => {
        request += text;
        socket.write('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi');
      });
      socket.write('200 192.0.2.1\n');
    }, { outgoing: { traceparent: '00-1', b3: 'other' }, keepAlive });
    t.deepEqual([frame.body, frame.reusable], ['hi', true]);
    t.ok(/\r\ntraceparent: 00-1\r\n/.test(request) && /\r\nb3: own\r\n/.test(request), request);
  }
});

// What a call has hidden from the runner.
function hidden() {
  const { Socket } = require('net');
  const live = require('./egress/live');
  let looked = 0;
  const look = { get() { looked += 1; return null; } };
  for (const hide of [socket => socket.emit('close'), socket => socket.removeAllListeners('close')]) {
    const socket = new Socket();
    live.begun(socket);
    live.waits(socket);
    hide(socket);
    Object.defineProperty(socket, 'destroyed', look);
    Object.defineProperty(socket, '_httpMessage', look);
    live.forget();
    live.closeIdle();
  }
  require('./pending').later(() => process.exit(looked)); // after those who wait got room
}

test('what a call does to its sockets runs in no later call', (t) => {
  const options = { cwd: path.join(__dirname, '..') };
  childProcess.execFile(process.execPath, ['--expose-internals', '-e', `(${hidden})()`], options, (error) => {
    t.error(error, 'nothing of it was looked at');
    t.end();
  });
});
