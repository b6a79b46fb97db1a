'use strict';

// setTimeout and clearTimeout of one call. What is still running at its end counts as work left behind.

const { setTimeout: start, clearTimeout: stop } = host;
const { apply } = Reflect;

// makeTimers calls work(+1) for each timer that starts and work(-1) when it is over, and fail(error) when its callback throws.
function makeTimers(work, fail) {
  const running = new Map();

  class Timeout {
    ref() { if (running.has(this)) running.get(this).ref(); return this; }
    unref() { if (running.has(this)) running.get(this).unref(); return this; }
  }

  function over(timeout) {
    if (running.delete(timeout)) work(-1);
  }

  function setTimeout(callback, delay, ...args) {
    if (typeof callback !== 'function') throw new TypeError('"callback" argument must be a function');
    const timeout = new Timeout();
    running.set(timeout, start(() => {
      over(timeout);
      try {
        apply(callback, timeout, args);
      } catch (error) {
        fail(error);
      }
    }, delay));
    work(1);
    return timeout;
  }

  function clearTimeout(timeout) {
    if (!running.has(timeout)) return;
    stop(running.get(timeout));
    over(timeout);
  }

  return { setTimeout, clearTimeout };
}

module.exports = makeTimers;
