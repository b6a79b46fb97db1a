'use strict';

// What a function gets as res. The first answer counts; `settle` takes care of that.

const { sizeOf, ofText } = require('./bytes');
const { format } = require('./cookies');
const { frozen } = require('./frozen');
const { isSource } = require('./sources');
const typeOf = require('./types');
const { BadRequest, NotFound, UnprocessableEntity, InternalServerError } = require('./errors');

// Only the response of the call in progress has an effect.
let current = null;
let currentSettle = null;

function settleOf(response) {
  if (response !== current) throw new TypeError('not the response of this call');
  return currentSettle;
}

class Response {
  // settle has what takes outcomes: see call.js.
  constructor(settle) {
    current = this;
    currentSettle = settle;
    this.statusCode = 200;
    this.headers = {};
  }

  set(name, value) {
    this.headers[name] = value;
    return this;
  }

  status(code) {
    this.statusCode = code;
    return this;
  }

  send(body) {
    settleOf(this).answer({ status: this.statusCode || 200, headers: this.headers, body });
  }

  notModified() {
    this.status(304).send(null);
  }

  badRequest(message) {
    settleOf(this).fail(new BadRequest(textOf(message)));
  }

  notFound(message) {
    settleOf(this).fail(new NotFound(textOf(message)));
  }

  unprocessableEntity(message) {
    settleOf(this).fail(new UnprocessableEntity(textOf(message)));
  }

  internalServerError(message) {
    settleOf(this).fail(new InternalServerError(textOf(message)));
  }
}

// HTTPResponse is res of a function that gets an HTTPRequest: see request.js.
class HTTPResponse extends Response {
  // set sets one header, or each of an object.
  set(name, value) {
    if (typeof name !== 'object' || name === null) return super.set(name, value);
    for (const each of Object.keys(name)) this.headers[each] = name[each];
    return this;
  }

  // json is send with a type that says so.
  json(body) {
    if (valueOf(this.headers, 'content-type') === undefined) this.type('json');
    this.send(body);
  }

  // type sets the media type by a short name, such as html, or as it is.
  type(name) {
    return replace(this, 'Content-Type', typeOf(name));
  }

  // redirect answers with a status, 302 if none is given, and an address.
  redirect(status, address) {
    const [code, url] = address === undefined ? [302, status] : [status, address];
    const location = String(url).replace(/[^\x21-\x7e]+/g, encoded);
    replace(this, 'Location', location).status(code).end();
  }

  // cookie adds a cookie to the answer, clearCookie one that removes it. The options are those of Express.
  cookie(name, value, options) {
    const before = valueOf(this.headers, 'set-cookie');
    const others = before === undefined ? [] : [].concat(before);
    return replace(this, 'Set-Cookie', others.concat(format(name, value, options)));
  }

  clearCookie(name, options) {
    return this.cookie(name, '', Object.assign({}, options, { expires: new Date(0), maxAge: undefined }));
  }

  // end answers with text or bytes as they are, or with all that comes from a stream or an iterator.
  end(body) {
    const settle = settleOf(this);
    if (sizeOf(body) < 0 && isSource(body)) settle.endWith(headOf(this), body);
    else settle.end(typeof body === 'string' && body !== '' ? headOfText(this) : headOf(this), body);
  }

  // write sends a piece of an answer; the first one begins it. It returns true: the caller has room for more.
  write(piece) {
    settleOf(this).write(headOf(this), piece);
    return true;
  }

  // flush begins a streamed answer.
  flush() {
    settleOf(this).begin(headOf(this));
  }
}

function headOf({ statusCode, headers }) {
  return { status: statusCode || 200, headers };
}

// headOfText is headOf for text, which has a type.
function headOfText(response) {
  const head = headOf(response);
  if (valueOf(head.headers, 'content-type') !== undefined) return head;
  return { status: head.status, headers: Object.assign({}, head.headers, { 'Content-Type': typeOf('text') }) };
}

// valueOf is the header of that name in lower case, whatever case it was set in.
function valueOf(headers, name) {
  const key = Object.keys(headers).find(each => each.toLowerCase() === name);
  return key === undefined ? undefined : headers[key];
}

// replace sets a header in the place of that name in any case.
function replace(response, name, value) {
  for (const key of Object.keys(response.headers)) {
    if (key.toLowerCase() === name.toLowerCase()) delete response.headers[key];
  }
  response.headers[name] = value;
  return response;
}

// encoded is characters as an address has them. Half a surrogate pair becomes U+FFFD.
function encoded(text) {
  return Array.from(ofText(text), byte => `%${byte < 16 ? '0' : ''}${byte.toString(16).toUpperCase()}`).join('');
}

// textOf keeps the content of an object: its JSON, not "[object Object]".
function textOf(message) {
  if (typeof message !== 'object' || message === null || message instanceof Error) return message;
  return JSON.stringify(message);
}

module.exports = { Response, HTTPResponse: frozen(HTTPResponse) };
