'use strict';

// The built-in objects of the realm in which this file is run.

const { ownKeys, getOwnPropertyDescriptor, getPrototypeOf } = Reflect;
const { defineProperty } = Object;
const everything = Function('return this')();

/** @type {(iterable: any) => any} */
const iteratorOf = iterable => getPrototypeOf(iterable[Symbol.iterator]());

const ERRORS = [Error, EvalError, RangeError, ReferenceError, SyntaxError, TypeError, URIError];
/** @type {(constructors: any[]) => any[]} */
const prototypesOf = constructors => constructors.map(({ prototype }) => prototype);

// Objects of any realm that a function can get hold of: from a module, or thrown by a module.
const closest = prototypesOf([Object, Function, Array, String, ...ERRORS]).concat(Error);

// Objects behind values that a function is likely to use, and to index by names from its input: obj[a][b] = c.
const close = closest.concat(
  [Object, Function, Array, String, Number, Boolean, Symbol, Promise, RegExp, Date, Map, Set, JSON, Math, Reflect],
  ERRORS.slice(1),
  prototypesOf([Number, Boolean, Symbol, Promise, RegExp, Date, Map, Set, Uint8Array]),
  [getPrototypeOf(async () => {}), getPrototypeOf(function* generator() {}), getPrototypeOf(everything)],
);

const NAMES = [
  'Proxy', 'WeakMap', 'WeakSet', 'WeakRef', 'ArrayBuffer', 'SharedArrayBuffer', 'DataView', 'BigInt', 'AggregateError',
  'Iterator', 'Int8Array', 'Uint8Array', 'Uint8ClampedArray', 'Int16Array', 'Uint16Array', 'Int32Array', 'Uint32Array',
  'Float32Array', 'Float64Array', 'BigInt64Array', 'BigUint64Array', 'Intl', 'WebAssembly', 'Atomics',
];
const far = [
  getPrototypeOf(Uint8Array), getPrototypeOf(Uint8Array.prototype), getPrototypeOf(iteratorOf([])), iteratorOf([]),
  iteratorOf(''), iteratorOf(new Map()), iteratorOf(new Set()),
  prototypesOf([getPrototypeOf(function* generator() {})])[0],
];
far.push(...named(/./));

// named returns the objects whose names match, and their prototypes.
function named(pattern) {
  const found = [];
  for (const name of NAMES.filter(each => pattern.test(each))) {
    const object = everything[name];
    if (object !== undefined) found.push(object);
    if (typeof object === 'function' && object.prototype) found.push(object.prototype);
  }
  return found;
}

// Objects that no path of names leads to from a value, and from a value of a module.
const unreachable = named(/^(?:Proxy|Intl|WebAssembly|Atomics|AggregateError)$/);
const unheld = unreachable.concat(named(/^(?:Int|Uint(?!8Array)|Float|Big)/));

// eachProperty visits the descriptor, the object and the key of every property.
function eachProperty(objects, visit) {
  for (let i = 0; i < objects.length; i++) {
    const names = ownKeys(objects[i]);
    for (let j = 0; j < names.length; j++) visit(getOwnPropertyDescriptor(objects[i], names[j]), objects[i], names[j]);
  }
}

// lockAccessors keeps calls from replacing the existing getters and setters.
function lockAccessors(objects) {
  eachProperty(objects, ({ get }, object, key) => {
    if (get) defineProperty(object, key, { configurable: false });
  });
}

// watched is all of these objects, each once.
function watched(more) {
  const all = [];
  for (const object of close.concat(far, more)) {
    if (all.indexOf(object) < 0) all.push(object);
  }
  return all;
}

// functionsOf is the functions that objects hold and that are not among them, each once.
function functionsOf(objects) {
  const found = new Set();
  eachProperty(objects, ({ value }) => found.add(value));
  return Array.from(found).filter(f => typeof f === 'function' && objects.indexOf(f) < 0);
}

// allFunctionsOf also has getters and setters, and those functions of the global object that belong to no kind.
function allFunctionsOf(objects) {
  const found = new Set(functionsOf(objects));
  eachProperty(objects, ({ get, set }) => [get, set].filter(Boolean).forEach(f => found.add(f)));
  eachProperty([everything], ({ value }, _, key) => {
    if (typeof key === 'string' && /^(is|parse|decode|encode|escape|unescape|eval)/.test(key)) found.add(value);
  });
  return Array.from(found);
}

module.exports = {
  everything, closest, close, watched, eachProperty, functionsOf, allFunctionsOf, unreachable, unheld, lockAccessors,
};
