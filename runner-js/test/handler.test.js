'use strict';

// Web handlers.

const test = require('tape');
const { started, outcome } = require('./support');

const modern = parseInt(process.versions.node, 10) >= 18;
const skip = !modern;
const WEB = { web: true };
const HTTP = { path: '/a', url: '/functions/n/f/run/a?b=1', ip: '10.0.0.1', host: 'x.example', port: '81', scheme: 'https', params: {} };

const base64 = text => Buffer.from(text).toString('base64');

// requests returns the answers of calls, streamed ones with their head and chunks. Each has a runner of its own: a
// Request and a Response are of Node.js.
async function requests(code, all, changes) {
  const answers = [];
  for (const request of all) {
    const runner = await started(changes);
    runner.load(code, undefined, undefined, WEB);
    const { head, chunks, answer } = await runner.call(Object.assign({ id: `g${answers.length}`, http: HTTP }, request));
    answers.push(head === null ? answer : Object.assign(answer, { status: head.status, headers: head.headers, bytes: chunks.map(String).join(chunks[0].length > 1000 ? '' : '|') }));
    if (answer.reusable) throw new Error('the runner would serve another call');
    await runner.close();
  }
  return answers;
}

const bytesOf = ({ type, bytes, text }) => (type === 'result' ? Buffer.from(bytes, 'base64').toString() : text);

test('a web handler gets the request as it was sent', { skip }, async (t) => {
  const code = `export default { async fetch(request, env, ctx) {
    const { method, url, headers } = request;
    const body = Buffer.from(await request.arrayBuffer()).toString('hex');
    return Response.json([request instanceof Request, method, url, [...headers], body, env.A, typeof ctx.waitUntil]);
  } }`;
  const headers = { 'content-type': 'text/plain', 'x-latin': 'caf\u00e9', 'set-cookie': ['a=1', 'b=2'], 'content-length': '3' };
  const all = [{ method: 'POST', headers, raw: Buffer.from([0, 255, 10]).toString('base64'), body: undefined }, { method: 'GET', raw: '', body: undefined },
    { method: 'PUT', headers: { 'content-length': '9' }, body: { a: 1 } }, { method: 'PUT', body: {} }];
  const answers = await requests(code, all, { env: { A: 'b' } });
  const pairs = [['content-length', '3'], ['content-type', 'text/plain'], ['set-cookie', 'a=1'], ['set-cookie', 'b=2'], ['x-latin', 'caf\u00e9']];
  const url = 'https://x.example:81/functions/n/f/run/a?b=1';
  t.deepEqual(answers.map(answer => JSON.parse(bytesOf(answer))), [
    [true, 'POST', url, pairs, '00ff0a', 'b', 'function'], [true, 'GET', url, [], '', 'b', 'function'],
    [true, 'PUT', url, [['content-length', '9']], Buffer.from('{"a":1}').toString('hex'), 'b', 'function'], [true, 'PUT', url, [], '', 'b', 'function']]);
});

test('ctx.auth says who calls, if the host does', { skip }, async (t) => {
  const code = 'export default { fetch(request, env, ctx) { return Response.json(["auth" in ctx, ctx.auth]); } }';
  const answers = await requests(code, [{ method: 'GET', auth: { type: 'key', id: 'K' } }, { method: 'GET' }]);
  t.deepEqual(answers.map(answer => JSON.parse(bytesOf(answer))), [[true, { type: 'key', id: 'K' }], [false, null]]);
});

test('the Response is the answer: status, header lines, bytes', { skip }, async (t) => {
  const code = `module.exports = { fetch(request) {
    switch (request.headers.get('x-case')) {
      case 'cookies': { const headers = new Headers({ 'X-A': '1', 'Content-Type': 'text/html' }); headers.append('Set-Cookie', 'a=1'); headers.append('Set-Cookie', 'b=2');
        return new Response('<p>', { status: 201, headers }); }
      case 'empty': return new Response(null, { status: 204 });
      case 'bytes': return Promise.resolve(new Response(new Uint8Array([0, 1, 254, 255])));
      case 'stream': return new Response(new ReadableStream({ async start(c) { for (const x of ['a', 'b']) { await new Promise(r => setTimeout(r, 1)); c.enqueue(new TextEncoder().encode(x)); } c.close(); } }));
      case 'text stream': return new Response(new ReadableStream({ start(c) { c.enqueue('text'); c.close(); } }));
      case 'duck': return { status: 200, headers: new Headers({ a: 'b' }), arrayBuffer() {}, body: null };
      case 'none': return undefined;
      case 'used': { const response = new Response('x'); response.text(); return response; }
      case 'error': return Response.error();
      case 'redirect': return Response.redirect('https://a.example/', 302);
      case 'large': return new Response('x'.repeat(2e5));
      case 'sse': return new Response(new ReadableStream({ start(c) { c.enqueue(new TextEncoder().encode('data: 1\\n\\n')); setTimeout(() => c.close(), 20); } }), { headers: { 'content-type': 'text/event-stream' } });
      case 'broken': return new Response(new ReadableStream({ async pull(c) { c.enqueue(new Uint8Array(1)); await new Promise(r => setTimeout(r, 5)); c.error(new Error('broken')); } }));
      case 'proxied': return new Response(new Blob(['a'.repeat(1e5), 'b']).stream());
      default: throw new NotFound('no such case');
    }
  } }`;
  const cases = ['cookies', 'empty', 'bytes', 'stream', 'text stream', 'duck', 'none', 'used', 'error', 'redirect', 'large', 'sse', 'proxied', 'broken', 'other'];
  const answers = await requests(code, cases.map(name => ({ method: 'GET', headers: { 'x-case': name } })), { maxAnswer: 200000 });
  t.deepEqual(answers.map(({ status, headers, bytes, message }) => [status, headers, message || bytes]), [
    [201, [['content-type', 'text/html'], ['x-a', '1'], ['set-cookie', 'a=1'], ['set-cookie', 'b=2']], base64('<p>')],
    [204, [], ''],
    [200, [], 'AAH+/w=='],
    [200, [], 'a|b'],
    [0, [], 'the body of the Response must consist of bytes'],
    [200, [['a', 'b']], ''],
    [0, [], 'fetch of a web handler must return a Response, or a promise of one'],
    [0, [], 'the body of the Response has been read already'],
    [0, [], 'Invalid status code: 0'],
    [302, [['location', 'https://a.example/']], ''],
    [200, [['content-type', 'text/plain;charset=UTF-8']], 'x'.repeat(2e5)],
    [200, [['content-type', 'text/event-stream']], 'data: 1\n\n'],
    [200, [], `${'a'.repeat(1e5)}b`],
    [200, [], 'broken'],
    [404, [], 'no such case'],
  ]);
});

test('waitUntil of a web handler keeps the worker, which serves no other call', { skip }, async (t) => {
  const code = `let count = 0;
    export default { async fetch(request, env, ctx) { count++; const text = await request.text(); ctx.waitUntil(new Promise(resolve => setImmediate(resolve))); return new Response(text + count); } }`;
  const runner = await started();
  runner.load(code, undefined, undefined, WEB);
  const { answer } = await runner.call({ method: 'POST', http: HTTP, raw: base64('a'), body: undefined });
  t.deepEqual([bytesOf(answer), answer.reusable], ['a1', false]);
  if (answer.late) t.equal((await runner.afterwards()).done.reusable, false);
  await runner.close();
});

test('a trial run says that the code is a web handler, and where it cannot be one', async (t) => {
  const code = 'exports.default = { fetch() {} }';
  const { answer: classic } = await outcome(code, { kind: 'check' });
  const fault = 'Error: What the code exports is a web handler, which needs "globals":"web" and Node.js 18 or later';
  t.equal(classic.text, fault);
  const runner = await started();
  runner.load(code, undefined, undefined, WEB);
  const { answer } = await runner.call({ kind: 'check' });
  if (modern) t.equal(answer.body, 'handler');
  else t.equal(answer.text, fault);
  await runner.close();
});

test('a trial run of a module tells the code that workers compile', async (t) => {
  const code = 'const one = 1;\nexport function main(req, res) {\n  res.send(one); }';
  const { answer } = await outcome(code, { kind: 'check' });
  if (!modern) {
    t.ok(/ES modules need/.test(answer.text), answer.text);
    return;
  }
  const { handler, lowered } = JSON.parse(answer.body);
  t.equal(handler, false);
  t.equal(lowered.split('\n').slice(1, 3).join('\n'), 'function main(req, res) {\n  res.send(one); }');
  const again = await outcome(lowered, { kind: 'check' });
  t.equal(again.answer.body, undefined, 'what was lowered is no module');
  t.deepEqual((await outcome(lowered)).answer.body, (await outcome(code)).answer.body);
});
