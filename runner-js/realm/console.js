'use strict';

// A Node.js console whose lines become log frames.

const { Console } = host;
const { apply } = Reflect;

const METHODS = Object.keys(new Console(sink(() => {}), sink(() => {}))).filter(name => name !== 'Console' && name[0] !== '_');

// sink is as much of a stream as Console needs.
function sink(write) {
  return {
    write(text) { write(text); return true; },
    once() {}, on() {}, removeListener() {}, listenerCount() { return 0; },
  };
}

// makeConsole returns a console that hands each non-empty line to log(level, line).
function makeConsole(log) {
  let real = null;
  const lines = level => (text) => {
    for (const line of text.split('\n')) {
      if (line !== '') log(level, line);
    }
  };
  const console = {};
  for (const name of METHODS) {
    console[name] = { [name](...args) {
      if (real === null) real = new Console(sink(lines('info')), sink(lines('error')));
      return apply(real[name], real, args);
    } }[name];
  }
  return console;
}

module.exports = makeConsole;
