'use strict';

// Parts of Node.js that only its own tests can reach, with --expose-internals: the timers and immediates that it keeps
// in JavaScript, what import() calls, and what require() may load. Node.js 8 keeps timers as handles and has no
// import().

const lists = require('./timerlists');

const version = parseInt(process.versions.node, 10);

// load returns an internal module without the warning about internal modules.
function load(name) {
  const { emitWarning } = process;
  process.emitWarning = () => {};
  try {
    return require(name);
  } catch (error) {
    const wanted = `start Node.js with --expose-internals, and a version that has ${name}, such as 8, 18, 20, 22 or 24`;
    throw new Error(`${wanted}: ${error.message}`);
  } finally {
    process.emitWarning = emitWarning;
  }
}

const timers = version < 11 ? {} : load('internal/timers');
const { internalBinding } = version < 11 ? {} : load('internal/test/binding');
const cares = version < 11 ? process.binding('cares_wrap') : internalBinding('cares_wrap'); // native half of dns
const builtins = version < 11 ? null : load('internal/modules/helpers').loadBuiltinModule('fs').constructor;
const KNOWN = ['timerListMap', 'timerListQueue', 'immediateQueue'];
if (version >= 11 && !(KNOWN.every(name => timers[name]) && internalBinding('timers').immediateInfo)) {
  throw new Error(`Node.js ${process.version} keeps its timers elsewhere; use 8, 18, 20, 22 or 24`);
}

// forbidImport makes every import() fail: with it, code that a module compiles would find all modules of Node.js.
function forbidImport() {
  if (version < 11) return;
  const refuse = (...args) => {
    const what = typeof args[1] === 'string' ? `: ${args[1]}` : '';
    return Promise.reject(new TypeError(`import() is not available in functions${what}`));
  };
  internalBinding('module_wrap').setImportModuleDynamicallyCallback(refuse);
}

// forbidInternals undoes --expose-internals: from now on no require(), in whatever hands, loads an internal module.
function forbidInternals() {
  if (version < 11) forbidOld(nativeModule());
  else {
    const { map, setRealmAllowRequireByUsers } = builtins;
    const open = Array.from(map.keys()).filter(id => !id.startsWith('internal/'));
    if (setRealmAllowRequireByUsers) setRealmAllowRequireByUsers(open);
    else allowAlone(open);
  }
}

// allowAlone is setRealmAllowRequireByUsers for Node.js 18, which has none: it asks these two.
function allowAlone(open) {
  const { canBeRequiredWithoutScheme } = builtins;
  const { apply } = Reflect;
  const ids = open.reduce((all, id) => { all[id] = true; return all; }, { __proto__: null });
  builtins.canBeRequiredByUsers = id => typeof id === 'string' && ids[id] === true;
  builtins.canBeRequiredWithoutScheme = id => builtins.canBeRequiredByUsers(id) &&
    apply(canBeRequiredWithoutScheme, builtins, [id]);
}

function forbidOld(native) {
  const { apply } = Reflect;
  const { startsWith } = String.prototype;
  const { exists } = native;
  native.isInternal = id => apply(startsWith, id, ['internal/']);
  native.nonInternalExists = id => exists(id) && !native.isInternal(id);
}

// nativeModule is where Node.js 8 keeps its own modules. Its own name is not one of them, except while it is given a
// source.
function nativeModule() {
  const sources = process.binding('natives');
  sources.native_module = '';
  try {
    return require('native_module');
  } finally {
    delete sources.native_module;
  }
}

// The timer that keeps the process alive while it waits for a function that left nothing behind.
const heartbeat = setInterval(() => {}, 0x7fffffff);
const { immediateInfo, timeoutInfo } = version < 11 ? {} : internalBinding('timers');
const listed = version < 11 ? null : lists(heartbeat, timers, internalBinding('timers'));

// immediates says whether there are any. late is as below.
function immediates(late) {
  if (listed === null) return !late && process._needImmediateCallback === true;
  return immediateInfo[0] !== 0 || immediateInfo[1] !== 0;
}

// count is the number of timers and immediates that keep the event loop going, without the runner's own. Not for
// Node.js 8.
function count() {
  return Math.max(timeoutInfo[0] - 1, 0) + immediateInfo[1];
}

// anyTimers says whether any timer except the runner's own is set, or any immediate. Those of Node.js itself and those
// that do not keep the process alive count too. late is for Node.js 8, which cannot see within an immediate whether
// there are more.
function anyTimers(late) {
  return listed === null ? immediates(late) : listed();
}

// allTimers are those that are set, without the runner's own. Not for Node.js 8.
function allTimers() {
  const all = [];
  for (const list of Object.values(timers.timerListMap)) {
    for (let timer = list._idleNext; timer !== list; timer = timer._idleNext) all.push(timer);
  }
  return all;
}

// clearAsyncIDs forgets which asynchronous calls run, as Node.js does after an uncaught error: it ends a process where
// they do not match.
const { clearAsyncIdStack: clearAsyncIDs } = version < 11 ? process.binding('async_wrap')
  : load('internal/async_hooks');

const { async_hook_fields: hooks, constants: { kTotals } } = (internalBinding || process.binding)('async_wrap');

// asyncHooks is the number of async_hooks functions that are called for everything asynchronous.
function asyncHooks() {
  return hooks[kTotals];
}

module.exports = {
  cares, clearAsyncIDs, forbidImport, forbidInternals, immediates, count, allTimers, timers: anyTimers, asyncHooks,
  old: listed === null,
};
