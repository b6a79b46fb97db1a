'use strict';

// A Node.js console whose lines become log frames.

const { Console } = host;
const { apply } = Reflect;
const { keys } = Object;
const { stringify } = JSON;

const METHODS = Object.keys(new Console(sink(() => {}), sink(() => {}))).filter(name => name !== 'Console' && name[0] !== '_');

// sink is as much of a stream as Console needs.
function sink(write) {
  return {
    write(text) { write(text); return true; },
    once() {}, on() {}, removeListener() {}, listenerCount() { return 0; },
  };
}

// consoles returns a function that makes the console of each call, which hands each non-empty line to log(level, line). Its methods are
// those of every console; guard.js looks at what is left on them.
function consoles(log) {
  let real = null; // of the call in progress, from its first line on
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

// copier returns a function that copies object. It is made of source text, as a literal: V8 makes that in one go, and would add the members of an
// assignment one by one.
function copier(object) {
  const members = keys(object).map(name => `${stringify(name)}: object[${stringify(name)}]`);
  return Function('object', `return () => ({ ${members.join(', ')} })`)(object);
}

consoles.methods = [];

module.exports = consoles;
