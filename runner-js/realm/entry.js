'use strict';

// What a call calls of code that declares no main: what it has exported.

const isFunction = value => typeof value === 'function';

// hasFetch says whether value is a web handler: an object, or a function, with a method fetch.
function hasFetch(value) {
  return ((typeof value === 'object' && value !== null) || isFunction(value)) && isFunction(value.fetch);
}

// entryOf returns {handler} for an object with a method fetch, {main} for a function, and null if nothing is called.
function entryOf(exported) {
  if (exported === null || (typeof exported !== 'object' && !isFunction(exported))) return null;
  const { default: chosen, main } = exported;
  if (isFunction(main)) return { main };
  if (hasFetch(chosen)) return { handler: chosen };
  if (isFunction(chosen)) return { main: chosen };
  if (isFunction(exported)) return { main: exported };
  return hasFetch(exported) ? { handler: exported } : null;
}

module.exports = entryOf;
