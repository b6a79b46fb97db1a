'use strict';

// What a function sees of a request whose body comes as bytes.

const test = require('tape');
const { started, inTurn, realm } = require('./support');

const outcome = inTurn(test);

const HTTP = { path: '/hooks/git', url: '/hooks/git?a=1', ip: '192.0.2.1', host: 'api.example.com', scheme: 'https',
  params: { name: 'git' } };

// seen returns what code, an expression of req, is in a call with these headers and this body.
async function seen(expression, { headers = {}, body = '', http = HTTP } = {}) {
  const request = { method: 'POST', headers, http, body: undefined, raw: Buffer.from(body).toString('base64') };
  const { answer } = await outcome(`async function main(req, res) { return await ${expression} }`, request);
  return answer.type === 'result' ? answer.body : { status: answer.status, message: answer.message };
}

const typed = type => ({ 'content-type': type });

test('req says more of the HTTP request', async (t) => {
  const { url: originalUrl, host: hostname, scheme: protocol, path, ip, params } = HTTP;
  const all = await seen('Object.assign({}, req)');
  t.deepEqual(all, { method: 'POST', headers: {}, query: {}, path, originalUrl, ip, hostname, protocol, params });
  t.deepEqual(await seen('req.params', { http: Object.assign({}, HTTP, { params: undefined }) }), {}, 'no params');
  t.deepEqual(await seen('[Backstage.request === req, req.method, typeof req.body]'), [true, 'POST', 'undefined']);
});

test('req.auth says who calls, if the host does', async (t) => {
  const code = 'function main(req, res) { res.send(["auth" in req, req.auth]) }';
  const auth = { type: 'jwt', issuer: 'https://login.example', subject: 'ada', claims: { sub: 'ada' } };
  for (const http of [undefined, HTTP]) {
    t.deepEqual((await outcome(code, { auth, http })).answer.body, [true, auth]);
    t.deepEqual((await outcome(code, { http })).answer.body, [false, null], 'it is not there else');
  }
});

test('req without bytes has the parsed body, and says how to get them', async (t) => {
  const code = expression => `function main(req, res) { res.send(${expression}) }`;
  const request = { http: HTTP, body: { a: 1 } };
  t.deepEqual((await outcome(code('[req.path, req.body, req.json()]'), request)).answer.body,
    ['/hooks/git', { a: 1 }, { a: 1 }]);
  for (const way of ['req.rawBody', 'req.text()', 'req.form()']) {
    const { answer } = await outcome(code(way), request);
    t.ok(/"body":"raw"/.test(answer.message), `${way}: ${answer.message}`);
  }
  t.deepEqual((await outcome(code('[typeof req.path, typeof req.json, "rawBody" in req]'), {})).answer.body,
    ['undefined', 'undefined', false]);
});

test('a body that is JSON, or none, is no form of a function that gets bytes of all else', async (t) => {
  const http = Object.assign({ body: 'auto' }, HTTP);
  for (const request of [{ headers: typed('application/json'), body: { a: 1 } }, { body: {} }]) {
    const { answer } = await outcome('function main(req, res) { res.send([...req.form()]) }',
      Object.assign({ http }, request));
    t.equal(answer.status, 400);
    t.equal(answer.message, 'the body is not a form: send multipart/form-data or application/x-www-form-urlencoded');
  }
  const form = await seen('[...req.form()]', { headers: typed('application/x-www-form-urlencoded'), body: 'a=1', http });
  t.deepEqual(form, [['a', '1']], 'a form is');
});

test('rawBody is the bytes of the body', async (t) => {
  const every = Buffer.from(Array.from({ length: 256 }, (_, i) => i));
  t.equal(await seen('req.rawBody.toString("hex")', { body: every }), every.toString('hex'), 'every byte');
  t.deepEqual(await seen('[req.rawBody.length, Buffer.isBuffer(req.rawBody), req.rawBody === req.rawBody]'),
    [0, true, true], 'none');
  const large = Buffer.alloc(3e6, 'é');
  t.deepEqual(await seen('[req.rawBody.length, req.text().length]', { body: large }), [3e6, 1.5e6], 'many');
});

test('text is read by the charset of the body', async (t) => {
  for (const [type, body, want] of [
    [undefined, 'é日😀', 'é日😀'],
    ['text/plain', '\ufeffé', 'é'],
    ['text/plain; charset=UTF-8', 'é', 'é'],
    ['text/plain; charset="iso-8859-1"', Buffer.from('é', 'latin1'), 'é'],
    ['text/plain;charset=utf-16le', Buffer.from('\ufeffé', 'utf16le'), 'é'],
    ['text/plain', Buffer.from([0x61, 0xff]), 'a\ufffd'],
    ['text/plain; charset=klingon', 'a', { status: 400, message: 'the charset klingon of the body is not known' }],
    ['text/plain; charset=constructor', 'a', { status: 400,
      message: 'the charset constructor of the body is not known' }],
  ]) {
    t.deepEqual(await seen('req.text()', { headers: typed(type), body }), want, `${type}: ${body}`);
  }
});

test('json reads any body as JSON', async (t) => {
  t.deepEqual(await seen('req.json()', { headers: typed('application/vnd.api+json'), body: '{"a":[1,"é"]}' }),
    { a: [1, 'é'] });
  for (const body of ['', '{', 'null x']) {
    const { status, message } = await seen('req.json()', { body });
    t.equal(status, 400, `${body}: ${message}`);
    t.ok(/^the body is not JSON: /.test(message), message);
  }
});

test('cookies are read once, by name', async (t) => {
  const read = async cookie => seen('[req.cookies === req.cookies, req.cookies]', { headers: { cookie } });
  for (const [cookie, want] of [
    [undefined, {}],
    ['', {}],
    ['a=1; b=2', { a: '1', b: '2' }],
    ['a=1;a=2', { a: '1' }],
    [' a = x%20y ;b="q;', { a: 'x y', b: '"q' }],
    ['a="1"; b=%; c; =d; e=f=g', { a: '1', b: '%', e: 'f=g' }],
  ]) {
    t.deepEqual(await read(cookie), [true, want], cookie);
  }
  t.deepEqual(await seen('[typeof req.cookies.constructor, req.cookies.__proto__]',
    { headers: { cookie: '__proto__=x' } }), ['undefined', 'x']);
});

test('a request leaves nothing to the next one', async (t) => {
  const runner = await started();
  runner.load(`function main(req, res) {
    const before = [];
    for (const one of [req, req.form, Object.getPrototypeOf(req), req.constructor,
      Object.getOwnPropertyDescriptor(Object.getPrototypeOf(req), 'rawBody').get]) {
      before.push(one.left === undefined);
      try { one.left = 'x' } catch (e) { before.push(e.name) }
    }
    try { Object.getPrototypeOf(req).text = () => 'forged' } catch (e) { before.push(e.name) }
    res.send([before, req.text(), req.cookies.a || null])
  }`);
  const answers = [];
  for (const [id, text, cookie] of [['g1', 'first', 'a=1'], ['g2', 'second', undefined]]) {
    const raw = Buffer.from(text).toString('base64');
    answers.push((await runner.call({ id, headers: { cookie }, raw, body: undefined })).answer);
  }
  await runner.close();
  const kept = [true, true, 'TypeError', true, 'TypeError', true, 'TypeError', true, 'TypeError', 'TypeError'];
  t.deepEqual(answers.map(({ body, reusable }) => [body, reusable]),
    [[[kept, 'first', '1'], true], [[kept, 'second', null], true]]);
});

test('a function that breaks the methods of Buffer sees no other bytes', async (t) => {
  const runner = await started();
  runner.load(`function main(req, res) {
    const seen = [];
    for (const name of ['base64Slice', 'utf8Slice', 'latin1Slice', 'utf8Write', 'slice', 'toString']) {
      const real = Buffer.prototype[name];
      Buffer.prototype[name] = function (...args) { seen.push(name); return real.apply(this, args) };
    }
    res.send([req.text(), seen]);
  }`);
  const { answer } = await runner.call({ raw: Buffer.from('text').toString('base64'), body: undefined });
  await runner.close();
  t.deepEqual([answer.body, answer.reusable], [['text', []], false]);
});

test('a request object of its own is not taken for one', (t) => {
  const { HTTPRequest } = realm('request');
  t.throws(() => HTTPRequest.prototype.text.call({}), /not a request/);
  t.end();
});

test('an event of a WebSocket connection says what has happened, and a message is text or bytes', async (t) => {
  const event = (kind, more) => Object.assign({ event: kind, connection: 'SERVER-ID' }, more, HTTP);
  const told = expression => `[req.event, req.connectionId, ${expression}]`;
  t.deepEqual(await seen(told('req.body'), { http: event('message'), body: 'hé' }), ['message', 'SERVER-ID', 'hé']);
  t.deepEqual(await seen(told('[req.json().a, req.text(), req.rawBody.length]'), { http: event('message'), body: '{"a":1}' }),
    ['message', 'SERVER-ID', [1, '{"a":1}', 7]]);
  t.deepEqual(await seen(told('[Buffer.isBuffer(req.body), req.body.toString("hex")]'),
    { http: event('message', { binary: true }), body: Buffer.from([0, 255]) }), ['message', 'SERVER-ID', [true, '00ff']]);
  t.deepEqual(await seen(told('req.body'), { http: event('message') }), ['message', 'SERVER-ID', ''], 'an empty one');
  const { answer } = await outcome(`function main(req, res) { res.send(${told('req.body')}) }`,
    { http: event('close'), body: { code: 1000, reason: '' } });
  t.deepEqual(answer.body, ['close', 'SERVER-ID', { code: 1000, reason: '' }]);
  t.deepEqual(await seen('[req.event, "connectionId" in req]'), [null, false], 'any other request has none');
});
