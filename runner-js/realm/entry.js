'use strict';

// What a call calls of code that declares no main: what it has exported.

const isFunction = value => typeof value === 'function';

// entryOf returns {main}, and null if nothing is called.
function entryOf(exported) {
  if (exported === null || (typeof exported !== 'object' && !isFunction(exported))) return null;
  const main = [exported.main, exported.default, exported].find(isFunction);
  return main === undefined ? null : { main };
}

module.exports = entryOf;
