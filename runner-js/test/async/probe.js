'use strict';

// Asks of everything in table.js whether the runner sees that it is at work, in the version of Node.js that runs this. Prints a line for each fault.

const next = setImmediate; // before it is counted
const globals = Object.getOwnPropertyNames(global);
const { builtinModules } = require('module');
const pending = require('../../pending');
const table = require('./table');

pending.watch();

const faults = [];
const rows = [];

function collect() {
  for (const name of globals) {
    if (table.busyGlobals[name]) rows.push([name, table.busyGlobals[name]]);
    else if (!table.quietGlobals.includes(name) && !table.takenGlobals.includes(name)) faults.push(`the global ${name} is not in the table`);
  }
  for (const full of builtinModules) {
    const name = full.replace('node:', '');
    if (name.startsWith('_') || name.includes('internal') || name.includes('/deps/') || name.startsWith('node-inspect') || name.startsWith('v8/')) continue;
    const busy = table.busyModules[name];
    if (busy) [].concat(busy).forEach((start, i) => rows.push([`${name} ${i}`, () => start(require(full))]));
    else if (busy !== null && !table.quietModules.includes(name)) faults.push(`the module ${name} is not in the table`);
  }
}

function ask([name, start], done) {
  if (pending.left(true) !== pending.NOTHING) throw new Error(`work is left before ${name}`);
  const end = start();
  if (process._tickCallback) process._tickCallback();
  if (end !== null && pending.left(true) === pending.NOTHING) faults.push(`${name} is at work and was not seen`);
  if (typeof end === 'function') end();
  const wait = () => (pending.left(true) === pending.NOTHING ? done() : next(wait));
  next(wait);
}

function askAll(i) {
  if (i < rows.length) ask(rows[i], () => askAll(i + 1));
  else finish();
}

function finish() {
  process.stdout.write([`${rows.length} asked`].concat(faults).join('\n') + '\n', () => process.exit(0));
}

collect();
process.stdout.write(''); // opens it
builtinModules.filter(name => table.busyModules[name]).forEach(name => require(name));
if (global.Headers) new global.Headers(); // loads fetch
process.on('unhandledRejection', () => {});
next(() => next(() => {
  pending.markBaseline();
  askAll(0);
}));
