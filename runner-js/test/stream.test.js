'use strict';

// Answers that are bytes, and answers that are streamed.

const test = require('tape');
const { started, inTurn } = require('./support');

const outcome = inTurn(test);

const modern = Number(process.versions.node.split('.')[0]) >= 18;

// answered returns the answer of code: its status, headers and bytes as text, or its error.
async function answered(code, changes) {
  const got = await outcome(code, { http: {} }, changes);
  const { answer } = got;
  if (answer.type === 'error') return { status: answer.status, message: answer.message, began: got.head !== null };
  if (answer.type === 'end') return streamOf(got);
  const bytes = answer.bytes === undefined ? answer.body : Buffer.from(answer.bytes, 'base64').toString('latin1');
  return { type: answer.type, status: answer.status, headers: answer.headers, bytes };
}

function streamOf({ head, chunks, answer, lines }) {
  const types = lines.map(line => JSON.parse(line).type).filter(type => type !== 'log');
  const bytes = Buffer.concat(chunks).toString('latin1');
  const ordered = types[0] === 'pending' && types[1] === 'head' && types[types.length - 1] === 'end';
  return { type: 'stream', status: head.status, headers: head.headers, bytes, ordered, reusable: answer.reusable };
}

const result = (bytes, headers = [], status = 200) => ({ type: 'result', status, headers, bytes });
const stream = (bytes, headers = [], status = 200) => ({
  type: 'stream', status, headers, bytes, ordered: true, reusable: true,
});
const main = text => `function main(req, res) { ${text} }`;

const TEXT = ['Content-Type', 'text/plain; charset=utf-8'];

test('an answer of bytes goes out as it is', async (t) => {
  for (const [name, text, want] of [
    ['text', 'res.end("é")', result('Ã©', [TEXT])],
    ['text of a type', 'res.set("content-type", "text/css").end("a")', result('a', [['content-type', 'text/css']])],
    ['text of a type that is undefined', 'res.set("content-type", undefined).end("a")', result('a', [TEXT])],
    ['empty text', 'res.end("")', result('')],
    ['nothing', 'res.end()', result('')],
    ['null', 'res.end(null)', result('')],
    ['a Buffer', 'res.end(Buffer.from([0, 10, 255]))', result('\0\n\xff')],
    ['an array of bytes', 'res.end(new Uint8Array([1, 2]))', result('\x01\x02')],
    ['an ArrayBuffer', 'res.end(new Uint8Array([1, 2]).buffer)', result('\x01\x02')],
    ['another array', 'res.end(new Uint16Array([258]))', result('\x02\x01')],
    ['part of a buffer', 'res.end(new Uint8Array(new Uint8Array([1, 2, 3]).buffer, 1, 1))', result('\x02')],
    ['what is changed afterwards', 'const b = Buffer.from("a"); res.set("a", "1").end(b); b[0] = 98; res.set("a", "2")',
      result('a', [['a', '1']])],
    ['a length that lies', 'const b = Buffer.from("ab"); Object.defineProperty(b, "length", { value: 9 }); res.end(b)',
      result('ab')],
    ['the first one', 'res.status(201).end("a"); res.end("b"); res.send(1)', result('a', [TEXT], 201)],
    ['after send', 'res.send(1); res.end("b")', result(1)],
    ['no bytes', 'res.end({ a: 1 })', { status: 0, began: false,
      message: 'res.end and res.write take text, a Buffer or another typed array; res.end takes a stream too' }],
    ['a bad header', 'res.set("a b", "1").end("a")', { status: 0, began: false,
      message: 'Header name must be a valid HTTP Token ["a b"]' }],
    ['json', 'res.json({ a: 1 })', result({ a: 1 }, [['Content-Type', 'application/json; charset=utf-8']])],
    ['json of a type', 'res.set("content-type", "a/b").json(1)', result(1, [['content-type', 'a/b']])],
    ['a type', 'res.set("content-type", "a/b").type("html").end("<p>")',
      result('<p>', [['Content-Type', 'text/html; charset=utf-8']])],
    ['a type as it is', 'res.type("a/b").end()', result('', [['Content-Type', 'a/b']])],
    ['an unknown type', 'res.type(".x").end()', result('', [['Content-Type', 'application/octet-stream']])],
    ['a redirect', 'res.redirect("/é b\\r\\nx: y?q=%20")',
      result('', [['Location', '/%C3%A9%20b%0D%0Ax:%20y?q=%20']], 302)],
    ['a redirect with a status', 'res.redirect(308, "https://a.example/")',
      result('', [['Location', 'https://a.example/']], 308)],
    ['several headers', 'res.set({ a: 1, b: ["2", "3"] }).end()', result('', [['a', '1'], ['b', '2'], ['b', '3']])],
    ['cookies',
      'res.cookie("a", "x y", { httpOnly: true, sameSite: "lax", secure: true }).cookie("b", 1, { path: "/p" }).end()',
      result('', [['Set-Cookie', 'a=x%20y; Path=/; HttpOnly; Secure; SameSite=Lax'], ['Set-Cookie', 'b=1; Path=/p']])],
    ['a cookie that is removed', 'res.set("set-cookie", "z=1").clearCookie("a", { domain: "a.example" }).end()',
      result('', [
      ['Set-Cookie', 'z=1'], ['Set-Cookie', 'a=; Domain=a.example; Path=/; Expires=Thu, 01 Jan 1970 00:00:00 GMT']])],
    ['a cookie with a bad name', 'res.cookie("a b", 1)', { status: 0, began: false,
      message: 'The name of a cookie must be a token ["a b"]' }],
    ['a cookie with a bad path', 'res.cookie("a", 1, { path: "/;x" })', { status: 0, began: false,
      message: 'Path of a cookie has a bad value ["/;x"]' }],
  ]) {
    t.deepEqual(await answered(main(text)), want, name);
  }
});

test('an answer of too many bytes is told', async (t) => {
  const { answer } = await outcome(main('res.end(Buffer.alloc(60000))'), { http: {} }, { maxAnswer: 65536 });
  t.equal(answer.type, 'oversize');
});

test('an answer is streamed', async (t) => {
  const wait = 'new Promise(done => setTimeout(done, 1))';
  for (const [name, code, want] of [
    ['pieces',
      main('res.status(201).set("a", "1"); res.write("é"); res.set("a", "2"); res.write(Buffer.from("b")); res.end("c")'),
      stream('Ã©bc', [['a', '1']], 201)],
    ['no pieces', main('res.flush(); res.end()'), stream('')],
    ['empty pieces', main('res.write(""); res.write(Buffer.alloc(0)); res.end("")'), stream('')],
    ['later pieces', main('res.write("a"); setTimeout(() => { res.write("b"); res.end("c"); }, 1)'), stream('abc')],
    ['an async main', `async function main(req, res) { res.write("a"); await ${wait}; res.write("b") }`, stream('ab')],
    ['an iterator', main('res.end(["a", new Uint8Array([98]), "", "c"])'), stream('abc')],
    ['a generator', `function* pieces() { yield "a"; yield ${wait}.then(() => "b"); } ${main('res.end(pieces())')}`,
      stream('ab')],
    ['pieces and an iterator', main('res.write("a"); res.end(["b"])'), stream('ab')],
    ['a stream of Node.js', `const { PassThrough } = require('stream'); ${main(`
      const s = new PassThrough(); res.type('text').end(s); s.write('a'); setTimeout(() => s.end('b'), 1);`)}`,
    stream('ab', [['Content-Type', 'text/plain; charset=utf-8']])],
    ['an iterator of promises',
      `const it = { [Symbol.asyncIterator || 'x']() { return this }, [Symbol.iterator]() { return this },
      n: 0, next() { return this.n++ < 3 ? { done: false, value: Promise.resolve('x') } : { done: true } } };
      delete it[Symbol.asyncIterator || 'x']; ${main('res.end(it)')}`, stream('xxx')],
    ['what is answered twice', main('res.write("a"); res.end("b"); res.end("c"); res.badRequest("d")'), stream('ab')],
  ].concat(modern ? [
    ['an async generator',
      `async function* pieces() { yield 'a'; await ${wait}; yield 'b'; } ${main('res.end(pieces())')}`, stream('ab')],
  ] : [])) {
    t.deepEqual(await answered(code, { modules: ['stream'] }), want, name);
  }
});

test('what goes wrong in a stream', async (t) => {
  const error = (message, began, status = 0) => ({ status, message, began });
  for (const [name, code, want] of [
    ['before anything is out', main('res.write("a"); throw new BadRequest("no")'), error('no', false, 400)],
    ['after the head', main('res.write("a"); setTimeout(() => { throw new Error("no") }, 1)'), error('no', true)],
    ['badRequest after the head', main('res.write("a"); setTimeout(() => res.badRequest("no"), 1)'),
      error('no', true, 400)],
    ['in an async main',
      'async function main(req, res) { res.write("a"); await new Promise(r => setTimeout(r, 1)); throw 1 }',
      error('1', true)],
    ['in a generator', `function* pieces() { yield 'a'; throw new Error('no') } ${main('res.end(pieces())')}`,
      error('no', true)],
    ['a piece of a source', main('res.end(["a", 1])'),
      error('res.end and res.write take text, a Buffer or another typed array; res.end takes a stream too', true)],
    ['a stream that fails', `const { PassThrough } = require('stream'); ${main(`
      const s = new PassThrough(); res.end(s); setTimeout(() => s.emit('error', new Error('no')), 1)`)}`,
        error('no', true)],
    ['a bad header', main('res.set("a b", 1); res.write("a")'),
      error('Header name must be a valid HTTP Token ["a b"]', false)],
    ['send after write', main('res.write("a"); res.send(1)'),
      error('The answer is a stream already: go on with res.write and res.end', false)],
    ['write after the end',
      main('res.write("a"); res.end(); try { res.write("b") } catch (e) { console.log(e.message) }'),
      stream('a')],
    ['a long error', main('res.write("a"); setTimeout(() => { throw new Error("x".repeat(70000)) }, 1)'),
      error('The error is too long to be sent', true)],
  ]) {
    t.deepEqual(await answered(code, { modules: ['stream'], maxAnswer: 65536 }), want, name);
  }
});

test('what is written before main has returned has a bound', async (t) => {
  const got = await answered(main('for (;;) res.write(Buffer.alloc(1000))'), { maxAnswer: 65536 });
  t.ok(/^main has written more than 65536 bytes before it has returned or waited: await a timer or I\/O/.test(got.message), got.message);
  t.equal(got.began, false);
});

test('a piece goes out at once, in chunks that a pipe holds', async (t) => {
  const runner = await started();
  runner.load(`async function main(req, res) {
    res.write('first');
    await new Promise(done => setTimeout(done, 1));
    const bytes = Buffer.alloc(1e6);
    for (let i = 0; i < bytes.length; i++) bytes[i] = i * 7 >> 3;
    res.end(bytes);
    bytes.fill(0);
  }`);
  const { chunks, answer } = await runner.call({ http: {} });
  await runner.close();
  t.equal(chunks[0].toString(), 'first');
  const want = Buffer.alloc(1e6);
  for (let i = 0; i < want.length; i++) want[i] = i * 7 >> 3;
  t.ok(Buffer.concat(chunks.slice(1)).equals(want), 'every byte');
  t.ok(chunks.every(({ length }) => length > 0 && length < 65536), 'no chunk is too long');
  t.equal(answer.type, 'end');
});

test('an endless source does not keep main from returning, nor the call from failing', async (t) => {
  const runner = await started();
  runner.load(`function* pieces() { for (let i = 0; ; i++) { if (i === 100) Promise.resolve().then(() => failed = true); yield 'x' } }
    let failed = false;
    function main(req, res) { res.end(pieces()); setTimeout(() => { throw new Error('enough') }, 5) }`);
  const { pending, head, answer } = await runner.call({ http: {} });
  await runner.close();
  t.deepEqual([pending, head !== null, answer.type, answer.message], [true, true, 'error', 'enough']);
});

test('a response of an earlier call writes nothing into a later one', async (t) => {
  const runner = await started({ modules: ['events'] });
  runner.load(`const events = require('events');
    function main(req, res) {
      if (events.kept === undefined) {
        Object.defineProperty(events, 'kept', { value: res, writable: true });
        res.end('first');
        return;
      }
      const attempt = (name) => {
        try { events.kept[name]('stale'); return 'sent' } catch (e) { return e.message }
      };
      res.end(['write', 'end', 'flush', 'send'].map(attempt).join());
    }`);
  const texts = [];
  for (const id of ['g1', 'g2']) {
    const { answer } = await runner.call({ id, http: {} });
    texts.push(Buffer.from(answer.bytes, 'base64').toString());
  }
  await runner.close();
  t.deepEqual(texts, ['first', Array(4).fill('not the response of this call').join()]);
});

test('calls after a stream are answered as before', async (t) => {
  const runner = await started();
  runner.load(`function main(req, res) { if (req.body.stream) { res.write('a'); res.end('b') } else res.send(req.body) }`);
  for (const [id, streams] of [['g1', true], ['g2', false], ['g3', true], ['g4', false]]) {
    const { head, chunks, answer } = await runner.call({ id, http: {}, body: { stream: streams } });
    t.deepEqual([head !== null, Buffer.concat(chunks).toString(), answer.type, answer.reusable],
      streams ? [true, 'ab', 'end', true] : [false, '', 'result', true], id);
  }
  await runner.close();
});
