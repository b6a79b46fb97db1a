'use strict';

// Has `instanceof Error`, and the like for the other errors of the language, tell of the errors of another realm what
// it tells of those of this one: what a module throws is of the realm that modules live in, and what a function gives
// it is of the function's.

const everything = Function('return this')();
const { apply, getPrototypeOf } = Reflect;
const { defineProperty } = Object;
const { isPrototypeOf } = Object.prototype;
const { hasInstance } = Symbol;
const ordinary = Function.prototype[hasInstance];

const NAMES = [
  'Error', 'EvalError', 'RangeError', 'ReferenceError', 'SyntaxError', 'TypeError', 'URIError', 'AggregateError',
];

const errors = {};
for (const name of NAMES) {
  if (everything[name] && getPrototypeOf(everything[name].prototype)) errors[name] = everything[name];
}

// recognize has each of errors take the instances of the class of the same name of others for its own. Classes that
// extend it are asked as ever.
function recognize(others) {
  for (const name of Object.keys(errors)) {
    const own = errors[name];
    const { prototype } = others[name];
    const value = { [hasInstance](instance) {
      return apply(ordinary, this, [instance]) || (this === own && apply(isPrototypeOf, prototype, [instance]));
    } }[hasInstance];
    defineProperty(own, hasInstance, { value });
  }
}

module.exports = { errors, recognize };
