'use strict';

// Web handlers: what a function exports as {fetch(request, env, ctx)} is called with a Request of the platform, and its
// Response is the answer.

const { Buffer, runner } = host;
const { from, concat } = Buffer;
const empty = Buffer.alloc(0);
const { isView } = ArrayBuffer;
const { apply } = Reflect;
const { defineProperty, keys } = Object;
const { isArray } = Array;
const { stringify } = JSON;
const { then } = Promise.prototype;

const BODILESS = ['GET', 'HEAD'];

// handle calls handler for the call of a frame, whose Backstage has the rest. answer takes {status, headers, body},
// where body is a Buffer; fail takes what is thrown.
function handle(handler, message, { Backstage, web, answer, fail }) {
  const context = { waitUntil: promise => Backstage.waitUntil(promise), passThroughOnException() {}, props: {} };
  const respond = async () => partsOf(await handler.fetch(requestOf(message, web), Backstage.env, context));
  apply(then, respond(), [answer, fail]);
}

function requestOf({ method, headers, http, raw, body }, web) {
  const Headers = web.given('Headers');
  const Request = web.given('Request');
  const sent = new Headers();
  for (const name of keys(headers)) {
    for (const value of isArray(headers[name]) ? headers[name] : [headers[name]]) sent.append(name, value);
  }
  const url = http === undefined ? 'http://localhost/' : `${http.scheme}://${http.host || 'localhost'}${http.url}`;
  return new Request(url, { method, headers: sent, body: bodyOf(method, headers, raw, body) });
}

// bodyOf is the bytes that were sent. A function that has not asked for them gets those of its body as JSON.
function bodyOf(method, headers, raw, body) {
  if (BODILESS.indexOf(method) >= 0) return null;
  if (raw !== undefined) return raw === '' ? null : apply(from, Buffer, [raw, 'base64']);
  const sent = headers['transfer-encoding'] !== undefined || Number(headers['content-length']) > 0;
  return sent && body !== undefined ? apply(from, Buffer, [stringify(body), 'utf8']) : null;
}

// partsOf takes a Response apart, also one of a library's own class.
async function partsOf(response) {
  const isResponse = typeof response === 'object' && response !== null && typeof response.arrayBuffer === 'function' &&
    typeof response.headers === 'object' && response.headers !== null;
  if (!isResponse) throw new TypeError('fetch of a web handler must return a Response, or a promise of one');
  if (response.bodyUsed) throw new TypeError('the body of the Response has been read already');
  const { status } = response;
  const headers = headersOf(response.headers);
  return { status, headers, body: await bytesOf(response.body, runner.mostBytes()) };
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

// bytesOf returns a promise of all bytes of a ReadableStream, which may be most.
async function bytesOf(body, most) {
  if (body === null || body === undefined) return empty;
  const reader = body.getReader();
  const parts = [];
  let size = 0;
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return apply(concat, Buffer, [parts, size]);
    if (!isView(value)) throw new TypeError('the body of the Response must consist of bytes');
    parts.push(value);
    size += value.byteLength;
    if (size > most) throw new RangeError(`the body of the Response has more than ${most} bytes`);
  }
}

module.exports = handle;
