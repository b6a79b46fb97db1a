'use strict';

const test = require('tape');
const { realm } = require('./support');

const consoles = realm('console');

function printed(use) {
  const lines = [];
  use(consoles((level, text) => lines.push(`${level} ${text}`))());
  return lines;
}

test('console methods print lines with a level', (t) => {
  for (const [name, use, want] of [
    ['log', c => c.log('a', 1, { b: [null] }), ['info a 1 { b: [ null ] }']],
    ['formats', c => c.log('%s-%d-%j', 'a', 2, { b: 3 }), ['info a-2-{"b":3}']],
    ['info', c => c.info('a'), ['info a']],
    ['error', c => c.error('a'), ['error a']],
    ['warn', c => c.warn('a'), ['error a']],
    ['dir', c => c.dir({ a: 1 }), ['info { a: 1 }']],
    ['lines', c => c.log('a\n\nb\n'), ['info a', 'info b']],
    ['nothing', c => c.log(''), []],
    ['control characters', c => c.log('a\r\t\u001b[1m'), ['info a\r\t\u001b[1m']],
    ['assert', (c) => { c.assert(true, 'no'); c.error('end'); }, ['error end']],
  ]) {
    t.deepEqual(printed(use), want, name);
  }
  t.end();
});

test('trace and time print', (t) => {
  const trace = printed(c => c.trace('here'));
  t.equal(trace[0], 'error Trace: here');
  t.ok(trace.every(line => line.startsWith('error ')));
  const time = printed((c) => { c.time('x'); c.timeEnd('x'); });
  t.equal(time.length, 1);
  t.ok(/^info x: [\d.]+ ?ms/.test(time[0]), time[0]);
  t.end();
});

test('each console is new, and its methods need no this', (t) => {
  const make = consoles(() => {});
  const one = make();
  const two = make();
  one.info = 1;
  t.equal(typeof two.info, 'function');
  const { log } = one;
  log('x');
  t.equal(log.name, 'log');
  t.notOk('Console' in one, 'Console itself, which could print elsewhere, is not there');
  t.notOk(Object.keys(one).some(name => name[0] === '_'), 'nor what is internal');
  t.end();
});

test('what an argument throws is thrown', (t) => {
  const inspect = Symbol.for('nodejs.util.inspect.custom');
  const nasty = { [inspect]() { throw new Error('nasty'); }, inspect() { throw new Error('nasty'); } };
  t.throws(() => consoles(() => {})().log(nasty), /nasty/);
  t.end();
});
