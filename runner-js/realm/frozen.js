'use strict';

// Classes whose objects functions get, so that a call cannot leave anything in what the next one shares.

const { ownKeys, getOwnPropertyDescriptor } = Reflect;
const { freeze } = Object;

// frozen freezes a class with all that its prototype has, and returns it.
function frozen(type) {
  functionsOf(type.prototype).forEach(freeze);
  freeze(type.prototype);
  return freeze(type);
}

// functionsOf returns the functions, getters and setters among the properties of an object.
function functionsOf(object) {
  const found = [];
  for (const key of ownKeys(object)) {
    const { value, get, set } = getOwnPropertyDescriptor(object, key);
    found.push(...[value, get, set].filter(one => typeof one === 'function' && one.prototype !== object));
  }
  return found;
}

module.exports = { frozen, functionsOf };
