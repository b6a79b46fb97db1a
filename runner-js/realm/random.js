'use strict';

// Random numbers for a process that was forked from another: V8's own generator would repeat in every fork.

// makeRandom returns a Math.random whose state is drawn by seed(), four 32-bit numbers, at its first use and again
// after reset(). The generator is xoshiro128** of Blackman and Vigna.
function makeRandom(seed) {
  let state = null;

  function next() {
    const mixed = Math.imul(rotate(Math.imul(state[1], 5), 7), 9) >>> 0;
    const t = state[1] << 9;
    state[2] ^= state[0];
    state[3] ^= state[1];
    state[1] ^= state[2];
    state[0] ^= state[3];
    state[2] ^= t;
    state[3] = rotate(state[3], 11);
    return mixed;
  }

  const { random } = {
    random() {
      if (state === null) state = seed();
      return ((next() >>> 5) * 0x4000000 + (next() >>> 6)) / 0x20000000000000;
    },
  };
  return { random, reset() { state = null; } };
}

function rotate(x, k) {
  return (x << k) | (x >>> (32 - k));
}

module.exports = makeRandom;
