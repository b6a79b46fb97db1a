'use strict';

// That V8's shapes tell at once of what is done to built-in objects, and of nothing else. Each change is made in a realm
// of its own: afterwards V8 may store the object in a form whose shape tells nothing.

const test = require('tape');
const v8 = require('v8');
const vm = require('vm');
const { realm } = require('./support');
const Shapes = require('../shapes');

const FIRST = 20; // calls after which the guard looks at hidden keys now and then

// watching returns a guard, what evaluates in its realm, and its shapes.
function watching(shapesOf) {
  const made = [];
  const guard = realm('guard', { shapesOf: objects => (made[0] = shapesOf(objects)) });
  const evaluate = text => guard.unchanged.constructor(`return ${text}`)();
  for (let i = 0; i < FIRST; i++) guard.unchanged();
  return { guard, evaluate, shapes: made[0] };
}

const real = objects => new Shapes(objects);
const blind = () => ({ telling: false, watches: () => false, same: () => false, note: () => {} }); // what there is without the addon

const OBJECTS = [
  'Object', 'Object.prototype', 'Function.prototype', 'Array', 'Array.prototype', 'Number.prototype', 'Promise', 'Promise.prototype',
  'RegExp.prototype', 'Date', 'Map.prototype', 'Set', 'JSON', 'Math', 'Reflect', 'Error.prototype', 'TypeError', 'Symbol',
  'Object.getPrototypeOf(Uint8Array.prototype)', 'Object.getPrototypeOf([][Symbol.iterator]())', 'WeakMap.prototype',
  'Object.keys', 'Array.prototype.map', 'JSON.parse', 'Promise.prototype.then', 'Function.prototype.call', 'String.prototype.slice',
];

const ENUMERABLE = {
  'a key': (object) => { object.polluted = 1; },
  'a key that is a number': (object) => { object[7] = 1; },
  'a getter': (object) => { Object.defineProperty(object, 'polluted', { get: () => 1, enumerable: true, configurable: true }); },
};
const HIDDEN = {
  'a hidden key': (object) => { Object.defineProperty(object, 'hidden', { value: 1 }); },
  'a symbol': (object) => { object[Symbol('hidden')] = 1; },
};

for (const [name, changes, shapesOf] of [
  ['enumerable keys by shapes', ENUMERABLE, real], ['hidden keys by shapes', HIDDEN, real], ['enumerable keys without them', ENUMERABLE, blind],
]) {
  test(`the guard notices ${name} at once`, (t) => {
    for (const change of Object.keys(changes)) {
      const missed = OBJECTS.filter((text) => {
        const { guard, evaluate } = watching(shapesOf);
        if (!guard.unchanged()) return true;
        changes[change](evaluate(text));
        return guard.unchanged();
      });
      t.deepEqual(missed, [], change);
    }
    t.end();
  });
}

test('shapes tell of nearly all objects, also after V8 has collected garbage', (t) => {
  const { guard, shapes } = watching(real);
  t.ok(shapes.list.length > 400, `${shapes.list.length} objects`);
  t.ok(shapes.same(), 'nothing has changed');
  v8.setFlagsFromString('--expose-gc');
  vm.runInNewContext('gc')();
  t.notOk(shapes.same(), 'after a collection nobody knows');
  t.ok(guard.unchanged(), 'so all keys are looked at');
  t.ok(shapes.same(), 'and shapes tell again');
  t.end();
});

test('shapes in a form that tells nothing are not relied upon', (t) => {
  const { guard, evaluate, shapes } = watching(real);
  const keys = evaluate('Object.keys');
  keys.first = 1;
  keys.second = 1;
  delete keys.first; // V8 makes it a dictionary
  delete keys.second;
  t.ok(guard.unchanged(), 'it has the keys that it had');
  t.notOk(shapes.same());
  keys.third = 1;
  t.notOk(guard.unchanged(), 'which are looked at from now on');
  t.end();
});

test('only the shapes that were noted last are known', (t) => {
  const [one, other] = [new Shapes([{ a: 1 }]), new Shapes([{ b: 1 }])];
  one.note();
  t.ok(one.same());
  other.note();
  t.ok(other.same());
  t.notOk(one.same());
  t.end();
});
