'use strict';

// What a function gets as req.

const { BadRequest } = require('./errors');
const { ofBase64, textOf, decoderOf } = require('./bytes');
const parseType = require('./mediatype');
const cookies = require('./cookies');
const form = require('./form');
const { frozen } = require('./frozen');

const { apply } = Reflect;
const { get, set } = WeakMap.prototype;
const { parse } = JSON;

const states = new WeakMap(); // of requests that tell more of HTTP

class Request {
  constructor({ method, headers, query, body, auth }) {
    this.method = method;
    this.headers = headers;
    this.query = query;
    this.body = body;
    if (auth !== undefined) this.auth = auth; // who calls, of a function that asks for it
  }
}

// HTTPRequest is req of a function that has asked for its body as bytes, or that is called by a route. What costs time
// is made when it is read.
class HTTPRequest extends Request {
  constructor(message) {
    super(message);
    const { http, raw, headers } = message;
    if (http !== undefined) {
      this.path = http.path;
      this.originalUrl = http.url;
      this.ip = http.ip;
      this.hostname = http.host;
      this.protocol = http.scheme;
      this.params = http.params === undefined ? {} : http.params;
      if (http.event !== undefined) {
        this.event = http.event;
        this.connectionId = http.connection;
      }
    }
    apply(set, states, [this, {
      raw, bytes: undefined, auto: http !== undefined && http.body === 'auto', form: undefined, cookies: undefined,
      type: headers['content-type'], cookie: headers.cookie,
    }]);
    if (http !== undefined && http.event === 'message') { // of a WebSocket connection
      const bytes = bytesOf(stateOf(this));
      this.body = http.binary === true ? bytes : textOf(bytes);
    }
  }

  // rawBody is the body as it came: a Buffer.
  get rawBody() {
    return bytesOf(stateOf(this));
  }

  // text is the body as text, by the charset of its type.
  text() {
    const state = stateOf(this);
    const { charset = 'utf-8' } = parseType(state.type).parameters;
    const decoder = decoderOf(charset);
    if (decoder === undefined) throw new BadRequest(`the charset ${charset} of the body is not known`);
    return textOf(bytesOf(state), decoder);
  }

  // json is the body read as JSON, whatever its type says.
  json() {
    if (stateOf(this).raw === undefined && this.body !== undefined) return this.body;
    const text = this.text();
    try {
      return parse(text);
    } catch (error) {
      throw new BadRequest(`the body is not JSON: ${error.message}`);
    }
  }

  // form is the body read as that of an HTML form.
  form() {
    const state = stateOf(this);
    if (state.form !== undefined) return state.form;
    if (state.auto && state.raw === undefined) throw form.none(); // the body is JSON, or there is none
    state.form = form.parse(bytesOf(state), parseType(state.type));
    return state.form;
  }

  // cookies are those of the header Cookie, by name.
  get cookies() {
    const state = stateOf(this);
    if (state.cookies === undefined) state.cookies = cookies.parse(state.cookie);
    return state.cookies;
  }
}

function stateOf(request) {
  const state = apply(get, states, [request]);
  if (state === undefined) throw new TypeError('not a request');
  return state;
}

function bytesOf(state) {
  if (state.raw === undefined) {
    throw new TypeError('The bytes of the body are not there: give the function the option "body":"raw"');
  }
  if (state.bytes === undefined) {
    state.bytes = ofBase64(state.raw);
    state.raw = ''; // bytes has it
  }
  return state.bytes;
}

// of makes the request of a frame.
function of(message) {
  return isHTTP(message) ? new HTTPRequest(message) : new Request(message);
}

// isHTTP says whether the function of a call has asked for all of HTTP, or is called by a route.
function isHTTP(message) {
  return message.http !== undefined || message.raw !== undefined;
}

module.exports = { Request, HTTPRequest: frozen(HTTPRequest), of, isHTTP };
