'use strict';

// Work that a call has left behind: timers, sockets, reads. A worker that has any is not used again.

const activeHandles = process._getActiveHandles;
const activeRequests = process._getActiveRequests;

const timers = new Set();

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
        if (once) timers.delete(timer);
        return Reflect.apply(callback, this, args);
      }, ...rest);
      timers.add(timer);
      return timer;
    };
    target[clear] = function unwatched(timer) {
      timers.delete(timer);
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
  baseline = open();
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
    && activeRequests.call(process).length === 0;
}

module.exports = { watchTimers, markBaseline, none };
