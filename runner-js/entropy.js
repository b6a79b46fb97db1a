'use strict';

// Random state that must differ between two workers that were forked from the same process.

const asyncHooks = require('async_hooks');
const crypto = require('crypto');
const makeRandom = require('./realm/random');

const { randomBytes } = crypto;
const { apply } = Reflect;
const { defineProperty, getOwnPropertyDescriptor, getPrototypeOf } = Object;

// What draws random numbers that a library, or Node.js itself, may keep for later.
const DRAWING = [
  'randomBytes', 'pseudoRandomBytes', 'prng', 'rng', 'randomFill', 'randomFillSync', 'randomInt', 'randomUUID',
  'randomUUIDv7', 'getRandomValues',
];

let draws = 0;

// seed draws the state of a generator, which is reset and no draw of the function's.
function seed() {
  const before = draws;
  const bytes = randomBytes(16);
  draws = before;
  return [0, 4, 8, 12].map(at => bytes.readUInt32LE(at));
}

const { random, reset: resetOurs } = makeRandom(seed);
Math.random = random; // before a module keeps the original

const resets = [resetOurs];

// resetToo has reset call another function.
function resetToo(other) {
  resets.push(other);
}

// reset has all generators draw their state anew.
function reset() {
  for (let i = 0; i < resets.length; i++) resets[i]();
}

// countDraws counts what is drawn from crypto from now on. It must be called before modules are loaded, which keep the
// functions.
function countDraws() {
  const { webcrypto } = /** @type {any} */ (crypto); // which Node.js 8 does not have
  const web = webcrypto ? Object.getPrototypeOf(webcrypto) : {};
  for (const object of [crypto, web]) DRAWING.forEach(name => countDrawsOf(object, name));
  const jobs = jobsThatDraw();
  if (jobs !== null) countDrawsOf(jobs, 'run');
}

// jobsThatDraw is the prototype of what Node.js 16 and later draw with, also where they do not call the functions
// above: URL.createObjectURL fills the store of UUIDs. A hook is what leads to it in all versions. Null for others.
function jobsThatDraw() {
  let found = null;
  const init = (id, type, trigger, job) => { if (type === 'RANDOMBYTESREQUEST') found = getPrototypeOf(job); };
  const hook = asyncHooks.createHook({ init }).enable();
  randomBytes(1);
  hook.disable();
  return found;
}

function countDrawsOf(object, name) {
  const property = getOwnPropertyDescriptor(object, name);
  if (property === undefined || typeof property.value !== 'function' || !property.configurable) return;
  const draw = property.value;
  const counted = {
    [name](...args) {
      draws++;
      return apply(draw, this, args);
    },
  }[name];
  defineProperty(counted, 'length', { value: draw.length, configurable: true });
  defineProperty(object, name, Object.assign(property, { value: counted }));
}

// drawn says whether anything was. A snapshot must hold no numbers that every call would find.
function drawn() {
  return draws > 0;
}

module.exports = { seed, reset, resetToo, countDraws, drawn };
