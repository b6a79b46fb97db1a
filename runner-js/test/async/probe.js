'use strict';

// Asks of everything in table.js whether the runner sees that it is at work, in the version of Node.js that runs this. Prints a line for each fault.

const next = setImmediate; // before it is counted
const globals = Object.getOwnPropertyNames(global);
const { builtinModules } = require('module');
const trimProcess = require('../../trimprocess');
const withoutDeferral = require('../../deferred');
const pending = require('../../pending');
const watchWasm = require('../../realm/wasm');
const table = require('./table');

pending.watch();

const faults = [];
const rows = [];

// Objects of modules that have functions.
const inside = {
  crypto: ['subtle', 'webcrypto'],
  perf_hooks: ['performance'],
  'timers/promises': ['scheduler'],
  v8: ['promiseHooks', 'startupSnapshot'],
  worker_threads: ['locks'],
};

function collect() {
  for (const name of globals) {
    if (table.busyGlobals[name]) rows.push([name, table.busyGlobals[name]]);
    else if (!table.quietGlobals.includes(name) && !table.takenGlobals.includes(name)) faults.push(`the global ${name} is not in the table`);
  }
  const modules = builtinModules.map(name => name.replace('node:', '')).filter(isPublic);
  modules.forEach(name => collectModule(name, require(fullName(name))));
  for (const name of Object.keys(table.lastingModules)) {
    if (modules.includes(name)) collectRows(name, require(name), table.lastingModules[name], true);
  }
}

// collectNamespaces looks at objects that are no modules, after what the runner takes from them.
function collectNamespaces() {
  watchWasm((change) => { compiling += change; return true; });
  withoutDeferral(global);
  for (const name of Object.keys(table.quietNamespaces).filter(known => typeof global[known] === 'object')) {
    const [object, busy] = [global[name], name === 'WebAssembly' ? table.busyWasm : {}];
    const keys = Object.getOwnPropertyNames(name === 'navigator' ? Object.getPrototypeOf(object) : object);
    for (const key of keys.filter(known => known !== 'constructor')) {
      if (busy[key]) rows.push([`${name}.${key}`, () => compile(name, key, busy[key])]);
      else if (!table.quietNamespaces[name].includes(key)) faults.push(`${name}.${key} is not in the table`);
    }
  }
  if (typeof PerformanceObserver === 'function') faults.push('PerformanceObserver is not taken away');
  if (global.FinalizationRegistry && FinalizationRegistry.prototype.register.length > 0) faults.push('FinalizationRegistry is not taken away');
}

// compile asks at once: what is small may be over when promises have gone on.
function compile(name, key, start) {
  start(global[name]);
  if (compiling === 0) faults.push(`${name}.${key} is at work and was not seen`);
  return null;
}

// left is what the runner sees: of WebAssembly the realm counts.
let compiling = 0;
function left() {
  return compiling > 0 ? pending.WORK : pending.left(true);
}

function isPublic(name) {
  return !/^_|internal|\/deps\/|^node-inspect|^v8\//.test(name);
}

function fullName(name) {
  return builtinModules.includes(name) ? name : `node:${name}`;
}

function collectModule(name, exported) {
  const [busy, lasting, quiet] = [table.busyModules[name] || {}, table.lastingModules[name] || {}, table.quietModules[name]];
  for (const key of keysOf(name, exported)) {
    const known = key in busy || key in lasting || (quiet && quiet.includes(key)) || (key.endsWith('Sync') && typeof exported[key] === 'function');
    if (!known) faults.push(`${name}: ${key} is not in the table`);
  }
  collectRows(name, exported, busy, false);
}

// keysOf are the functions and objects that a module exports. Of process there are those that a worker keeps.
function keysOf(name, exported) {
  const keys = Object.getOwnPropertyNames(exported).filter(key => isObject(valueOf(exported, key)) && (name !== 'process' || trimProcess.kept.has(key)));
  for (const of of inside[name] || []) {
    for (let object = exported[of]; object && object !== Object.prototype; object = Object.getPrototypeOf(object)) {
      const names = Object.getOwnPropertyNames(object)
        .filter(key => key !== 'constructor' && isObject(valueOf(object, key)));
      keys.push(...names.map(key => `${of}.${key}`));
    }
  }
  return keys;
}

function valueOf(object, key) {
  try {
    return object[key];
  } catch (error) {
    return undefined; // a getter of a prototype
  }
}

function isObject(value) {
  return typeof value === 'function' || (typeof value === 'object' && value !== null);
}

function collectRows(name, exported, starts, lasting) {
  for (const key of Object.keys(starts)) {
    const there = key.split('.').reduce((object, part) => object && valueOf(object, part), exported);
    if (typeof there === 'function') rows.push([`${name}.${key}`, () => starts[key](exported), lasting]);
  }
}

function ask([name, start, lasting], done) {
  if (left() !== pending.NOTHING) throw new Error(`work is left before ${name}`);
  const end = start();
  if (process._tickCallback) process._tickCallback();
  if (end !== null && left() === pending.NOTHING) faults.push(`${name} is at work and was not seen`);
  if (typeof end === 'function') end();
  const wait = () => (left() === pending.NOTHING ? done() : next(lasting ? forget : wait));
  const forget = () => { pending.markBaseline(); wait(); };
  next(lasting ? forget : wait);
}

function askAll(i) {
  if (i < rows.length) ask(rows[i], () => askAll(i + 1));
  else finish();
}

function finish() {
  process.stdout.write([`${rows.length} asked`].concat(faults).join('\n') + '\n', () => process.exit(0));
}

collect();
collectNamespaces();
process.stdout.write(''); // opens it
if (global.Headers) new global.Headers(); // loads fetch
process.on('unhandledRejection', () => {});
next(() => next(() => {
  pending.markBaseline();
  askAll(0);
}));
