'use strict';

// Functions of Node.js whose effect outlasts the call that uses them, where neither the event loop nor a count of
// timers shows it: they observe later calls, or go on by themselves. A call that uses one ends its worker. Functions
// can reach them only through modules that the operator lists, or outside the language.

const Module = require('module');

// By module, with a dot for nested objects.
const LASTING = {
  // observes modules of Node.js
  diagnostics_channel: ['Channel.prototype.subscribe', 'Channel.prototype.bindStore'],
  // the latter has a timer outside JavaScript
  perf_hooks: ['PerformanceObserver.prototype.observe', 'monitorEventLoopDelay'],
  v8: ['promiseHooks.onInit', 'promiseHooks.onBefore', 'promiseHooks.onAfter', 'promiseHooks.onSettled',
    'promiseHooks.createHook',
    'GCProfiler.prototype.start', 'startCpuProfile'],
  inspector: ['Session.prototype.connect', 'Session.prototype.connectToMainThread', 'open'],
  trace_events: ['createTracing'],
  module: ['register', 'registerHooks'], // every later require() calls it
};

// These are done when their promise settles, which nothing else shows.
const SETTLING = {
  vm: ['measureMemory'],
  worker_threads: ['locks.__proto__.request'],
};

const { apply } = Reflect;
const { then } = Promise.prototype; // before a function replaces it: the count must be right

let count = 0;

// lasts counts each use permanently.
function lasts(real, self, args) {
  count++;
  return apply(real, self, args);
}

// settles counts each use until its promise is settled.
function settles(real, self, args) {
  const promise = apply(real, self, args);
  const over = () => { count--; };
  count++;
  apply(then, promise, [over, over]);
  return promise;
}

// What is still to be watched of a module, and of a global name that leads to one.
const modules = { __proto__: null };
for (const name of Object.keys(LASTING)) modules[name] = exported => wrap(exported, LASTING[name], lasts);
for (const name of Object.keys(SETTLING)) modules[name] = exported => wrap(exported, SETTLING[name], settles);
const globals = {
  performance: quiet,
  navigator: ({ locks }) => locks && modules.worker_threads && modules.worker_threads({ locks }),
};

// watch must be called before modules are loaded, which may keep the functions. It watches the modules of Node.js that
// are loaded by then: loading all of them would slow the start down.
function watch() {
  watchLoaded();
  Object.keys(globals).forEach(watchGlobal);
}

function watchLoaded() {
  for (const name of Object.keys(modules)) {
    if (!process.moduleLoadList.includes(`NativeModule ${name}`)) continue;
    once(modules, name, require(name));
  }
}

// watchOthers watches modules that are required later. It must not run while modules are loaded: Node.js finds out from
// the depth of the stack whom to warn.
function watchOthers() {
  const { _load: load } = Module;
  Module._load = function loadWatched(...args) {
    const exported = apply(load, this, args);
    const name = typeof args[0] === 'string' ? args[0].replace(/^node:/, '') : '';
    if (modules[name] && Module.builtinModules.includes(name)) once(modules, name, exported);
    return exported;
  };
}

function once(watchers, name, value) {
  const { [name]: watcher } = watchers;
  delete watchers[name];
  watcher(value);
}

// watchGlobal waits for the first use of the global name: Node.js loads what is behind it then.
function watchGlobal(name) {
  const lazy = Object.getOwnPropertyDescriptor(global, name);
  if (!lazy || !lazy.get) return;
  const get = function get() {
    const value = apply(lazy.get, this, []);
    if (globals[name]) once(globals, name, value);
    return value;
  };
  Object.defineProperty(global, name, Object.assign({}, lazy, { get }));
}

function wrap(exported, paths, by) {
  for (const path of paths) {
    const keys = path.split('.');
    const last = keys.pop();
    const holder = keys.reduce((object, key) => object && object[key], exported);
    if (holder && typeof holder[last] === 'function') holder[last] = new Proxy(holder[last], { apply: by });
  }
  if (paths === LASTING.diagnostics_channel) watchActive(exported);
  if (paths === LASTING.perf_hooks) quiet(exported.performance);
}

const nobody = () => true;

// quiet keeps the listeners of performance from being called in later calls.
function quiet(performance) {
  if (performance.dispatchEvent) Object.defineProperty(performance, 'dispatchEvent', { value: nobody });
}

// watchActive does the same for channels with subscribers, which have a prototype of their own.
function watchActive({ channel }) {
  const active = channel('runner');
  const hear = () => {};
  active.subscribe(hear);
  const prototype = Object.getPrototypeOf(active);
  for (const name of ['subscribe', 'bindStore']) prototype[name] = new Proxy(prototype[name], { apply: lasts });
  active.unsubscribe(hear);
}

let loading = true;

// restart forgets uses from before the first call, when modules were loaded.
function restart() {
  watchLoaded();
  if (loading) watchOthers();
  loading = false;
  count = 0;
}

// inUse says whether any was used, or any promise has not settled.
function inUse() {
  return count !== 0;
}

module.exports = { watch, restart, inUse };
