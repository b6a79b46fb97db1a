'use strict';

// Objects of Node.js itself that a function with "globals":"web" has got hold of: whether a call has changed them. They
// are remembered when they are first handed out.

const { ownKeys, getOwnPropertyDescriptor } = Reflect;
const { create, getPrototypeOf, is, keys } = Object;
const { has, add: put } = WeakSet.prototype;
const { apply } = Reflect;

const outer = host.intrinsics; // guard.js watches those
const known = new WeakSet(outer.watched([]));
const entries = [];
const looked = []; // those of them that are looked at after each call
const blank = []; // functions that hold nothing: most of them
const settings = []; // values behind getters
const namespace = [null, getPrototypeOf(host.globals)]; // prototypes of plain objects

// add remembers a value, what it holds and what it inherits from: the functions of a module or a class, their
// prototypes, and plain objects such as lists of constants. names are those of its getters to remember the value of.
function add(value, names) {
  note(value, 2);
  for (let i = 0; i < names.length; i++) {
    settings[settings.length] = { object: value, key: names[i], value: value[names[i]] };
  }
}

function note(value, depth) {
  if ((typeof value !== 'object' || value === null) && typeof value !== 'function') return;
  if (apply(has, known, [value])) return;
  apply(put, known, [value]);
  const names = ownKeys(value);
  const fixed = names.filter(key => isFixed(getOwnPropertyDescriptor(value, key)));
  const holdsNothing = typeof value === 'function' && names.every(key => isUsual(value, key));
  if (holdsNothing) blank[blank.length] = value;
  entries[entries.length] = {
    object: value,
    prototype: getPrototypeOf(value),
    enumerable: keys(value).length,
    fixed,
    values: fixed.map(key => value[key]),
    names,
    properties: names.map(key => getOwnPropertyDescriptor(value, key)),
  };
  if (!holdsNothing) looked[looked.length] = entries[entries.length - 1];
  makeFast(value);
  note(getPrototypeOf(value), 0);
  for (const key of names) {
    const property = getOwnPropertyDescriptor(value, key);
    if (isPrototype(value, key, property.value)) note(property.value, 1);
    else if (depth > 0 && isPart(property.value)) note(property.value, depth - 1);
  }
}

/** @param {PropertyDescriptor} property */
function isFixed({ value, writable }) {
  return typeof value === 'function' || (writable === true && value !== undefined && !is(value, NaN));
}

// isUsual says whether a key of a function is one that every function has.
function isUsual(object, key) {
  return key === 'length' || key === 'name' || (key === 'prototype' && !isPrototype(object, key, object.prototype));
}

// isPrototype leaves out the empty ones that every function has.
function isPrototype(object, key, value) {
  if (typeof object !== 'function' || key !== 'prototype' || typeof value !== 'object' || value === null) return false;
  return ownKeys(value).length > 1 || namespace.indexOf(getPrototypeOf(value)) < 0;
}

// isPart says whether a value has no state of its own, as an agent with its sockets has.
function isPart(value) {
  if (typeof value !== 'object' || value === null) return typeof value === 'function';
  return namespace.indexOf(getPrototypeOf(value)) >= 0;
}

// unchanged says whether all of them, but for functions that hold nothing, have the prototypes, the values and as many
// enumerable keys as when they were remembered, and those functions none; with all, also whether all have the same
// properties of any kind.
function unchanged(all) {
  for (let i = 0; i < blank.length; i++) {
    for (const key in blank[i]) return false; // eslint-disable-line no-unreachable-loop
  }
  for (let i = 0; i < looked.length; i++) {
    const { object, prototype, enumerable, fixed, values } = looked[i];
    if (keys(object).length !== enumerable || getPrototypeOf(object) !== prototype) return false;
    for (let j = 0; j < fixed.length; j++) {
      if (object[fixed[j]] !== values[j]) return false;
    }
  }
  for (let i = 0; i < settings.length; i++) {
    if (settings[i].object[settings[i].key] !== settings[i].value) return false;
  }
  return !all || sameProperties();
}

function sameProperties() {
  for (let i = 0; i < entries.length; i++) {
    const { object, prototype, names, properties } = entries[i];
    if (getPrototypeOf(object) !== prototype || ownKeys(object).length !== names.length) return false;
    for (let j = 0; j < names.length; j++) {
      const now = getOwnPropertyDescriptor(object, names[j]);
      const { value, get, set } = properties[j];
      if (now === undefined || now.get !== get || now.set !== set || !is(now.value, value)) return false;
    }
  }
  return true;
}

// makeFast makes V8 store an object in a form in which keys are found faster.
function makeFast(object) {
  return create(object).unknown;
}

module.exports = { add, unchanged };
