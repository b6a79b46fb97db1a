'use strict';

// Makes `instanceof Error`, and the same for the other errors of the language, work across realms: errors of modules
// belong to the realm of the modules, and what a function passes to them belongs to the function's.

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

// recognize makes each of errors accept instances of the class of the same name of others. Classes that extend it are
// not affected.
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
