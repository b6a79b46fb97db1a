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

// What every call is checked for: the keys that input can bring, which are enumerable, and all functions.
const enumerable = SHARED.map(object => keys(object).length);
const intact = comparison(VALUED);
intact(); // is compiled now, once for all workers that are forked

// What costs ten times as much: all keys.
const counts = SHARED.map(object => ownKeys(object).length);
const globals = ownKeys(everything).length;

// A function that changes built-in objects on purpose does it in its first calls.
const FIRST = 8;
const EVERY = 64;
let calls = 0;

// comparison returns a function that says whether all objects still have the prototypes and the functions that they have now. It is one function,
// made of source text that names every value as a constant, because of what V8 makes of that when it optimizes: it has looked at the shape of each
// object then, leaves nothing of the comparison but its answer, and takes that back as soon as one of the shapes changes. Code that is not
// there need not be fetched from memory, in a worker whose turn comes seldom. (One expression of all terms would nest too deeply to be compiled cheaply.)
function comparison(objects) {
  const constants = [getPrototypeOf];
  const constant = value => `c${constants.push(value) - 1}`;
  const statements = [];
  for (const object of objects) {
    const o = constant(object);
    const terms = [`c0(${o}) === ${constant(getPrototypeOf(object))}`];
    for (const name of ownKeys(object).filter(key => isFixed(object, key))) {
      terms.push(`${o}[${typeof name === 'symbol' ? constant(name) : stringify(name)}] === ${constant(object[name])}`);
    }
    statements.push(`if (!(${terms.join(' && ')})) return false;`);
  }
  const declarations = constants.map((_, i) => `c${i} = constants[${i}]`);
  return Function('constants', `const ${declarations.join(', ')}; return () => { ${statements.join(' ')} return true; };`)(constants);
}

function isFixed(object, key) {
  return key === 'stackTraceLimit' || typeof getOwnPropertyDescriptor(object, key).value === 'function';
}

// unchanged says whether every shared object has the prototype, the functions and as many enumerable keys as at the start; in the first calls and in
// every EVERYth, also whether it has as many keys of any kind.
function unchanged() {
  calls++;
  if (!intact()) return false;
  for (let i = 0; i < SHARED.length; i++) {
    if (keys(SHARED[i]).length !== enumerable[i]) return false;
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
