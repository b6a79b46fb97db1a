'use strict';

// A Node.js console whose lines become log frames.

const { Console } = host;
const { apply } = Reflect;
const { keys } = Object;
const { stringify } = JSON;

const METHODS = Object.keys(new Console(sink(() => {}), sink(() => {})))
  .filter(name => name !== 'Console' && name[0] !== '_');

// sink is as much of a stream as Console needs.
function sink(write) {
  return {
    write(text) { write(text); return true; },
    once() {}, on() {}, removeListener() {}, listenerCount() { return 0; },
  };
}

// consoles returns a function that makes the console of each call, which passes each non-empty line to log(level,
// line). All consoles share its methods; guard.js checks what is left on them.
function consoles(log) {
  let real = null; // Console of the call in progress, created at its first line
  const lines = level => sink((text) => {
    for (const line of text.split('\n')) {
      if (line !== '') log(level, line);
    }
  });
  const methods = {};
  for (const name of METHODS) {
    methods[name] = { [name](...args) {
      if (real === null) real = new Console(lines('info'), lines('error'));
      return apply(real[name], real, args);
    } }[name];
    consoles.methods.push(methods[name]);
  }
  const copy = copier(methods);
  return () => {
    real = null;
    return copy();
  };
}

// copier returns a function that copies object. It is generated as an object literal: V8 creates that in one step, and
// would add assigned members one by one.
function copier(object) {
  const members = keys(object).map(name => `${stringify(name)}: object[${stringify(name)}]`);
  return Function('object', `return () => ({ ${members.join(', ')} })`)(object);
}

consoles.methods = [];

module.exports = consoles;
