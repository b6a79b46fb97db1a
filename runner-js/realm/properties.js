'use strict';

// What objects are in full: their keys in order, the descriptors of these, what they inherit from, and whether they can
// get other keys.

const { ownKeys, getOwnPropertyDescriptor, getPrototypeOf, isExtensible } = Reflect;
const { is } = Object;

class Properties {
  // It takes objects as they are now for what they must be.
  constructor(objects) {
    this.list = [];
    for (let i = 0; i < objects.length; i++) {
      const object = objects[i];
      const keys = ownKeys(object);
      const descriptors = [];
      for (let j = 0; j < keys.length; j++) descriptors[j] = getOwnPropertyDescriptor(object, keys[j]);
      this.list[i] = { object, prototype: getPrototypeOf(object), extensible: isExtensible(object), keys, descriptors };
    }
  }

  // same says whether all of them still are. What was undefined may have any value: the runner sets it for each call.
  same() {
    for (let i = 0; i < this.list.length; i++) {
      const { object, prototype, extensible, keys, descriptors } = this.list[i];
      if (getPrototypeOf(object) !== prototype || isExtensible(object) !== extensible) return false;
      const now = ownKeys(object);
      if (now.length !== keys.length) return false;
      for (let j = 0; j < now.length; j++) {
        if (now[j] !== keys[j] || !isAs(descriptors[j], getOwnPropertyDescriptor(object, now[j]))) return false;
      }
    }
    return true;
  }
}

function isAs(before, now) {
  return (before.value === undefined || is(now.value, before.value)) && now.get === before.get &&
    now.set === before.set && now.writable === before.writable && now.enumerable === before.enumerable &&
    now.configurable === before.configurable;
}

module.exports = Properties;
