'use strict';

// What V8 has optimized must notice as much as what it interprets: the comparison is made to be optimized away.

const test = require('tape');
const { realm } = require('./support');

const guard = realm('guard');
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

for (const name of OBJECTS) {
  test(`what is done to ${name} is noticed`, (t) => {
    const object = evaluate(name);
    const functions = Reflect.ownKeys(object).filter((key) => {
      const { value, configurable } = Object.getOwnPropertyDescriptor(object, key);
      return configurable && typeof value === 'function';
    });
    const missed = functions.filter((key, i) => (i > 0 || settled()) && during(object, key, { value: () => 'forged' }));
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
