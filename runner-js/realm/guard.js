'use strict';

// Notices what a call has added to or taken from the objects that the next call of the same function would share with it, such as a
// prototype polluted by its input. It sees keys, not values: docs/isolation.md says what that means.

const { ownKeys } = Reflect;

const SHARED = [
  Object.prototype, Function.prototype, Array.prototype, String.prototype, Number.prototype, Boolean.prototype, Error.prototype,
  Promise.prototype, RegExp.prototype, Date.prototype, Map.prototype, Set.prototype,
  Object, Function, Array, String, Number, Promise, Error, JSON, Math, Reflect,
].concat(host.shared);

const counts = SHARED.map(object => ownKeys(object).length);

// unchanged says whether every shared object has as many keys as at the start.
function unchanged() {
  for (let i = 0; i < SHARED.length; i++) {
    if (ownKeys(SHARED[i]).length !== counts[i]) return false;
  }
  return true;
}

module.exports = unchanged;
