'use strict';

// The globals of a function with "globals":"web": getters on the global object of its realm. What is behind one is made
// or loaded when it is first used. What a call assigns to such a name is there for that call alone. A worker with a
// call that has used an object of Node.js serves no other one: no comparison finds all that such an object leads to.

const clone = require('./clone');
const { everything } = require('./intrinsics');
const { makeProcess, soon } = require('./process');
const standIn = require('./standins');

const { runner, web } = host;
const { apply, deleteProperty, getOwnPropertyDescriptor, getPrototypeOf, ownKeys } = Reflect;
const { create, defineProperty, freeze } = Object;
const { parse } = JSON;
const { now } = Date;
const { hasInstance } = Symbol;
const { isPrototypeOf } = Object.prototype;
const { slice } = String.prototype;
const ordinary = Function.prototype[hasInstance];

// What the call in progress has made and assigned.
const NO_CALL = { env: {}, immediates: null, fail: null };
let call = NO_CALL;
let made = create(null);
let assigned = create(null);
let used = false; // a call has got hold of an object of Node.js

// The objects that the realm makes for each call.
const MAKE = {
  structuredClone: () => clone(cloneOutside),
  performance: makePerformance,
  queueMicrotask: () => function queueMicrotask(callback) { soon(call.fail, callback, []); },
  process: () => makeProcess(call.env, call.fail),
  global: () => everything,
  globalThis: () => everything,
  navigator: () => ({ userAgent: web.agent }),
  FinalizationRegistry: () => class FinalizationRegistry {
    constructor(callback) {
      if (typeof callback !== 'function') throw new TypeError('FinalizationRegistry: cleanup must be callable');
    }
    register() {}
    unregister() { return false; }
  },
  MessagePort: () => class MessagePort {
    constructor() { throw new TypeError('Illegal constructor'); }
  },
};
for (const name of ['setImmediate', 'clearImmediate', 'clearInterval']) MAKE[name] = () => call.immediates()[name];

// cloneOutside is structuredClone of Node.js, for what the realm cannot clone. What it gives or throws is of Node.js.
function cloneOutside(...args) {
  used = true;
  return web.value('structuredClone')(...args);
}

// performance counts from its first use in the call.
function makePerformance() {
  const elapsed = runner.clock();
  const self = { now: () => elapsed(), timeOrigin: now() };
  return defineProperty(self, 'toJSON', { value: () => ({ timeOrigin: self.timeOrigin }) });
}

// What calls have added to the global object. It is taken away after each call, before the guard looks, and is back for
// the next one if its top-level code ran once.
const found = create(null);
let known = 0; // how many names it has by itself
let added = [];

// clear takes away what the call in progress has added, as far as it can be: the guard sees the rest.
function clear() {
  if (ownKeys(host.globals).length === known) return;
  const names = ownKeys(everything);
  for (let i = 0; i < names.length; i++) {
    if (!(names[i] in found)) {
      added[added.length] = { name: names[i], property: getOwnPropertyDescriptor(everything, names[i]) };
      deleteProperty(everything, names[i]);
    }
  }
}

// restore gives back what was taken away.
function restore() {
  for (let i = 0; i < added.length; i++) defineProperty(everything, added[i].name, added[i].property);
  added = [];
}

// begin starts a call. immediates makes its setImmediate and what clears it and intervals; fail takes what fails it.
function begin(env, immediates, fail) {
  call = { env, immediates, fail };
  made = create(null);
  assigned = create(null);
  if (runner.once()) restore();
  else added = [];
}

// forget makes the calls so far count for nothing. They were the fork server's own: no code of a function has got hold
// of an object of Node.js.
function forget() {
  call = NO_CALL;
  made = create(null);
  assigned = create(null);
  used = false;
}

const outside = create(null); // objects of Node.js by name

// given is an object of Node.js.
function given(name) {
  used = true;
  if (!(name in outside)) {
    const value = web.value(name);
    if (name === 'Request' || name === 'Response') parseHere(value.prototype);
    outside[name] = value;
  }
  return outside[name];
}

// unused says whether no call has got hold of an object of Node.js.
function unused() {
  return !used && !runner.fetched();
}

// parseHere makes json() give objects of the realm. Libraries look at their constructors.
function parseHere(prototype) {
  const { text } = prototype;
  const json = { json() { return apply(text, this, []).then(parse); } }.json;
  defineProperty(prototype, 'json', { value: json, writable: true, enumerable: true, configurable: true });
}

function install() {
  for (const { names, origin } of web.rows) {
    for (const name of names.filter(each => each !== 'fetch')) define(name, origin === 'node' ? given : ownOf);
  }
  acceptOutside();
  for (const name of ownKeys(everything)) found[name] = true;
  known = ownKeys(host.globals).length;
}

function ownOf(name) {
  if (!(name in made)) made[name] = MAKE[name]();
  return made[name];
}

function define(name, read) {
  defineProperty(host.globals, name, {
    get() { return name in assigned ? assigned[name] : read(name); },
    set(value) { assigned[name] = value; },
    enumerable: false,
    configurable: true,
  });
}

// Objects of Node.js are instances of the classes of its realm. Libraries ask for those of theirs.
const CLASSES = [
  'Object', 'Function', 'Array', 'Promise', 'Map', 'Set', 'WeakMap', 'WeakSet', 'Date', 'RegExp', 'ArrayBuffer',
  'DataView', 'Int8Array', 'Uint8Array', 'Uint8ClampedArray', 'Int16Array', 'Uint16Array', 'Int32Array', 'Uint32Array',
  'Float32Array', 'Float64Array', 'BigInt64Array', 'BigUint64Array',
];

// acceptOutside makes `instanceof` accept them.
function acceptOutside() {
  for (const name of CLASSES.filter(each => everything[each])) accept(everything[name], host.outer[name]);
  accept(getPrototypeOf(everything.Uint8Array), /** @type {any} */ (getPrototypeOf(host.outer.Uint8Array)));
}

// accept makes own take instances of other for its own. Classes that extend it are not affected.
/** @type {(own: any, other: any) => void} */
function accept(own, { prototype }) {
  const value = { [hasInstance](instance) {
    return apply(ordinary, this, [instance]) || (this === own && apply(isPrototypeOf, prototype, [instance]));
  } }[hasInstance];
  defineProperty(own, hasInstance, { value: freeze(value) });
}

const OWN = {
  console: console => console,
  process: () => ownOf('process'),
  perf_hooks: () => ({ performance: ownOf('performance') }),
};
const { hasOwnProperty: hasOwn } = Object.prototype;

// builtin is what require gives for a module of Node.js, undefined if it is none of those that functions may have. Its
// name may begin with node:. The module console is that of the call.
function builtin(name, console) {
  const plain = typeof name === 'string' && apply(slice, name, [0, 5]) === 'node:' ? apply(slice, name, [5]) : name;
  if (apply(hasOwn, OWN, [plain])) return OWN[plain](console);
  const exported = web.module(plain);
  if (exported === undefined) return standIn(plain);
  used = true;
  return exported;
}

// handles says whether this version has what a web handler needs.
const handles = web.rows.some(({ names }) => names.indexOf('Response') >= 0);

module.exports = { install, begin, forget, given, handles, builtin, clear, unused };
