'use strict';

// Whether objects still have the keys and the prototypes that they had, as V8 tells by their shapes: see
// native/shapes.c. Where that cannot be told, callers must look at the keys themselves.

const fs = require('fs');
const path = require('path');
const v8 = require('v8');
const vm = require('vm');

// Taken before a function could replace them.
const { apply } = Reflect;
const { setFlagsFromString } = v8;
const { Script } = vm;
const { runInThisContext } = Script.prototype;
const { create, freeze, defineProperty, setPrototypeOf } = Object;

// What says whether V8 keeps all objects of a list in the fast form, where a shape tells everything.
const FAST = '(list => { for (let i = 0; i < list.length; i++) { if (!%HasFastProperties(list[i])) return false; } ' +
  'return true; })';

const addon = path.join(__dirname, 'build', 'shapes.node');
const { note, same } = hasKnownLayout() && fs.existsSync(addon) ? require(addon) : {};

// hasKnownLayout says whether V8 was built as the addon needs it.
function hasKnownLayout() {
  /** @type {any} */
  const { variables } = process.config;
  return ['x64', 'arm64'].includes(process.arch) && !variables.v8_enable_pointer_compression &&
    !variables.v8_enable_sandbox;
}

// withFast calls ask with a function that says whether V8 keeps all objects of a list in the fast form. The syntax for
// that is there for this question alone. The function must not be kept: V8 may forget its code, and compile it again.
function withFast(ask) {
  setFlagsFromString('--allow-natives-syntax');
  try {
    return ask(apply(runInThisContext, new Script(FAST, { filename: 'runner:shapes' }), []));
  } finally {
    setFlagsFromString('--no-allow-natives-syntax');
  }
}

// Each of these must give an object another shape, or elements.
const CHANGES = [
  (o) => { o.key = 1; },
  (o) => { o[0] = 1; },
  (o) => { defineProperty(o, 'hidden', { value: 1, enumerable: false }); },
  (o) => { o[Symbol.iterator] = 1; },
  (o) => { defineProperty(o, 'known', { enumerable: false }); },
  (o) => { defineProperty(o, 'known', { get() { return 1; } }); },
  (o) => { delete o.known; },
  (o) => { setPrototypeOf(o, null); },
  (o) => { setPrototypeOf(o, create(Object.prototype)); },
  freeze,
];

const plain = {};

// prototype is an object that others inherit from. V8 stores it in the fast form once they have been read through often
// enough.
function prototype(areFast) {
  const object = { known: 1 };
  const heir = create(object);
  for (let i = 0; i < 1000 && !areFast([object]); i++) heir.known; // eslint-disable-line no-unused-expressions
  return object;
}

const KINDS = [prototype, () => ({}), () => () => {}, () => class {}, () => function f() {}, () => Math.max.bind(null)];

// tellsChanges tries whether the addon notices changes of objects of each kind, and nothing else.
function tellsChanges(areFast) {
  return KINDS.every(make => CHANGES.every((change) => {
    const objects = [plain, make(areFast), make(areFast), make(areFast)];
    const [, before, changed, after] = objects;
    for (const object of [before, changed, after]) object.known = 1;
    if (!areFast(objects) || !note(objects) || !same(objects)) return false;
    before.known = 2;
    after.known = 2;
    if (!same(objects)) return false;
    change(changed);
    return !same(objects) && note([plain, before, after]);
  }));
}

const usable = note !== undefined && withFast(tellsChanges);

let noted = null; // whose shapes the addon has

class Shapes {
  // objects are those to watch. Those whose shapes tell nothing are left out.
  constructor(objects) {
    const telling = areFast => objects.filter(object => areFast([object]) && note([plain, object]));
    this.list = [plain].concat(usable ? withFast(telling) : []);
    this.telling = usable; // whether their shapes may tell anything
    noted = null;
  }

  // watches says whether an object is among those that are watched.
  watches(object) {
    return this.list.indexOf(object) > 0;
  }

  // same says that all objects that are watched have the keys and prototypes that they had at note. No means that
  // nobody knows: V8 may have collected garbage.
  same() {
    return noted === this && same(this.list);
  }

  // note takes the shapes for what they must be. If one tells nothing any more, none will.
  note() {
    if (!this.telling) return;
    this.telling = withFast(areFast => areFast(this.list)) && note(this.list);
    noted = this.telling ? this : null;
  }
}

module.exports = Shapes;
