'use strict';

// Web handlers: what a function exports as {fetch(request, env, ctx)} is called with a Request of the platform, and its
// Response is the answer.

const { Buffer } = host;
const { from, concat } = Buffer;
const empty = Buffer.alloc(0);
const { isView } = ArrayBuffer;
const { apply } = Reflect;
const { defineProperty, keys } = Object;
const { isArray } = Array;
const { stringify } = JSON;
const RealPromise = Promise;
const { then } = RealPromise.prototype;

const MOST_WHOLE = 64 * 1024; // bytes of a body that is sent as one
const MOST_STEPS = 64; // of promises that a body may take that is there at once

const BODILESS = ['GET', 'HEAD'];

// handle calls handler for the call of a frame, whose Backstage has the rest. end takes {status, headers} and a Buffer,
// endWith what the pieces of a stream come from; fail takes what is thrown.
function handle(handler, message, { Backstage, web, end, endWith, fail }) {
  const context = { waitUntil: promise => Backstage.waitUntil(promise), passThroughOnException() {}, props: {} };
  if (message.auth !== undefined) context.auth = message.auth; // who calls, of a function that asks for it
  if (message.http !== undefined && message.http.event !== undefined) { // of a WebSocket connection
    context.event = message.http.event;
    context.connectionId = message.http.connection;
  }
  const respond = async () => {
    const response = await handler.fetch(requestOf(message, web), envOf(Backstage.env, message.secrets), context);
    const { head, body } = partsOf(response);
    const { whole, source } = body ? await piecesOf(body.getReader()) : { whole: empty, source: null };
    if (source === null) end(head, whole);
    else endWith(head, source);
  };
  apply(then, respond(), [undefined, fail]);
}

// envOf is the variables of the call with its secrets, which go before a variable of the same name.
function envOf(env, secrets) {
  if (secrets === undefined) return env;
  const both = {};
  for (const source of [env, secrets]) {
    for (const name of keys(source)) define(both, name, source[name]);
  }
  return both;
}

function requestOf({ method, headers, http, raw, body }, web) {
  const Headers = web.given('Headers');
  const Request = web.given('Request');
  const sent = new Headers();
  for (const name of keys(headers)) {
    for (const value of isArray(headers[name]) ? headers[name] : [headers[name]]) sent.append(name, value);
  }
  return new Request(addressOf(http), { method, headers: sent, body: bodyOf(method, headers, raw, body) });
}

// addressOf is the address that the caller used, with its port.
function addressOf(http) {
  if (http === undefined) return 'http://localhost/';
  const { scheme, host: name, port, url } = http;
  return `${scheme}://${name || 'localhost'}${port === undefined ? '' : `:${port}`}${url}`;
}

// bodyOf is the bytes that were sent. A function that has not asked for them gets those of its body as JSON.
function bodyOf(method, headers, raw, body) {
  if (BODILESS.indexOf(method) >= 0) return null;
  if (raw !== undefined) return raw === '' ? null : apply(from, Buffer, [raw, 'base64']);
  const sent = headers['transfer-encoding'] !== undefined || Number(headers['content-length']) > 0;
  return sent && body !== undefined ? apply(from, Buffer, [stringify(body), 'utf8']) : null;
}

// partsOf takes a Response apart, also one of a library's own class.
function partsOf(response) {
  const isResponse = typeof response === 'object' && response !== null && typeof response.arrayBuffer === 'function' &&
    typeof response.headers === 'object' && response.headers !== null;
  if (!isResponse) throw new TypeError('fetch of a web handler must return a Response, or a promise of one');
  if (response.bodyUsed) throw new TypeError('the body of the Response has been read already');
  const { status, headers, body } = response;
  return { head: { status, headers: headersOf(headers) }, body };
}

function headersOf(headers) {
  const found = {};
  headers.forEach((value, name) => {
    if (name !== 'set-cookie') define(found, name, value);
  });
  const cookies = typeof headers.getSetCookie === 'function' ? headers.getSetCookie() : [];
  if (cookies.length > 0) define(found, 'set-cookie', Array.from(cookies));
  return found;
}

function define(object, key, value) {
  defineProperty(object, key, { value, writable: true, enumerable: true, configurable: true });
}

// piecesOf returns a promise of the whole body if it is short and there at once, else of a source with all of it: what
// comes later must not keep what is there.
async function piecesOf(reader) {
  const parts = [];
  let size = 0;
  let next = reader.read();
  for (;;) {
    const step = await soon(next);
    if (step === null || size > MOST_WHOLE) return { whole: null, source: sourceOf(parts, next, reader) };
    if (step.done) return { whole: apply(concat, Buffer, [parts, size]), source: null };
    parts[parts.length] = checked(step.value);
    size += step.value.byteLength;
    next = reader.read();
  }
}

// soon is what promise comes to, or null if that takes longer than promises alone do. An iteration of the event loop
// would be work that is left at the answer.
async function soon(promise) {
  let step = null;
  let failure = null;
  apply(then, new RealPromise(settle => settle(promise)), [
    (found) => { step = found; },
    (error) => { failure = { error }; },
  ]);
  for (let i = 0; i < MOST_STEPS && step === null && failure === null; i++) await undefined;
  if (failure !== null) throw failure.error;
  return step;
}

function checked(value) {
  if (!isView(value)) throw new TypeError('the body of the Response must consist of bytes');
  return value;
}

// sourceOf gives what was read before, then what next comes to, and then the rest.
function sourceOf(parts, next, reader) {
  let at = 0;
  const read = async () => {
    if (at < parts.length) return { done: false, value: parts[at++] };
    const step = await (at++ === parts.length ? next : reader.read());
    if (!step.done) checked(step.value);
    return step;
  };
  return { getReader: () => ({ read, cancel: () => reader.cancel() }) };
}

module.exports = handle;
