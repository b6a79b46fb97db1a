'use strict';

// The built-in objects of the realm in which this file is run.

const { ownKeys, getOwnPropertyDescriptor, getPrototypeOf, apply } = Reflect;
const { defineProperty } = Object;
const everything = Function('return this')();
const { exec } = RegExp.prototype;
const { hasOwnProperty } = Object.prototype;
const NOTHING = /^/;

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
  'Iterator', 'FinalizationRegistry', 'DisposableStack', 'AsyncDisposableStack', 'SuppressedError', 'Int8Array',
  'Uint8Array', 'Uint8ClampedArray', 'Int16Array', 'Uint16Array', 'Int32Array', 'Uint32Array', 'Float16Array',
  'Float32Array', 'Float64Array', 'BigInt64Array', 'BigUint64Array', 'Intl', 'WebAssembly', 'Atomics',
];
const far = [
  getPrototypeOf(Uint8Array), getPrototypeOf(Uint8Array.prototype), getPrototypeOf(iteratorOf([])), iteratorOf([]),
  iteratorOf(''), iteratorOf(new Map()), iteratorOf(new Set()),
  prototypesOf([getPrototypeOf(function* generator() {})])[0],
];
far.push(...named(/./), ...shown([
  '(async function* () {})', '"".matchAll(/^/g)', '[].values().map(each => each)',
  'Iterator.from({ next() {} })',
]));
const known = within(close.concat(far));

// shown returns the prototypes of what these expressions give, as far as this version of the language has them.
function shown(texts) {
  const found = [];
  for (const text of texts) {
    try {
      found.push(getPrototypeOf(Function(`return ${text}`)()));
    } catch (error) {
      if (!(error instanceof SyntaxError || error instanceof TypeError || error instanceof ReferenceError)) throw error;
    }
  }
  return found;
}

// within returns objects with all that their properties and prototypes lead to, each once, but for plain functions.
function within(objects) {
  const found = new Set(objects);
  const add = (value) => {
    const isClass = typeof value === 'function' && apply(hasOwnProperty, value, ['prototype']);
    if (isClass || (typeof value === 'object' && value !== null)) found.add(value);
  };
  for (const object of found) {
    add(getPrototypeOf(object));
    eachProperty([object], ({ value, get, set }) => [value, get, set].forEach(add));
  }
  return Array.from(found);
}

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
  return unique(known.concat(more));
}

function unique(objects) {
  return Array.from(new Set(objects));
}

// forgetMatch overwrites what RegExp remembers of the last match.
function forgetMatch() {
  apply(exec, NOTHING, ['']);
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
  unique, forgetMatch,
};
