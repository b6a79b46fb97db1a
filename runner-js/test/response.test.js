'use strict';

const test = require('tape');
const { realm } = require('./support');

const { Response, HTTPResponse } = realm('response');

// used returns what a response that use was called with has settled, in order.
function used(use) {
  const got = [];
  const response = new Response({
    answer: ({ status, headers, body }) => got.push({ status, headers: Object.assign({}, headers), body }),
    fail: error => got.push({ fails: error.statusCode, message: error.message, name: error.constructor.name }),
  });
  use(response);
  return got;
}

test('a response answers with what was set', (t) => {
  for (const [name, use, want] of [
    ['send', res => res.send({ a: 1 }), { status: 200, headers: {}, body: { a: 1 } }],
    ['set and status chain', res => res.set('a', 'b').status(201).set('c', ['d']).send(1), { status: 201, headers: { a: 'b', c: ['d'] }, body: 1 }],
    ['status of nothing', res => res.status(0).send(1), { status: 200, headers: {}, body: 1 }],
    ['status undefined', res => res.status().send(1), { status: 200, headers: {}, body: 1 }],
    ['status in digits', res => res.status('404').send(1), { status: '404', headers: {}, body: 1 }],
    ['send of nothing', res => res.send(), { status: 200, headers: {}, body: undefined }],
    ['notModified', res => res.set('a', 'b').notModified(), { status: 304, headers: { a: 'b' }, body: null }],
    ['badRequest', res => res.badRequest('m'), { fails: 400, message: 'm', name: 'BadRequest' }],
    ['notFound', res => res.notFound('m'), { fails: 404, message: 'm', name: 'NotFound' }],
    ['unprocessableEntity', res => res.unprocessableEntity('m'), { fails: 422, message: 'm', name: 'UnprocessableEntity' }],
    ['internalServerError', res => res.internalServerError('m'), { fails: 500, message: 'm', name: 'InternalServerError' }],
    ['an object as message', res => res.badRequest({ a: 1 }), { fails: 400, message: '{"a":1}', name: 'BadRequest' }],
    ['no message', res => res.badRequest(), { fails: 400, message: '', name: 'BadRequest' }],
  ]) {
    t.deepEqual(used(use), [want], name);
  }
  t.end();
});

test('a response has only what the contract names', (t) => {
  const own = type => Object.getOwnPropertyNames(type.prototype).sort();
  t.deepEqual(own(Response), ['badRequest', 'constructor', 'internalServerError', 'notFound', 'notModified', 'send', 'set',
    'status', 'unprocessableEntity']);
  t.deepEqual(own(HTTPResponse), ['clearCookie', 'constructor', 'cookie', 'end', 'flush', 'json', 'redirect', 'set', 'type',
    'write'], 'and of a function that asks for all of HTTP');
  used((res) => { t.deepEqual(Object.keys(res), ['statusCode', 'headers']); });
  t.end();
});
