'use strict';

// What the runner needs of the language and of Node.js it takes before a function runs; what a function must not find, it removes.
// This is hygiene: the wall is the process (docs/isolation.md).

const { writeSync } = require('fs');
const { Console } = require('console');
const output = require('./output');
const hideMachine = require('./machine');
const pending = require('./pending');
const disarm = require('./disarm');
const { exit } = require('./frame');
const { forbidImport, forbidInternals } = require('./internals');
const withoutDeferral = require('./deferred');

// apply loads the modules that functions may require and then closes the ways from a module back into the runner.
// It returns a map of their exports.
function apply(names) {
  pending.watch();
  output.install(); // a module's print must not get into the frames
  Object.defineProperty(global, 'console', { value: new Console(output.stdout, output.stderr) });
  hideMachine();
  const modules = new Map();
  for (const name of names) modules.set(name, load(name));
  forbidCodeGeneration();
  forbidImport();
  forbidInternals();
  withoutDeferral(global);
  new Console(output.nowhere).log({}); // newer versions look at the real streams at the first line
  Buffer.poolSize = 0; // a shared pool would show a function what else lies in it
  process.on('SIGUSR1', () => {}); // would open the inspector
  disarm();
  for (const name of ['stdout', 'stderr']) Object.defineProperty(process, name, { value: output[name] });
  return modules;
}

// load returns a module. Without one of those that the operator named there is nothing to start.
function load(name) {
  try {
    return require(name); // eslint-disable-line
  } catch (error) {
    const [cause] = String(error.message).split('\n');
    writeSync(2, `DEFAULT_GLOBAL_MODULES: ${name} cannot be loaded by Node.js ${process.version}: ${cause}. `
      + 'Install it where the runner is (cd runner-js && npm install MODULE), in a version for this Node.js, or take it out of the list\n');
    return exit(70);
  }
}

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
