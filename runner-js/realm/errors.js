'use strict';

// The errors that functions throw to answer with a status.

function httpError(name, status) {
  const type = { [name]: class extends Error {} }[name];
  Object.defineProperty(type.prototype, 'statusCode', {
    get() { return status; },
    set(value) {
      Object.defineProperty(this, 'statusCode', { value, writable: true, configurable: true, enumerable: true });
    },
    configurable: true,
  });
  return type;
}

module.exports = {
  NotModified: httpError('NotModified', 304),
  BadRequest: httpError('BadRequest', 400),
  NotFound: httpError('NotFound', 404),
  UnprocessableEntity: httpError('UnprocessableEntity', 422),
  InternalServerError: httpError('InternalServerError', 500),
};
