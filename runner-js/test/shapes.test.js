'use strict';

// That V8's shapes tell at once of what is done to built-in objects, and of nothing else. Each change is made in a realm
// of its own: afterwards V8 may store the object in a form whose shape tells nothing.

const test = require('tape');
const v8 = require('v8');
const vm = require('vm');
const { realm } = require('./support');
const Shapes = require('../shapes');

const FIRST = 10; // calls after which the guard looks at hidden keys now and then

// Each change is made to a third of the objects, and each object has a third of the changes: another third on Node.js
// 20, 22 and 24. With NIGHTLY=1 every version makes every change to every object.
const THIRD = parseInt(process.versions.node, 10) / 2;
const isDue = (object, change) => process.env.NIGHTLY === '1' || (object + change) % 3 === THIRD % 3;

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
  'no more keys': (object) => { Object.preventExtensions(object); },
  'another key for one that it had': (object) => {
    delete object[looseKey(object)];
    Object.defineProperty(object, 'hidden', { value: 1 });
  },
  'other attributes': (object) => {
    Object.defineProperty(object, looseKey(object), { configurable: false });
  },
};

// looseKey is a key that can be deleted, if there is one of no function: all functions are compared in any case.
function looseKey(object) {
  const loose = Reflect.ownKeys(object).filter(key => Object.getOwnPropertyDescriptor(object, key).configurable);
  return loose.find(key => typeof Object.getOwnPropertyDescriptor(object, key).value !== 'function') || loose[0];
}

for (const [name, changes, shapesOf] of [
  ['enumerable keys by shapes', ENUMERABLE, real], ['hidden keys by shapes', HIDDEN, real], ['enumerable keys without them', ENUMERABLE, blind],
]) {
  test(`the guard notices ${name} at once`, (t) => {
    Object.keys(changes).forEach((change, i) => {
      const due = OBJECTS.filter((_, object) => isDue(object, i));
      t.ok(due.length >= 9);
      const missed = due.filter((text) => {
        const { guard, evaluate } = watching(shapesOf);
        if (!guard.unchanged()) return true;
        changes[change](evaluate(text));
        return guard.unchanged();
      });
      t.deepEqual(missed, [], change);
    });
    t.end();
  });
}

const CHANGES = {
  'a getter': 'Object.defineProperty(Map.prototype, "size", { get: () => 42 })',
  'a setter': 'Object.defineProperty(Object.prototype, "__proto__", { set() {} })',
  'a getter that gives what is compared': '(parse => Object.defineProperty(JSON, "parse", { get: () => parse }))(JSON.parse)',
  'what a class is called': 'Object.defineProperty(Map, "name", { value: "left" })',
  'what a function is called': 'Object.defineProperty(Object.keys, "name", { value: "left" })',
  'how long a function is': 'Object.defineProperty(Object.keys, "length", { value: 42 })',
  'what an object is called': 'Object.defineProperty(Map.prototype, Symbol.toStringTag, { value: "left" })',
  'a mark on a getter': 'Object.getOwnPropertyDescriptor(Map.prototype, "size").get.left = 1',
  'what with() leaves out': 'Array.prototype[Symbol.unscopables].left = 1',
};

test('the guard notices at once what changes in keys that are still there', (t) => {
  for (const name of Object.keys(CHANGES)) {
    const { guard, evaluate } = watching(real);
    t.ok(guard.unchanged());
    evaluate(CHANGES[name]);
    t.notOk(guard.unchanged(), name);
  }
  t.end();
});

// Objects of the language that no path of properties leads to.
const SYNTAX = [
  'async () => {}', 'function* () {}', 'async function* () {}', '[][Symbol.iterator]()', '""[Symbol.iterator]()', 'new Map()[Symbol.iterator]()',
  'new Set()[Symbol.iterator]()', '"".matchAll(/x/g)', '[].values().map(x => x)', 'Iterator.from({ next() {} })',
];

// reached returns all objects that the language has in a realm, but for the global one, by how they are found.
function reached(evaluate) {
  const roots = SYNTAX.map((text) => {
    try {
      return [`(${text}).__proto__`, Object.getPrototypeOf(evaluate(`(${text})`))];
    } catch (error) {
      return ['', null]; // a version without it
    }
  });
  const everything = evaluate('this');
  const found = new Map([[everything, '']]);
  const visit = (name, value) => {
    if (value === null || !['object', 'function'].includes(typeof value) || found.has(value)) return;
    found.set(value, name);
    visit(`${name}.__proto__`, Object.getPrototypeOf(value));
    for (const key of Reflect.ownKeys(value)) {
      const property = Object.getOwnPropertyDescriptor(value, key);
      for (const part of ['value', 'get', 'set']) visit(`${name}.${String(key)}`, property[part]);
    }
  };
  // A call has a console of its own.
  for (const key of Reflect.ownKeys(everything).filter(name => name !== 'console')) visit(String(key), Object.getOwnPropertyDescriptor(everything, key).value);
  for (const [name, root] of roots) visit(name, root);
  found.delete(everything);
  return found;
}

test('all objects of the language are looked at', (t) => {
  const { evaluate, shapes } = watching(real);
  const found = reached(evaluate);
  t.ok(found.size > 550, `${found.size} objects`);
  const unseen = Array.from(found.keys()).filter(object => !shapes.watches(object) && Object.isExtensible(object));
  const missed = unseen.filter((object) => {
    const name = found.get(object);
    const other = watching(real);
    const [[same]] = Array.from(reached(other.evaluate)).filter(([, each]) => each === name);
    same.left = 1;
    return other.guard.unchanged();
  });
  t.deepEqual(missed.map(object => found.get(object)), [], `those ${unseen.length} too of which shapes do not tell`);
  t.end();
});

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
