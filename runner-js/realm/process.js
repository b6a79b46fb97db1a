'use strict';

// What a function with "globals":"web" finds as process: an object of its call that nothing of the real process can be
// reached from.

const makeStream = require('./stdio');

const { runner } = host;
const { version, versions, platform, arch } = JSON.parse(host.process);
const { defineProperty, freeze } = Object;
const { apply } = Reflect;
const { floor } = Math;
const { BigInt: toBigInt } = Function('return this')(); // undefined on Node.js 8
const { split } = String.prototype;
const { then } = Promise.prototype;
const settled = Promise.resolve();

freeze(versions);

const LISTENING = [
  'on', 'once', 'off', 'addListener', 'removeListener', 'removeAllListeners', 'prependListener', 'setMaxListeners',
];

// makeProcess returns that of a call with these variables; fail takes what a tick throws.
function makeProcess(env, fail) {
  const elapsed = runner.clock();
  const self = {
    title: 'node',
    version,
    versions,
    platform,
    arch,
    release: { name: 'node' },
    env: copyOf(env),
    argv: [],
    execArgv: [],
    execPath: '',
    pid: 1,
    ppid: 0,
    exitCode: undefined,
    features: {},
    stdout: undefined,
    stderr: undefined,
    cwd: () => '/',
    uptime: () => elapsed() / 1e3,
    hrtime: hrtimeOf(elapsed),
    memoryUsage: () => ({ rss: 0, heapTotal: 0, heapUsed: 0, external: 0, arrayBuffers: 0 }),
    emitWarning(warning) {
      print('error', `${(warning && warning.name) || 'Warning'}: ${(warning && warning.message) || warning}`);
    },
    nextTick(callback, ...args) { soon(fail, callback, args); },
    exit() { throw new Error('process.exit is not available in functions'); },
    listeners: () => [],
    listenerCount: () => 0,
    emit: () => false,
  };
  for (const name of LISTENING) self[name] = () => self; // nothing is ever emitted
  const later = (callback, args) => soon(fail, callback, args);
  defineLate(self, 'stdout', () => makeStream('info', 1, later));
  defineLate(self, 'stderr', () => makeStream('error', 2, later));
  defineProperty(self, Symbol.toStringTag, { value: 'process', configurable: true });
  return self;
}

function copyOf(env) {
  const copy = {};
  for (const name of Object.keys(env)) {
    defineProperty(copy, name, { value: env[name], writable: true, enumerable: true, configurable: true });
  }
  return copy;
}

// hrtimeOf counts from the beginning of the call.
function hrtimeOf(elapsed) {
  function hrtime(before) {
    const now = elapsed();
    const time = [floor(now / 1e3), floor((now % 1e3) * 1e6)];
    if (before === undefined) return time;
    const [seconds, rest] = [time[0] - before[0], time[1] - before[1]];
    return rest < 0 ? [seconds - 1, rest + 1e9] : [seconds, rest];
  }
  if (toBigInt) hrtime.bigint = () => toBigInt(floor(elapsed() * 1e6));
  return hrtime;
}

// print logs a text line by line: a line of the log has no line break.
function print(level, text) {
  for (const line of apply(split, text, ['\n'])) {
    if (line !== '') runner.log(level, line);
  }
}

// defineLate gives object a property whose value is made when it is first read.
function defineLate(object, name, make) {
  let value;
  let made = false;
  const get = () => {
    if (!made) value = make();
    made = true;
    return value;
  };
  function set(other) {
    if (this === object) [value, made] = [other, true];
    else defineProperty(this, name, { value: other, writable: true, enumerable: true, configurable: true });
  }
  defineProperty(object, name, { get, set, enumerable: true, configurable: true });
}

// soon calls a function when the code that is running has returned, and gives fail what it throws.
function soon(fail, callback, args) {
  if (typeof callback !== 'function') throw new TypeError('The "callback" argument must be of type function');
  apply(then, settled, [() => {
    try {
      apply(callback, undefined, args);
    } catch (error) {
      fail(error);
    }
  }]);
}

module.exports = { makeProcess, soon };
