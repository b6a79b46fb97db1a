'use strict';

// The body of an HTML form: fields in order, of which a name may have several.

const { BadRequest } = require('./errors');
const { bytewise } = require('./bytes');
const { decodedBytes } = require('./percent');
const parseMultipart = require('./multipart');
const tooLarge = require('./toolarge');
const { frozen } = require('./frozen');

const MOST_FIELDS = 1000;

class Form {
  // fields are pairs of a name and a value: text, or a file as {name, filename, type, bytes}.
  constructor(fields) {
    this.fields = fields;
  }

  // get returns the first value of that name, or null.
  get(name) {
    const field = this.fields.find(one => one[0] === name);
    return field === undefined ? null : field[1];
  }

  // getAll returns all values of that name.
  getAll(name) {
    return this.fields.filter(one => one[0] === name).map(one => one[1]);
  }

  has(name) {
    return this.fields.some(one => one[0] === name);
  }

  keys() {
    return this.fields.map(one => one[0])[Symbol.iterator]();
  }

  values() {
    return this.fields.map(one => one[1])[Symbol.iterator]();
  }

  entries() {
    return this.fields.map(one => [one[0], one[1]])[Symbol.iterator]();
  }

  forEach(visit) {
    this.fields.forEach(one => visit(one[1], one[0], this));
  }

  [Symbol.iterator]() {
    return this.entries();
  }
}

// parse reads the bytes of a form. media is its parsed Content-Type.
function parse(bytes, { type, parameters }) {
  switch (type) {
    case 'application/x-www-form-urlencoded':
      return new Form(fieldsOf(bytewise(bytes)));
    case 'multipart/form-data':
      return new Form(parseMultipart(bytes, parameters.boundary, MOST_FIELDS));
    default:
      throw none();
  }
}

// none is the error of a body that is no form.
function none() {
  return new BadRequest('the body is not a form: send multipart/form-data or application/x-www-form-urlencoded');
}

function fieldsOf(text) {
  const pairs = text.split('&', MOST_FIELDS + 1);
  if (pairs.length > MOST_FIELDS) throw tooLarge(`the form has more than ${MOST_FIELDS} fields`);
  return pairs.filter(pair => pair !== '').map((pair) => {
    const equals = pair.indexOf('=');
    const [name, value] = equals < 0 ? [pair, ''] : [pair.slice(0, equals), pair.slice(equals + 1)];
    return [textIn(name), textIn(value)];
  });
}

function textIn(text) {
  return decodedBytes(text.replace(/\+/g, ' '));
}

frozen(Form);

module.exports = { parse, none };
