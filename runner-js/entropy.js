'use strict';

// Random state that must differ between two workers that were forked from the same process.

const { randomBytes } = require('crypto');
const makeRandom = require('./realm/random');

// seed draws the state of a generator.
function seed() {
  const bytes = randomBytes(16);
  return [0, 4, 8, 12].map(at => bytes.readUInt32LE(at));
}

const { random, reset } = makeRandom(seed);
Math.random = random; // before a module keeps the original

module.exports = { seed, reset };
