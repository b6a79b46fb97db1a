'use strict';

// The standard streams of a call: what is written to them goes to its output. They are as much of a Writable as streams
// need that pipe into them, and no objects of Node.js: with one of these the worker could serve no other call.

const { Buffer, runner } = host;
const { bytewise, ofBytewise, sizeOf } = require('./bytes');
const emitting = require('./emitter');

const { from } = Buffer;
const { apply } = Reflect;
const { assign } = Object;

const HIGH_WATER_MARK = 16 * 1024; // of Node.js; nothing is ever held back

// makeStream returns that of a level of the output. later calls a function with arguments once the code that runs now
// has returned.
function makeStream(level, fd, later) {
  const self = emitting({});

  function write(chunk, encoding, done) {
    runner.print(level, printable(chunk, encoding));
    call(typeof encoding === 'function' ? encoding : done, null);
    return true;
  }

  // end does not close the stream: whatever pipes into it ends it.
  function end(chunk, encoding, done) {
    if (chunk !== undefined && chunk !== null && typeof chunk !== 'function') {
      write(chunk, typeof encoding === 'function' ? undefined : encoding);
    }
    later(() => self.emit('finish'), []);
    for (const one of [chunk, encoding, done]) call(one);
    return self;
  }

  function call(done, ...args) {
    if (typeof done === 'function') later(done, args);
  }

  return assign(self, {
    fd,
    isTTY: false,
    writable: true,
    writableEnded: false,
    writableFinished: false,
    writableNeedDrain: false,
    writableObjectMode: false,
    writableHighWaterMark: HIGH_WATER_MARK,
    writableLength: 0,
    writableCorked: 0,
    destroyed: false,
    // Libraries ask for some of these.
    _writableState: {
      objectMode: false, highWaterMark: HIGH_WATER_MARK, length: 0, ended: false, finished: false, destroyed: false,
      closed: false, errored: null, errorEmitted: false, autoDestroy: false, emitClose: false,
    },
    write,
    end,
    cork() {},
    uncork() {},
    setDefaultEncoding: () => self,
    pipe() {
      const error = assign(new Error('Cannot pipe, not readable'), { code: 'ERR_STREAM_CANNOT_PIPE' });
      later(() => self.emit('error', error), []);
    },
    destroy(error) { // nor does this close it
      if (error) later(() => self.emit('error', error), []);
      later(() => self.emit('close'), []);
      return self;
    },
  });
}

// printable is text, or a Buffer.
function printable(chunk, encoding) {
  if (typeof chunk === 'string') return isText(encoding) ? chunk : apply(from, Buffer, [chunk, encoding]);
  return sizeOf(chunk) >= 0 ? ofBytewise(bytewise(chunk)) : `${chunk}`;
}

const isText = encoding => typeof encoding !== 'string' || /^utf-?8$/i.test(encoding);

module.exports = makeStream;
