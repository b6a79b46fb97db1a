'use strict';

// Work that a call has left behind: timers, sockets, reads, whatever the event loop or the thread pool still has to do.
// A worker with any of it is not used again.

const fs = require('fs');
const path = require('path');
const timersModule = require('timers');
const { promisify: { custom } } = require('util');
const internals = require('./internals');
const lastingEffects = require('./lastingeffects');

const activeHandles = process._getActiveHandles;
const activeRequests = process._getActiveRequests;

const addon = path.join(__dirname, 'build', 'loop.node');
const loop = fs.existsSync(addon) ? require(addon) : listed();

// listed replaces the addon as far as Node.js can tell. It lacks requests of Node.js itself that wait for the thread
// pool, such as those of WebCrypto, and handles that do not keep the process alive.
function listed() {
  let known = 0;
  const open = () => activeHandles.call(process).filter(handle => !isTimer(handle)).length;
  return {
    mark() { known = open(); },
    later: setImmediate,
    requests: () => activeRequests.call(process).length,
    held: () => Math.max(open() - known, activeRequests.call(process).length),
    left: () => (open() > known || activeRequests.call(process).length > 0 ? WORK : NOTHING),
  };
}

// isTimer recognizes the handles that Node.js 8 makes of timers: they stay for a while, and all timers are counted
// below. A handle may have no owner: one that is being closed has null in its place.
function isTimer(handle) {
  return handle !== null && typeof handle === 'object' && typeof handle.constructor === 'function' &&
    handle.constructor.name === 'Timer';
}

// Results of left.
const NOTHING = 0;
const CLOSING = 1; // handles that are being closed: they are gone after a few iterations of the event loop
const WORK = 2;

const timers = new Set(); // timers and intervals
const immediates = new Set();
const { apply, ownKeys, getPrototypeOf } = Reflect;
const { defineProperty } = Object;
const { isArray } = Array;
const { nextTick } = process;
const RealPromise = Promise;
const { add, delete: remove } = Set.prototype; // before a function replaces them: the count must be right

// watchTimers replaces the timer functions that modules take from the global object by counting ones.
function watchTimers(target) {
  for (const [set, clear] of [
    ['setTimeout', 'clearTimeout'],
    ['setInterval', 'clearInterval'],
    ['setImmediate', 'clearImmediate'],
  ]) {
    const once = set !== 'setInterval';
    const running = set === 'setImmediate' ? immediates : timers;
    const start = target[set];
    const stop = target[clear];
    target[set] = function watched(callback, ...rest) {
      if (typeof callback !== 'function') return start(callback, ...rest);
      const timer = start(function fire(...args) {
        try {
          return apply(callback, this, args);
        } finally {
          if (once && !timer._repeat) apply(remove, running, [timer]); // _repeat restarts it
        }
      }, ...rest);
      apply(add, running, [timer]);
      return timer;
    };
    if (start[custom]) target[set][custom] = promised(target[set], set === 'setTimeout');
    target[clear] = function unwatched(timer) {
      apply(remove, running, [timer]);
      return stop(timer);
    };
  }
}

// promised is the version of start for util.promisify; a timeout has a delay.
function promised(start, delayed) {
  return delayed ? (delay, value) => new RealPromise(resolve => start(resolve, delay, value))
    : value => new RealPromise(resolve => start(resolve, value));
}

// watch must be called before modules are loaded, which may keep the timer functions.
function watch() {
  lastingEffects.watch();
  if (internals.old) [global, timersModule].forEach(watchTimers); // otherwise immediates would not be counted there
  loop.mark(internals.old);
}

// unsettled says whether anything is under way that ends by itself: requests, immediates, handles that are being
// closed. late is as below.
function unsettled(late) {
  return requests() > 0 || soon(late);
}

// requests counts what is under way in the kernel, the thread pool, or as a question to a name server.
function requests() {
  return Math.max(loop.requests(), activeRequests.call(process).length);
}

// requestNames are the kinds of requests that Node.js tells of.
function requestNames() {
  return activeRequests.call(process).map(({ constructor: { name } }) => name);
}

let hooks = 0;

// markBaseline notes what is open now as the runner's own.
function markBaseline() {
  (internals.old ? [...timers] : internals.allTimers()).forEach(guard);
  timers.clear();
  lastingEffects.restart();
  hooks = internals.asyncHooks();
  immediates.clear();
  listen();
  loop.mark(internals.old);
}

// guard has what a module's timer throws come after it. It may fire in a rehearsal, which Node.js could not leave by an
// error without ending the process.
function guard(timer) {
  const callback = timer._onTimeout;
  timer._onTimeout = function fire(...args) {
    try {
      return apply(callback, this, args);
    } catch (error) {
      nextTick(() => { throw error; });
      return undefined;
    }
  };
}

// listen remembers the listeners of the events of the process, by event, and the array where an event has several.
const NODES_OWN = ['newListener', 'removeListener']; // events of which Node.js itself has several listeners
const CALLED = ['emit', '_fatalException', 'nextTick', 'emitWarning']; // methods of the process that Node.js calls
let methods = [];
let events = null; // watched
let registered = null; // what it contains
let lists = [];
let names = 0;
function listen() {
  const real = process._events;
  NODES_OWN.filter(name => isArray(real[name])).forEach((name) => { real[name] = together(real[name]); });
  ownKeys(real).forEach((/** @type {string} */ name) => [].concat(real[name]).forEach(pin));
  registered = keep(real);
  lists = registered.values.filter(isArray).map(keep);
  names = registered.keys.length;
  events = watchEvents(real);
  process._events = events;
  ['_events', '_eventsCount', 'domain'].forEach(name => defineProperty(process, name, { configurable: false }));
  methods = CALLED.map(name => process[name]);
  // They cannot become getters any more; own ones go before those of a prototype.
  CALLED.forEach(name => defineProperty(process, name, { value: process[name], writable: true, configurable: false }));
}

// together is one listener in the place of several: looking at a function takes less time after each call than looking
// at the keys of an array.
function together(listeners) {
  const { length } = listeners;
  return function all(...args) {
    for (let i = 0; i < length; i++) apply(listeners[i], this, args);
  };
}

let touched = false; // somebody has added, changed or removed a listener

// watchEvents returns a proxy of the object with the listeners that notes each change: listing the object's keys after
// each call would cost a tenth of the call. Nothing but the proxy leads to the object.
function watchEvents(object) {
  const noting = change => function note(...args) {
    touched = true;
    return apply(change, undefined, args);
  };
  return new Proxy(object, /** @type {any} */ ({
    __proto__: null,
    defineProperty: noting(Reflect.defineProperty), // assignments come here, too
    deleteProperty: noting(Reflect.deleteProperty),
    setPrototypeOf: noting(Reflect.setPrototypeOf),
  }));
}

// pin keeps what Node.js calls a listener by: versions of it do so by listener.call() or listener.apply(), which would
// run what a function has put there.
function pin(listener) {
  for (const name of ['call', 'apply']) {
    defineProperty(listener, name, { value: listener[name], writable: false, configurable: false });
  }
}

// keep remembers the content of an object. Its properties cannot become getters any more, so reading it later runs no
// code of a function.
function keep(object) {
  const keys = ownKeys(object);
  keys.forEach(key => defineProperty(object, key, { configurable: false }));
  return { object, keys, prototype: getPrototypeOf(object), values: keys.map(key => object[key]) };
}

// listening says whether the listeners and what calls them are still the same, whatever their count says, and no domain
// is entered.
function listening() {
  if (process._events !== events || process._eventsCount !== names || process.domain) return false;
  for (let i = 0; i < CALLED.length; i++) {
    if (process[CALLED[i]] !== methods[i]) return false;
  }
  for (let i = 0; i < lists.length; i++) {
    if (!isUnchanged(lists[i])) return false;
  }
  if (touched) touched = !isUnchanged(registered);
  return !touched;
}

// isUnchanged says whether an object still has exactly the content that it had when it was kept.
function isUnchanged({ object, keys, prototype, values }) {
  if (ownKeys(object).length !== keys.length || getPrototypeOf(object) !== prototype) return false;
  for (let i = 0; i < keys.length; i++) {
    if (object[keys[i]] !== values[i]) return false;
  }
  return true;
}

// alive says whether anything is left that could still run code on its own. late is as below.
function alive(late) {
  return timers.size > 0 || immediates.size > 0 || internals.timers(late) || loop.left() !== NOTHING;
}

// openRequests counts the connections and other requests that are under way, without timers and requests that nobody
// waits for.
function openRequests() {
  return loop.held();
}

// soon says whether anything is left that comes within the next iterations of the event loop: immediates, or handles
// that are being closed. late is as below.
function soon(late) {
  return immediates.size > 0 || internals.immediates(late) || loop.left() === CLOSING;
}

// timersLeft counts the timers and immediates of modules that keep the event loop going.
function timersLeft() {
  return internals.old ? timers.size + immediates.size : internals.count();
}

// later calls fn after this iteration of the event loop. Immediates that were set before run first.
const { later } = loop;

// left says what is left that could run code later, or use a processor: NOTHING, CLOSING or WORK. late says that an
// immediate asks.
function left(late) {
  if (timers.size > 0 || immediates.size > 0 || internals.timers(late)) return WORK;
  if (lastingEffects.inUse() || internals.asyncHooks() !== hooks || !listening()) return WORK;
  return loop.left();
}

module.exports = {
  watch, unsettled, markBaseline, alive, openRequests, soon, timersLeft, later, left, requests, requestNames,
  leave: loop.leave, show: loop.show || (() => {}),
  NOTHING, CLOSING, WORK,
};
