'use strict';

// Notices what a call has changed in the built-in objects that the next call of the same function would share with it, such as a
// prototype polluted by its input. docs/isolation.md says what that covers.

const errors = require('./errors');

const { ownKeys, getOwnPropertyDescriptor, getPrototypeOf } = Reflect;
const { keys } = Object;
const { stringify } = JSON;
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

// What every call is checked for: the keys that input can bring, which are enumerable, and all values.
const enumerable = SHARED.map(object => keys(object).length);
const prototypes = SHARED.map(object => getPrototypeOf(object));
const intact = VALUED.map(comparison);

// What costs ten times as much: all keys.
const counts = SHARED.map(object => ownKeys(object).length);
const globals = ownKeys(everything).length;

// A function that changes built-in objects on purpose does it in its first calls.
const FIRST = 8;
const EVERY = 64;
let calls = 0;

// comparison returns a function that says whether object still has the functions that it has now. It is made of source text, a term for
// each, because V8 then looks at the shape of the object once and not at every property.
function comparison(object) {
  const names = ownKeys(object).filter((name) => {
    const { value } = getOwnPropertyDescriptor(object, name);
    return typeof value === 'function' || name === 'stackTraceLimit';
  });
  const terms = names.map((name, i) => `object[${typeof name === 'symbol' ? `names[${i}]` : stringify(name)}] === values[${i}]`);
  return Function('object', 'names', 'values', `return () => ${terms.join(' && ') || true}`)(object, names, names.map(name => object[name]));
}

// unchanged says whether every shared object has the enumerable keys and the prototype of the start, and the functions that it had;
// in the first calls and in every EVERYth, also whether it has as many keys of any kind.
function unchanged() {
  calls++;
  for (let i = 0; i < intact.length; i++) {
    if (!intact[i]()) return false;
  }
  for (let i = 0; i < SHARED.length; i++) {
    if (keys(SHARED[i]).length !== enumerable[i] || getPrototypeOf(SHARED[i]) !== prototypes[i]) return false;
  }
  return (calls > FIRST && calls % EVERY !== 0) || sameKeys();
}

function sameKeys() {
  if (ownKeys(everything).length !== globals) return false;
  for (let i = 0; i < SHARED.length; i++) {
    if (ownKeys(SHARED[i]).length !== counts[i]) return false;
  }
  return true;
}

// restart makes the next call the first one.
function restart() {
  calls = 0;
}

module.exports = { unchanged, restart };
