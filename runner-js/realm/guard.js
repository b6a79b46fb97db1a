'use strict';

// Notices what a call has changed in the built-in objects that the next call of the same function would share with it, such as a
// prototype polluted by its input. docs/isolation.md says what that covers.

const errors = require('./errors');

const { ownKeys, getOwnPropertyDescriptor, getPrototypeOf } = Reflect;
const { keys } = Object;
const everything = Function('return this')();

// Here a key more or less is noticed.
const SHARED = [
  Object.prototype, Function.prototype, Array.prototype, String.prototype, Number.prototype, Boolean.prototype, Error.prototype,
  Promise.prototype, RegExp.prototype, Date.prototype, Map.prototype, Set.prototype,
  Object, Function, Array, String, Number, Promise, Error, JSON, Math, Reflect,
  require('./request').prototype, require('./response').prototype,
].concat(host.shared, keys(errors).map(name => errors[name].prototype));

// Here, too, another value in place of what was there.
const VALUED = SHARED.concat([
  Symbol.prototype, WeakMap.prototype, WeakSet.prototype, ArrayBuffer.prototype, DataView.prototype, getPrototypeOf(Uint8Array.prototype),
  Symbol, Boolean, RegExp, Date, Map, Set, Proxy, ArrayBuffer, host.Buffer.prototype,
  getPrototypeOf([][Symbol.iterator]()), getPrototypeOf(''[Symbol.iterator]()), getPrototypeOf(new Map()[Symbol.iterator]()),
  getPrototypeOf(new Set()[Symbol.iterator]()), getPrototypeOf(function* generator() {}).prototype,
]);

const counts = SHARED.map(object => ownKeys(object).length);
const prototypes = SHARED.map(object => getPrototypeOf(object));
const globals = ownKeys(everything).length;

// The values, as three lists of the same length.
const objects = [];
const names = [];
const values = [];
for (const object of VALUED) {
  for (const key of ownKeys(object)) {
    const { value } = getOwnPropertyDescriptor(object, key);
    if (typeof value === 'function' || key === 'stackTraceLimit') {
      objects.push(object);
      names.push(key);
      values.push(value);
    }
  }
}

// unchanged says whether the global object and every shared one have as many keys as at the start, the same
// prototype, and the functions that they had.
function unchanged() {
  if (ownKeys(everything).length !== globals) return false;
  for (let i = 0; i < values.length; i++) {
    if (objects[i][names[i]] !== values[i]) return false;
  }
  for (let i = 0; i < SHARED.length; i++) {
    if (ownKeys(SHARED[i]).length !== counts[i] || getPrototypeOf(SHARED[i]) !== prototypes[i]) return false;
  }
  return true;
}

module.exports = unchanged;
