'use strict';

// What a streamed answer may come from: streams of Node.js, ReadableStreams, and iterators of any kind.

const { apply } = Reflect;
const RealPromise = Promise; // a function may declare another Promise
const { then } = RealPromise.prototype;
const { iterator } = Symbol;
/** @type {any} */
const { asyncIterator } = Symbol; // Node.js 8 has none

const isFunction = value => typeof value === 'function';
const isStream = value => isFunction(value.on) && isFunction(value.pipe);

// isSource says whether value, which is no bytes, is one.
function isSource(value) {
  if (typeof value !== 'object' || value === null) return false;
  return isStream(value) || isFunction(value.getReader) || isFunction(value[iterator]) || isAsync(value);
}

const isAsync = value => asyncIterator !== undefined && isFunction(value[asyncIterator]);

// pump passes what comes from source to to: write(piece), and then end() or fail(error), once. later calls a function
// after the event loop has had its turn. Both are over when going() is false.
function pump(source, to) {
  if (isStream(source)) listen(source, to);
  else step(stepsOf(source), to);
}

// stepsOf returns {next, stop}: next is a promise of {done, value}, or that itself.
function stepsOf(source) {
  if (isFunction(source.getReader)) {
    const reader = source.getReader();
    return { next: () => reader.read(), stop: () => reader.cancel() };
  }
  const steps = isAsync(source) ? source[asyncIterator]() : source[iterator]();
  const stop = () => isFunction(steps.return) && steps.return();
  return { next: isAsync(source) ? () => steps.next() : () => settled(steps.next()), stop };
}

// settled waits for the value of a step whose iterator does not.
function settled({ done, value }) {
  return apply(then, new RealPromise(resolve => resolve(value)), [result => ({ done, value: result })]);
}

function step(steps, to) {
  if (!to.going()) return;
  const take = ({ done, value }) => {
    if (!to.going()) return;
    if (done) {
      to.end();
      return;
    }
    to.write(value);
    to.later(() => step(steps, to));
  };
  const failed = (error) => {
    to.fail(error);
    attempt(steps.stop);
  };
  apply(then, apply(then, new RealPromise(resolve => resolve(steps.next())), [take]), [undefined, failed]);
}

// attempt has what is not asked for any more end. It may fail.
function attempt(stop) {
  const stopped = new RealPromise(resolve => resolve(stop()));
  apply(then, stopped, [undefined, () => {}]);
}

// listen takes a stream of Node.js as it flows: while the pipe is full, nothing flows.
function listen(stream, to) {
  const fail = (error) => {
    if (!to.going()) return;
    to.fail(error);
    if (isFunction(stream.destroy)) attempt(() => stream.destroy());
  };
  stream.on('data', (piece) => {
    if (!to.going()) return;
    try {
      to.write(piece);
    } catch (error) {
      fail(error);
    }
  });
  stream.on('end', () => to.going() && to.end());
  stream.on('error', fail);
  const closed = () => fail(new Error('The stream was closed before its end'));
  for (const event of ['close', 'aborted']) stream.on(event, closed);
  if (stream.destroyed) closed();
}

module.exports = { isSource, pump };
