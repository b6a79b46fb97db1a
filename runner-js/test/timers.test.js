'use strict';

const test = require('tape');
const { promisify } = require('util');
const { realm } = require('./support');

const makeTimers = realm('timers');

// timers returns the two functions, the number of timers that run and what failed.
function timers() {
  const state = { running: 0, failures: [] };
  const made = makeTimers((change) => { state.running += change; }, error => state.failures.push(error.message))();
  return Object.assign(state, made);
}

test('a timer counts while it runs', (t) => {
  const state = timers();
  state.setTimeout((a, b) => {
    t.deepEqual([a, b], [1, 2], 'it gets its arguments');
    t.equal(state.running, 0, 'it is over when its callback begins');
    t.end();
  }, 1, 1, 2);
  t.equal(state.running, 1);
});

test('a cleared timer does not run and counts once', (t) => {
  const state = timers();
  const timer = state.setTimeout(() => t.fail('it ran'), 1);
  state.setTimeout(() => {
    t.equal(state.running, 0);
    t.end();
  }, 10);
  state.clearTimeout(timer);
  state.clearTimeout(timer);
  [undefined, null, {}, 7, 'x'].forEach(what => state.clearTimeout(what));
  t.equal(state.running, 1);
});

test('an interval runs until it is cleared, and counts as long', (t) => {
  const state = timers();
  let times = 0;
  const timer = state.setInterval((a, b) => {
    times++;
    t.deepEqual([a, b, state.running], [1, 2, 1], 'it gets its arguments, and counts');
    if (times < 2) return;
    state.clearTimeout(timer);
    t.equal(state.running, 0, 'it may clear itself');
    setTimeout(() => { t.equal(times, 2, 'it does not run again'); t.end(); }, 20);
  }, 1, 1, 2);
  t.equal(state.running, 1);
});

test('what an interval throws fails the call, and it goes on', (t) => {
  const state = timers();
  const timer = state.setInterval(() => {
    if (state.failures.length === 2) {
      state.clearTimeout(timer);
      t.deepEqual(state.failures, ['in an interval', 'in an interval']);
      t.end();
      return;
    }
    throw new Error('in an interval');
  }, 1);
});

test('setTimeout and setImmediate have promisified versions, which count', async (t) => {
  let running = 0;
  const makeBoth = makeTimers((change) => { running += change; }, error => t.fail(error));
  const waits = [promisify(makeBoth().setTimeout)(1, 'a'), promisify(makeBoth.rest().setImmediate)('b')];
  t.equal(running, 2);
  t.deepEqual(await Promise.all(waits), ['a', 'b']);
  t.equal(running, 0);
});

test('what a callback throws fails the call', (t) => {
  const state = timers();
  state.setTimeout(() => { throw new Error('in a timer'); }, 0);
  state.setTimeout(() => {
    t.deepEqual(state.failures, ['in a timer']);
    t.end();
  }, 10);
});

test('setTimeout wants a function', (t) => {
  for (const what of [undefined, null, 'alert(1)', {}]) t.throws(() => timers().setTimeout(what, 1), /must be a function/, `not ${what}`);
  for (const what of [undefined, null, 'alert(1)', {}]) t.throws(() => timers().setInterval(what, 1), /must be a function/, `no interval of ${what}`);
  t.end();
});

test('a timer shows nothing of the host', (t) => {
  const state = timers();
  const timer = state.setTimeout(() => {}, 1);
  t.deepEqual(Object.keys(timer), []);
  t.equal(timer.ref(), timer);
  t.equal(timer.unref().ref(), timer);
  state.clearTimeout(timer);
  t.equal(timer.unref(), timer, 'also when it is over');
  t.end();
});
