'use strict';

// The frames that answer a call: the type of each and its own members. Nothing here knows of the call in progress.

const describe = require('./describe');

const { stringify } = JSON;
const { keys } = Object;
const { isArray } = Array;
const { Buffer, runner } = host;
const { byteLength } = Buffer;

// Same limits as in sandbox/internal/wire/limits.go.
const MAX_HEADER_LINES = 256;
const MAX_HEADER_BYTES = 64 * 1024;

const LONG = 64 * 1024; // characters of a string

const TOKEN = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;
const BAD_VALUE = /[^\t\x20-\x7e\x80-\xff]/; // headers are bytes: characters above U+00FF have none

// addPairs turns the headers that were set into pairs of name and value: one for each element of an array, none for
// undefined. It throws at the first one that cannot be sent; those before it stay.
function addPairs(pairs, headers) {
  let left = MAX_HEADER_BYTES;
  for (const name of keys(headers)) {
    if (!TOKEN.test(name)) throw new TypeError(`Header name must be a valid HTTP Token ["${name}"]`);
    for (const value of isArray(headers[name]) ? headers[name] : [headers[name]]) {
      if (value !== undefined) {
        const text = String(value);
        left -= name.length + byteLength(text);
        if (left < 0) throw new RangeError(`The headers of the answer have more than ${MAX_HEADER_BYTES} bytes`);
        if (pairs.length === MAX_HEADER_LINES) {
          throw new RangeError(`The answer has more than ${MAX_HEADER_LINES} header lines`);
        }
        if (BAD_VALUE.test(text)) throw new TypeError('The header content contains invalid characters');
        pairs[pairs.length] = { name, value: text };
      }
    }
  }
}

// The members of a frame are put together one by one: stringify of an object would ask its prototype, which belongs to
// the function, for toJSON.
function textOf(pairs) {
  let text = '';
  for (let i = 0; i < pairs.length; i++) {
    text += `${i === 0 ? '' : ','}[${stringify(pairs[i].name)},${stringify(pairs[i].value)}]`;
  }
  return `[${text}]`;
}

function statusOf(status) {
  const code = status | 0;
  if (code < 100 || code > 999) throw new RangeError(`Invalid status code: ${String(status)}`);
  return code;
}

function errorFrame(thrown, pairs) {
  const { status, message, text, stack, frames } = describe(thrown, runner.filename(), runner.lines());
  return {
    type: 'error',
    rest: `"status":${status},"message":${stringify(message)},"text":${stringify(text)},"stack":${stringify(stack)},`
      + `"frames":${stringify(frames)},"headers":${textOf(pairs)}`,
  };
}

function failureFrame(thrown) {
  return errorFrame(thrown, []);
}

// taken is an answer with the status and the headers that it has now: what the function sets later is not part of it.
function taken({ status, headers, body }) {
  const snapshot = { code: 0, pairs: [], body, failed: false, failure: undefined };
  try {
    snapshot.code = statusOf(status);
    addPairs(snapshot.pairs, headers);
  } catch (error) {
    snapshot.failed = true;
    snapshot.failure = error;
  }
  return snapshot;
}

// mayTakeLong says whether writing value as JSON may take more than a moment. It reads nothing that could run code.
function mayTakeLong(value) {
  return (typeof value === 'object' && value !== null) || typeof value === 'function' ||
    (typeof value === 'string' && value.length > LONG);
}

// textOfBody writes a body as JSON. That is not main's time: the host is shown when it begins and ends.
function textOfBody(body) {
  if (!mayTakeLong(body)) return stringify(body);
  runner.writing(true);
  try {
    return stringify(body);
  } finally {
    runner.writing(false);
  }
}

function resultFrame({ code, pairs, body, failed, failure }) {
  if (failed) return errorFrame(plainFailure(failure), pairs);
  try {
    const text = textOfBody(body);
    const tail = text === undefined ? '' : `,"body":${text}`;
    return { type: 'result', rest: `"status":${code},"headers":${textOf(pairs)}${tail}` };
  } catch (error) {
    return errorFrame(plainFailure(error), pairs);
  }
}

// bytesFrame is resultFrame for a body that is base64.
function bytesFrame({ code, pairs, body, failed, failure }) {
  if (failed) return errorFrame(plainFailure(failure), pairs);
  return { type: 'result', rest: `"status":${code},"headers":${textOf(pairs)},"bytes":"${body}"` };
}

function endFrame() {
  return { type: 'end', rest: '' };
}

// plainFailure is the outcome of an answer that could not be written: 500, whatever status the cause has.
function plainFailure(error) {
  const { message, text, stack } = describe(error, '', 0);
  return { message, stack, toString: () => text };
}

module.exports = { textOf, failureFrame, taken, resultFrame, bytesFrame, endFrame };
