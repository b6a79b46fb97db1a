'use strict';

// Detects changes by a call to built-in objects that the next call of the same function would share, such as a
// prototype polluted by its input. docs/isolation.md says what it covers.

const errors = require('./errors');
const intrinsics = require('./intrinsics');
const Properties = require('./properties');

const { ownKeys, getOwnPropertyDescriptor, getPrototypeOf } = Reflect;
const { create, freeze, isFrozen, keys } = Object;
const { stringify } = JSON;

// The runner has a realm of its own, in which modules live.
const runners = host.intrinsics;

const prototypes = keys(errors).map(name => errors[name].prototype);
const ours = keys(errors).map(name => errors[name])
  .concat(prototypes, require('./request').Request.prototype, require('./response').Response.prototype);

const own = intrinsics.watched(ours);
const others = runners.watched(host.shared);
// Modules call these through their properties; no code of a function is there.
runners.allFunctionsOf(runners.watched([])).forEach(freeze);
runners.lockAccessors(others); // not those of the function's realm: polyfills replace them

// Checked after every call: enumerable keys, which input can bring, and all values.
const SHARED = intrinsics.close.concat(ours, runners.closest, host.shared);

// The functions that these objects hold, and those of consoles: libraries leave marks on them. After every call they
// are checked for what input can leave there, as obj[a][b] = c does; the rest is checked as rarely as it is expensive.
// Frozen ones stay as they are.
const { methods } = require('./console');
const isOpen = f => !isFrozen(f);
const functions = intrinsics.allFunctionsOf(own.concat(host.shared)).concat(methods).filter(isOpen);
const reachable = own.filter(object => intrinsics.unreachable.indexOf(object) < 0);
const near = intrinsics.functionsOf(reachable.concat(host.shared)).concat(methods).filter(isOpen);

// Other objects that input can reach, through what those inherit from in either realm: file.__proto__.__proto__ of a
// Buffer.
const beyond = reachable.concat(others.filter(object => runners.unheld.indexOf(object) < 0))
  .filter(object => SHARED.indexOf(object) < 0);
own.concat(others).forEach(makeFast);
// Most of these have no enumerable keys, and checking that costs less than counting them, except for String.prototype.
const strings = [intrinsics, runners].map(({ everything }) => everything.String.prototype);
const empty = SHARED.filter(object => strings.indexOf(object) < 0).concat(near, beyond).filter(isBare);
const full = SHARED.filter(object => empty.indexOf(object) < 0);
// V8 tells of most of them that they have not changed, and of nearly everything else. Only the first few, of which it
// does not, are looked at then.
const shapes = host.shapesOf(intrinsics.unique(full.concat(empty, own, others, functions)));
const [blank, blankFirst] = sorted(empty);
const [counted, countedFirst] = sorted(full);
const [open, openFirst] = sorted(functions);
const lengths = open.map(f => ownKeys(f).length);
const inherited = open.map(getPrototypeOf);
let enumerable; // keys of those that are counted

const intact = [comparison(own, near), comparison(others, [])];
intact.forEach(compare => compare()); // is compiled now, once for all workers that are forked

// Ten times as expensive: all their keys, and those of the global objects; their getters and setters.
const [keyed, keyedFirst] = sorted(SHARED.concat(beyond, intrinsics.everything, runners.everything));
let counts;
let accessors;

// A hundred times as expensive: everything. A getter in place of a value could have lied before.
const all = own.concat(others);
let properties;
let ofFunctions; // a change of theirs changes their shapes
remember();

/** @type {() => boolean} */
let checkMore = null; // says whether the worker may serve other calls, beside what is compared here

/** @type {() => void} */
let clear = null; // takes away what a call may leave

// Code that changes built-in objects on purpose does it in its first calls.
const FIRST = 8;
const EVERY = 64;
const SELDOM = 256;
const RARELY = 1024;
let count = 0;

// comparison returns a function that says whether all objects still have the prototypes and the values that they have
// now, and whether all functions of heirs inherit the same (asking for a prototype itself costs ten times as much). It
// is one generated function that names every value as a constant, because of V8's optimizer: V8 checks the shape of
// each object once, reduces the comparison to its result, and discards that as soon as one of the shapes changes. Code
// that is not there need not be fetched from memory in a rarely used worker. (One expression of all terms would nest
// too deeply to compile cheaply.)
function comparison(objects, heirs) {
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
  for (const heir of heirs) statements.push(`if (${constant(heir)}.call !== ${constant(heir.call)}) return false;`);
  const declarations = constants.map((_, i) => `c${i} = constants[${i}]`);
  const check = `() => { ${statements.join(' ')} return true; }`;
  return Function('constants', `const ${declarations.join(', ')}; return ${check};`)(constants);
}

// isFixed says whether a key must keep its value: a function, or anything assignable, or what a symbol names. What the
// runner sets for each call is undefined here.
function isFixed(object, key) {
  const { value, writable } = getOwnPropertyDescriptor(object, key);
  if (typeof value === 'function') return true;
  // eslint-disable-next-line no-self-compare
  return (writable || typeof key === 'symbol') && value !== undefined && value === value;
}

// accessorsOf returns the getters and setters of all objects, with their places.
function accessorsOf(objects) {
  const list = [];
  intrinsics.eachProperty(objects, ({ get, set, configurable }, object, key) => {
    if (configurable && (get || set)) list.push({ object, key, get, set });
  });
  return list;
}

// unchanged says whether every shared object has the prototype, the values and as many enumerable keys as at the start,
// and the functions have none. In the first calls and every EVERYth, also whether it has as many keys of any kind; in
// the first calls, whether it has the same accessors; in the first, second, fourth and eighth and every SELDOMth,
// whether the functions have as many keys; in every RARELYth, whether all of them hold the same properties. Where V8
// tells that nothing has changed, all that needs no look but the values.
function unchanged() {
  count++;
  if (checkMore !== null && !checkMore()) return false; // whatever the rest finds
  if (clear !== null) clear();
  forgetMatches();
  if (!intact[0]() || !intact[1]()) return false;
  const told = shapes.same();
  if (!sameEnumerable(told)) return false;
  if (count <= FIRST) {
    return sameKeys(told) && sameAccessors() && ((count & (count - 1)) !== 0 || sameFunctions(told));
  }
  return (count % SELDOM !== 0 || sameFunctions(told)) && (count % EVERY !== 0 || sameKeys(told)) &&
    (count % RARELY !== 0 || (properties.same() && (told || ofFunctions.same())));
}

// forgetMatches overwrites what was matched last, which the next call could read from RegExp in either realm.
function forgetMatches() {
  intrinsics.forgetMatch();
  runners.forgetMatch();
}

// makeFast makes V8 store an object in the form in which looking for keys takes a tenth of the time. V8 does that for
// objects that others inherit from, when a property is read through them.
function makeFast(object) {
  return create(object).unknown;
}

// sorted returns objects with those first that shapes does not watch, and how many these are.
function sorted(objects) {
  const first = objects.filter(object => !shapes.watches(object));
  return [first.concat(objects.filter(object => shapes.watches(object))), first.length];
}

// sameEnumerable says whether all objects have as many enumerable keys as at the start. told says that V8 tells that of
// those that it can tell of. If it no longer does, one may have changed, or V8 has collected garbage: then everything
// is compared, and the shapes are noted for what they must be.
function sameEnumerable(told) {
  if (!sameCounts(told) || !bare(told)) return false;
  if (told || !shapes.telling) return true;
  if (!sameKeys(false) || !properties.same() || !ofFunctions.same()) return false;
  shapes.note();
  return true;
}

function sameCounts(told) {
  const end = told ? countedFirst : counted.length;
  for (let i = 0; i < end; i++) {
    if (keys(counted[i]).length !== enumerable[i]) return false;
  }
  return true;
}

// bare says whether all of blank still have no enumerable keys.
function bare(told) {
  const end = told ? blankFirst : blank.length;
  for (let i = 0; i < end; i++) {
    for (const key in blank[i]) return false; // eslint-disable-line no-unreachable-loop
  }
  return true;
}

// isBare says whether an object has no enumerable keys, its own or inherited.
function isBare(object) {
  for (const key in object) return false; // eslint-disable-line no-unreachable-loop
  return true;
}

function sameFunctions(told) {
  const end = told ? openFirst : open.length;
  for (let i = 0; i < end; i++) {
    if (ownKeys(open[i]).length !== lengths[i] || getPrototypeOf(open[i]) !== inherited[i]) return false;
  }
  return true;
}

function sameKeys(told) {
  const end = told ? keyedFirst : keyed.length;
  for (let i = 0; i < end; i++) {
    if (ownKeys(keyed[i]).length !== counts[i]) return false;
  }
  return true;
}

function sameAccessors() {
  for (let i = 0; i < accessors.length; i++) {
    const { object, key, get, set } = accessors[i];
    const now = getOwnPropertyDescriptor(object, key);
    if (now === undefined || now.get !== get || now.set !== set) return false;
  }
  return true;
}

// remember takes everything as it is now for what it must be, except for the values that comparison has. V8 caches the
// enumerable keys of an object in for-in, and then counts them ten times as fast.
function remember() {
  counted.forEach(isBare);
  enumerable = counted.map(object => keys(object).length);
  counts = keyed.map(object => ownKeys(object).length);
  accessors = accessorsOf(SHARED);
  properties = new Properties(all);
  ofFunctions = new Properties(functions);
}

// extend makes the guard ask check first, and then call clearFirst, and takes what the runner has changed since
// the start for what it must be.
function extend(check, clearFirst) {
  checkMore = check;
  clear = clearFirst;
  remember();
}

// restart makes the next call count as the first one.
function restart() {
  count = 0;
  forgetMatches();
}

module.exports = { unchanged, extend, restart };
