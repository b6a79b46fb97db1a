'use strict';

// Timeouts, intervals and immediates of a realm. Those that still run at the end of a call count as work left behind.

const { setTimeout: startOnce, setInterval: startRepeated, clearTimeout: stop } = host; // clearTimeout stops both
const { setImmediate: startSoon, clearImmediate: stopSoon } = host;
const { promisify } = host; // key of a function's own promisified version
const { apply } = Reflect;
const { freeze } = Object;
const RealPromise = Promise;
// Before a function replaces them: the count must be right.
const { get: mapGet, set: mapSet, delete: mapDelete } = Map.prototype;

// makeTimers returns a function that makes the three for each call, and has one that makes the rest. They call work(+1)
// for each timer that starts, work(-1) when it is done, and fail(error) when its callback throws. An interval is done
// when clearTimeout clears it, too: the original had no clearInterval.
function makeTimers(work, fail) {
  const running = new Map();

  class Timeout {
    ref() { const timer = timerOf(this); if (timer) timer.ref(); return this; }
    unref() { const timer = timerOf(this); if (timer) timer.unref(); return this; }
  }

  freeze(Timeout.prototype); // all calls share it

  function timerOf(timeout) {
    return apply(mapGet, running, [timeout]);
  }

  function over(timeout) {
    if (apply(mapDelete, running, [timeout])) work(-1);
  }

  function begin(start, callback, delay, args) {
    if (typeof callback !== 'function') throw new TypeError('"callback" argument must be a function');
    const timeout = new Timeout();
    apply(mapSet, running, [timeout, start(() => {
      if (start !== startRepeated) over(timeout);
      try {
        apply(callback, timeout, args);
      } catch (error) {
        fail(error);
      }
    }, delay)]);
    work(1);
    return timeout;
  }

  function end(timeout, by = stop) {
    const timer = timerOf(timeout);
    if (timer === undefined) return;
    by(timer);
    over(timeout);
  }

  function makeThree() {
    function setTimeout(callback, delay, ...args) { return begin(startOnce, callback, delay, args); }
    setTimeout[promisify] = (delay, value) => new RealPromise(resolve => begin(startOnce, resolve, delay, [value]));
    return {
      setTimeout,
      clearTimeout: function clearTimeout(timeout) { end(timeout); },
      setInterval: function setInterval(callback, delay, ...args) {
        return begin(startRepeated, callback, delay, args);
      },
    };
  }

  makeThree.rest = () => {
    function setImmediate(callback, ...args) { return begin(startSoon, callback, undefined, args); }
    setImmediate[promisify] = value => new RealPromise(resolve => begin(startSoon, resolve, undefined, [value]));
    return {
      setImmediate,
      clearImmediate: function clearImmediate(immediate) { end(immediate, stopSoon); },
      clearInterval: function clearInterval(interval) { end(interval); },
    };
  };
  return makeThree;
}

module.exports = makeTimers;
