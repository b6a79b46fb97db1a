'use strict';

// Takes what the runner needs of the language and of Node.js before a function runs, and removes what a function must
// not find. This is hygiene: the wall is the process (docs/isolation.md).

const fs = require('fs');
const path = require('path');
const { Console } = require('console');
const output = require('./output');
const hideMachine = require('./machine');
const pending = require('./pending');
const trimProcess = require('./trimprocess');
const { forbidImport, forbidInternals } = require('./internals');
const withoutDeferral = require('./deferred');

// apply loads the modules that functions may require, from the directory dir if they are there, and then closes the
// ways from a module back into the runner. It returns a map of their exports, and one of the errors of those that
// cannot be loaded.
function apply(names, dir) {
  pending.watch();
  output.install(); // what a module prints must not get into the frames
  Object.defineProperty(global, 'console', { value: new Console(output.stdout, output.stderr) });
  hideMachine();
  const modules = new Map();
  const missing = new Map();
  for (const name of names) {
    try {
      modules.set(name, require(find(name, dir)));
    } catch (error) {
      missing.set(name, cause(error));
    }
  }
  forbidCodeGeneration();
  forbidImport();
  forbidInternals();
  withoutDeferral(global);
  new Console(output.nowhere).log({}); // newer versions check the real streams at the first line
  Buffer.poolSize = 0; // a shared pool would show a function other contents
  process.on('SIGUSR1', () => {}); // would open the inspector
  trimProcess();
  for (const name of ['stdout', 'stderr']) Object.defineProperty(process, name, { value: output[name] });
  return { modules, missing };
}

// find is what to require for a module: its file in the operator's own directory, if it is there, else its name.
function find(name, dir) {
  if (!dir) return name;
  try {
    const file = require.resolve(name, { paths: [dir] });
    return file.startsWith(fs.realpathSync(dir) + path.sep) ? file : name;
  } catch (error) {
    return name;
  }
}

// cause says in one line why a module could not be loaded. A SyntaxError does not say where it is.
function cause(error) {
  const [line] = String(error && error.message).split('\n');
  return error instanceof SyntaxError ? `its code is too new (${line})` : line;
}

// told is what the host is told of a module that cannot be loaded: a short line.
function told(name, why) {
  return `${name}: ${why.slice(0, 120)}`.replace(/[^ -~]/g, '?');
}

// forbidCodeGeneration keeps functions from compiling code in the runner's own realm through the constructor of any
// function that they get.
function forbidCodeGeneration() {
  const kinds = [() => {}, function* generator() {}, async () => {}];
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

module.exports = { apply, told };
