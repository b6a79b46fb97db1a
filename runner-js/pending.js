'use strict';

// Work that a call has left behind: timers, sockets, reads. A worker that has any is not used again.

const activeHandles = process._getActiveHandles;
const activeRequests = process._getActiveRequests;

const timers = new Set();
const { apply } = Reflect;
const { add, delete: remove } = Set.prototype; // before a function replaces them: the count must be right

// watchTimers replaces the timer functions that modules take from the global object by ones that are counted.
function watchTimers(target) {
  for (const [set, clear, once] of [
    ['setTimeout', 'clearTimeout', true],
    ['setInterval', 'clearInterval', false],
    ['setImmediate', 'clearImmediate', true],
  ]) {
    const start = target[set];
    const stop = target[clear];
    target[set] = function watched(callback, ...rest) {
      if (typeof callback !== 'function') return start(callback, ...rest);
      const timer = start(function fire(...args) {
        try {
          return apply(callback, this, args);
        } finally {
          if (once && !timer._repeat) apply(remove, timers, [timer]); // Node.js starts it again when somebody has set that
        }
      }, ...rest);
      apply(add, timers, [timer]);
      return timer;
    };
    target[clear] = function unwatched(timer) {
      apply(remove, timers, [timer]);
      return stop(timer);
    };
  }
}

// The one timer that keeps the process alive while a function that left nothing behind is waited for.
setInterval(() => {}, 0x7fffffff);
let baseline = 0;

// markBaseline takes what is open now for what the runner itself holds.
function markBaseline() {
  timers.clear();
  listen();
  baseline = open();
}

// listen keeps in mind what listens for the events of the process.
let listeners = {};
let names = [];
function listen() {
  listeners = Object.assign({}, process._events);
  names = Object.keys(listeners);
}

// listening says whether it is still that which listens, and no domain is entered.
function listening() {
  const { _events: now, _eventsCount: count } = process;
  if (count !== names.length || process.domain) return false;
  for (let i = 0; i < names.length; i++) {
    if (now[names[i]] !== listeners[names[i]]) return false;
  }
  return true;
}

// open counts the handles that are open, but for Node 8's own of its timers: those linger after the last timer, and all timers are
// counted above.
function open() {
  return activeHandles.call(process).filter(handle => !isTimer(handle)).length;
}

// isTimer may not trust that a handle has an owner: one that is being closed has null in its place.
function isTimer(handle) {
  return handle !== null && typeof handle === 'object' && typeof handle.constructor === 'function' && handle.constructor.name === 'Timer';
}

// none says whether nothing is left that could run code later.
function none() {
  return timers.size === 0
    && open() <= baseline
    && activeRequests.call(process).length === 0
    && listening();
}

module.exports = { watchTimers, markBaseline, none };
