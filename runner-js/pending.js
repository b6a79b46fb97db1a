'use strict';

// Work that a call has left behind: timers, sockets, reads, whatever the event loop or the thread pool still has to do. A worker that has any is not
// used again.

const fs = require('fs');
const path = require('path');
const timersModule = require('timers');
const internals = require('./internals');
const lasting = require('./lasting');

const activeHandles = process._getActiveHandles;
const activeRequests = process._getActiveRequests;

const addon = path.join(__dirname, 'build', 'loop.node');
const loop = fs.existsSync(addon) ? require(addon) : listed();

// listed is what the addon gives, as far as Node.js tells: requests of its own that wait for the thread pool, such as those of WebCrypto, are not
// among it, nor are handles that do not keep it alive.
function listed() {
  let known = 0;
  const open = () => activeHandles.call(process).filter(handle => !isTimer(handle)).length;
  return {
    mark() { known = open(); },
    later: setImmediate,
    held: () => Math.max(open() - known, activeRequests.call(process).length),
    left: () => (open() > known || activeRequests.call(process).length > 0 ? WORK : NOTHING),
  };
}

// isTimer tells the handles that Node.js 8 makes of timers: those linger, and all timers are counted below. It may not trust that a handle has an owner:
// one that is being closed has null in its place.
function isTimer(handle) {
  return handle !== null && typeof handle === 'object' && typeof handle.constructor === 'function' && handle.constructor.name === 'Timer';
}

// What there may be left.
const NOTHING = 0;
const CLOSING = 1; // handles that are being closed: a few turns of the event loop, and they are gone
const WORK = 2;

const timers = new Set(); // and intervals
const immediates = new Set();
const { apply, ownKeys, getPrototypeOf } = Reflect;
const { defineProperty } = Object;
const { nextTick } = process;
const { add, delete: remove } = Set.prototype; // before a function replaces them: the count must be right

// watchTimers replaces the timer functions that modules take from the global object by ones that are counted.
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
          if (once && !timer._repeat) apply(remove, running, [timer]); // Node.js starts it again when somebody has set that
        }
      }, ...rest);
      apply(add, running, [timer]);
      return timer;
    };
    target[clear] = function unwatched(timer) {
      apply(remove, running, [timer]);
      return stop(timer);
    };
  }
}

// watch must be called before modules are loaded, which may take the timer functions.
function watch() {
  lasting.watch();
  if (internals.old) [global, timersModule].forEach(watchTimers); // or immediates would not be counted there
}

let hooks = 0;

// markBaseline takes what is open now for what the runner itself holds.
function markBaseline() {
  timers.clear();
  lasting.restart();
  hooks = internals.asyncHooks();
  immediates.clear();
  listen();
  loop.mark(internals.old);
}

// listen keeps in mind what listens for the events of the process: its listeners by event, and where an event has several, those.
let events = null;
let kept = [];
let names = 0;
function listen() {
  events = process._events;
  kept = [events].concat(ownKeys(events).map(name => events[name]).filter(Array.isArray)).map(keep);
  names = kept[0].keys.length;
  ['_events', '_eventsCount', 'domain'].forEach(name => defineProperty(process, name, { configurable: false }));
}

// keep remembers what an object holds. What it holds cannot become getters any more: to read it later runs no code of a function.
function keep(object) {
  const keys = ownKeys(object);
  keys.forEach(key => defineProperty(object, key, { configurable: false }));
  return { object, keys, prototype: getPrototypeOf(object), values: keys.map(key => object[key]) };
}

// listening says whether it is still that which listens, whatever its count says, and no domain is entered.
function listening() {
  if (process._events !== events || process._eventsCount !== names || process.domain) return false;
  for (let i = 0; i < kept.length; i++) {
    if (!holds(kept[i])) return false;
  }
  return true;
}

// holds says whether an object holds what it held when it was kept, and no more.
function holds({ object, keys, prototype, values }) {
  if (ownKeys(object).length !== keys.length || getPrototypeOf(object) !== prototype) return false;
  for (let i = 0; i < keys.length; i++) {
    if (object[keys[i]] !== values[i]) return false;
  }
  return true;
}

// alive says whether anything is left that could still call code of its own accord. late as below.
function alive(late) {
  return timers.size > 0 || immediates.size > 0 || internals.timers(late) || loop.left() !== NOTHING;
}

// held counts the connections and other requests that are under way; timers and what nobody waits for do not count.
function held() {
  return loop.held();
}

// soon says whether anything is left that comes with the next turns of the event loop: immediates, or handles that are being closed. late as below.
function soon(late) {
  return immediates.size > 0 || internals.immediates(late) || loop.left() === CLOSING;
}

// timersLeft counts the timers and immediates of modules that keep the event loop going.
function timersLeft() {
  return internals.old ? timers.size + immediates.size : internals.count();
}

// later calls fn when this turn of the event loop is over. Immediates that were set before are called before it.
function later(fn) {
  loop.later(() => {
    try {
      fn();
    } catch (error) {
      nextTick(() => { throw error; });
    }
  });
}

// left says what is left that could run code later, or use a processor: NOTHING, CLOSING or WORK. late says that an immediate asks.
function left(late) {
  if (timers.size > 0 || immediates.size > 0 || internals.timers(late) || lasting.inUse() || internals.asyncHooks() !== hooks || !listening()) return WORK;
  return loop.left();
}

module.exports = { watch, markBaseline, alive, held, soon, timersLeft, later, left, name: loop.name || (() => {}), NOTHING, CLOSING, WORK };
