'use strict';

// What the runner needs of the language and of Node.js it takes before a function runs; what a function must not find, it removes.
// This is hygiene: the wall is the process (docs/isolation.md).

const { writeSync } = require('fs');
const { Console } = require('console');
const pending = require('./pending');

// apply loads the modules that functions may require and then closes the ways from a module back into the runner.
// It returns a map of their exports.
function apply(names) {
  pending.watchTimers(global);
  Object.defineProperty(global, 'console', { value: new Console(stderr) }); // a module's print must not get into the frames
  const modules = new Map();
  for (const name of names) modules.set(name, require(name));
  forbidCodeGeneration();
  pending.markBaseline();
  return modules;
}

const stderr = {
  write(text) { writeSync(2, text); return true; },
  on() {}, once() {}, removeListener() {}, listenerCount() { return 0; },
};

// forbidCodeGeneration keeps functions from compiling code in the runner's own realm through the constructor of any function that
// they are handed.
function forbidCodeGeneration() {
  const kinds = [() => {}, function* generator() {}, async () => {}]; // eslint-disable-line
  for (const kind of kinds) {
    const prototype = Object.getPrototypeOf(kind);
    const { name } = prototype.constructor;
    const refuse = {
      [name]: function refused() {
        throw new EvalError('Code generation from strings disallowed for this context');
      },
    }[name];
    Object.defineProperty(refuse, 'name', { value: name });
    Object.defineProperty(prototype, 'constructor', { value: refuse });
  }
}

module.exports = { apply };
