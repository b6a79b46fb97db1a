'use strict';

// What a function gets as res. The first answer counts; `settle` takes care of that.

const { BadRequest, NotFound, UnprocessableEntity, InternalServerError } = require('./errors');

// Only the response of the call in progress has an effect.
let current = null;
let currentSettle = null;

function settleOf(response) {
  if (response !== current) throw new TypeError('not the response of this call');
  return currentSettle;
}

class Response {
  // settle has two functions: answer({status, headers, body}) and fail(error).
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

// textOf keeps the content of an object: its JSON, not "[object Object]".
function textOf(message) {
  if (typeof message !== 'object' || message === null || message instanceof Error) return message;
  return JSON.stringify(message);
}

module.exports = Response;
