'use strict';

// What V8 has optimized must notice as much as what it interprets: the comparison is made to be optimized away.

const test = require('tape');
const { realm } = require('./support');

let outer; // evaluates in the realm of modules
const guard = realm('guard', {}, (inModules) => { outer = inModules; });
const evaluate = text => guard.unchanged.constructor(`return ${text}`)(); // in its realm

const OPTIMIZED = 2000; // calls after which the guard is

const OBJECTS = [
  ...['Object', 'Function', 'Array', 'String', 'Number', 'Boolean', 'Symbol', 'Promise', 'RegExp', 'Date', 'Map', 'Set', 'ArrayBuffer', 'Error']
    .reduce((all, name) => [...all, name, `${name}.prototype`], []),
  'JSON', 'Math', 'Reflect', 'Proxy', 'WeakMap.prototype', 'WeakSet.prototype', 'DataView.prototype', 'Object.getPrototypeOf(Uint8Array.prototype)',
  'Object.getPrototypeOf([][Symbol.iterator]())', 'Object.getPrototypeOf(new Map()[Symbol.iterator]())',
];

// during makes a change to object, asks the guard, and takes the change back.
function during(object, key, descriptor) {
  const before = Object.getOwnPropertyDescriptor(object, key);
  Object.defineProperty(object, key, descriptor);
  const unchanged = guard.unchanged();
  if (before) Object.defineProperty(object, key, before);
  else delete object[key];
  return unchanged;
}

// settled says whether the guard finds nothing as often as it takes to optimize it.
function settled() {
  for (let i = 0; i < OPTIMIZED; i++) {
    if (!guard.unchanged()) return false;
  }
  return true;
}

test('nothing has changed', (t) => {
  t.ok(settled());
  t.end();
});

for (const name of OBJECTS) { // the guard has settled before each
  test(`what is done to ${name} is noticed`, (t) => {
    const object = evaluate(name);
    const functions = Reflect.ownKeys(object).filter((key) => {
      const { value, configurable } = Object.getOwnPropertyDescriptor(object, key);
      return configurable && typeof value === 'function';
    });
    const missed = functions.filter(key => during(object, key, { value: () => 'forged' }));
    t.deepEqual(missed.map(String), [], `${functions.length} functions replaced`);
    t.ok(settled(), 'put back');
    if (name !== 'Object.prototype') {
      const prototype = Object.getPrototypeOf(object);
      Object.setPrototypeOf(object, { forged: 1 });
      const unchanged = guard.unchanged();
      Object.setPrototypeOf(object, prototype);
      t.notOk(unchanged, 'another prototype');
    }
    t.ok(settled(), 'put back');
    t.end();
  });
}

test('an enumerable key is noticed at once, a hidden one in time', (t) => {
  const prototype = evaluate('Object.prototype');
  t.ok(settled());
  t.notOk(during(prototype, 'polluted', { value: 1, enumerable: true, configurable: true }));
  t.ok(settled());
  Object.defineProperty(prototype, 'hidden', { value: 1, configurable: true });
  t.notOk(settled());
  delete prototype.hidden;
  guard.restart();
  Object.defineProperty(prototype, 'hidden', { value: 1, configurable: true });
  t.notOk(guard.unchanged(), 'in the first calls of a function');
  delete prototype.hidden;
  t.end();
});

test('a getter that gives the guard what it wants is noticed in time', (t) => {
  const json = evaluate('JSON');
  const { parse } = json;
  const before = Object.getOwnPropertyDescriptor(json, 'parse');
  for (let i = 0; i < 8; i++) guard.unchanged();
  Object.defineProperty(json, 'parse', { get() { return parse; }, configurable: true });
  t.notOk(settled());
  Object.defineProperty(json, 'parse', before);
  t.ok(settled(), 'put back');
  t.end();
});

test('an enumerable key on what a function is likely to hold is noticed at once', (t) => {
  const objects = [
    '(() => {}).__proto__', '(async () => {}).__proto__', '(function* () {}).__proto__', '"".__proto__', '(0).__proto__', 'true.__proto__', 'Symbol().__proto__',
    '[].__proto__', '/x/.__proto__', 'new Date().__proto__', 'new Map().__proto__', 'new Set().__proto__', 'Promise.resolve().__proto__',
    'new Uint8Array(1).__proto__', 'new Error().__proto__', 'new TypeError().__proto__', '[].constructor', 'new TypeError().constructor', '"".constructor', 'JSON',
  ];
  for (const name of objects) t.notOk(during(evaluate(name), 'polluted', { value: 1, enumerable: true, configurable: true }), name);
  t.ok(settled(), 'put back');
  t.end();
});

test('an enumerable key on what those inherit from is noticed at once', (t) => {
  const objects = [
    'new Uint8Array(1).__proto__.__proto__', 'new Uint8Array(1).__proto__.__proto__.constructor', 'new Uint8Array(1).buffer.__proto__', 'Int8Array.prototype',
    'DataView.prototype', 'WeakMap.prototype', 'WeakSet.prototype', 'SharedArrayBuffer.prototype', '[][Symbol.iterator]().__proto__',
    '[][Symbol.iterator]().__proto__.__proto__', 'new Map()[Symbol.iterator]().__proto__', '""[Symbol.iterator]().__proto__', '(function* () {}).__proto__.prototype',
    'ArrayBuffer', 'Float64Array',
  ].map(evaluate);
  const modules = ['String', 'RegExp', 'Promise', 'Map', 'Uint8Array', 'ArrayBuffer', 'WeakMap'].map(name => outer(`${name}.prototype`));
  modules.push(outer('Uint8Array.prototype.__proto__'), outer('Uint8Array.prototype.__proto__.constructor'), outer('Map'));
  objects.concat(modules).forEach((object, i) => {
    t.ok(i % 8 !== 0 || settled());
    t.notOk(during(object, 'polluted', { value: 1, enumerable: true, configurable: true }), `number ${i}`);
  });
  t.ok(settled(), 'put back');
  t.end();
});

const FUNCTIONS = ['JSON.parse', 'Math.max', 'Reflect.apply', 'ArrayBuffer.isView', 'Uint8Array.prototype.map', 'new WeakMap().get', '{}.toString', '[].map', '"".slice', 'Object.keys', 'Promise.resolve', 'new Map().set', 'Array.isArray', 'RegExp.prototype.exec', 'new Error().toString'];
const FARTHER = ['parseInt', 'decodeURIComponent', '/x/.__lookupGetter__("flags")'];

test('what is put on the functions that objects hold is noticed', (t) => {
  for (const name of FUNCTIONS.concat(FARTHER)) {
    const f = evaluate(`(${name.replace('{}', '({})')})`);
    t.ok(settled());
    if (FUNCTIONS.includes(name)) t.notOk(during(f, 'polyfilled', { value: true, enumerable: true, configurable: true }), `${name} at once`);
    for (const change of [() => Object.defineProperty(f, 'hidden', { value: 1, configurable: true }), () => Object.setPrototypeOf(f, evaluate('Object.create(Function.prototype)'))]) {
      const prototype = Object.getPrototypeOf(f);
      change();
      t.notOk(settled(), `${name} in time`);
      delete f.hidden;
      Object.setPrototypeOf(f, prototype);
      guard.restart();
      change();
      t.notOk(guard.unchanged(), `${name} in the first calls`);
      delete f.hidden;
      Object.setPrototypeOf(f, prototype);
    }
  }
  t.ok(settled(), 'put back');
  t.end();
});

test('another prototype of a function that input can give it is noticed at once', (t) => {
  for (const name of FUNCTIONS) {
    const f = evaluate(`(${name.replace('{}', '({})')})`);
    const prototype = Object.getPrototypeOf(f);
    t.ok(settled());
    Object.setPrototypeOf(f, evaluate('({})'));
    t.notOk(guard.unchanged(), name);
    Object.setPrototypeOf(f, prototype);
  }
  t.end();
});
