'use strict';

// The standard streams that modules see. What they write, such as lines of a logger, goes to the output of the call in
// progress. Without a call it goes to stderr, which the host reads after the process has ended.

const fs = require('fs');

const { writeSync } = fs; // before install replaces it
const { nextTick } = process;
const { apply } = Reflect;
const { freeze, keys } = Object;
const { indexOf, slice } = String.prototype;
const { from, isBuffer } = Buffer;
const { toString, slice: part } = Buffer.prototype;

const LONGEST = 64 * 1024; // characters to buffer for the rest of a line

// Never more goes to stderr than its pipe holds, with room left for the last words of V8.
let room = 32 * 1024;

/** @type {(level: string, line: string) => boolean} */
let say = () => false;

// capture passes lines to tell(level, line), which returns whether there is a call that they belong to.
function capture(tell) {
  say = tell;
}

// nowhere is as much of a stream as Console needs.
/** @type {any} */
const nowhere = {
  write() { return true; },
  on() { return this; }, once() { return this; }, removeListener() { return this; }, listenerCount() { return 0; },
};

function makeStream(level) {
  let rest = ''; // the unfinished line
  const flushRest = () => {
    const line = rest;
    rest = '';
    if (line !== '') print(level, line);
  };
  const stream = Object.assign({}, nowhere, {
    write(chunk, encoding, done) {
      rest += textOf(chunk, encoding);
      for (let end = apply(indexOf, rest, ['\n']); end >= 0; end = apply(indexOf, rest, ['\n'])) {
        const line = apply(slice, rest, [0, end]);
        rest = apply(slice, rest, [end + 1]);
        if (line !== '') print(level, line);
      }
      if (rest.length > LONGEST) flushRest();
      called(typeof encoding === 'function' ? encoding : done);
      return true;
    },
    end(chunk, encoding, done) {
      if (chunk !== undefined && chunk !== null && typeof chunk !== 'function') stream.write(chunk);
      called([chunk, encoding, done].find(one => typeof one === 'function'));
      return stream;
    },
    cork() {}, uncork() {},
    emit() { return false; },
    writable: true,
    isTTY: false,
  });
  return { stream, flush: flushRest };
}

function print(level, line) {
  if (say(level, line)) return;
  const bytes = from(`${line}\n`, 'utf8');
  room -= bytes.length;
  if (room >= 0) writeSync(2, bytes);
}

function textOf(chunk, encoding) {
  if (typeof chunk === 'string') return chunk;
  if (!(chunk instanceof Uint8Array)) return `${chunk}`;
  const bytes = isBuffer(chunk) ? chunk : from(/** @type {any} */ (chunk));
  return apply(toString, bytes, [typeof encoding === 'string' ? encoding : 'utf8']);
}

function called(done) {
  if (typeof done === 'function') nextTick(done, null);
}

const streams = { stdout: makeStream('info'), stderr: makeStream('error') };
const { stdout: { stream: stdout }, stderr: { stream: stderr } } = streams;
for (const stream of [nowhere, stdout, stderr]) {
  for (const name of keys(stream).filter(key => typeof stream[key] === 'function')) freeze(stream[name]);
  freeze(stream);
}

// flush prints unfinished lines at the end of the call.
function flush() {
  streams.stdout.flush();
  streams.stderr.flush();
}

// install gives modules these streams, whether they use process or write to the descriptors, which belong to the host.
function install() {
  for (const name of keys(streams)) {
    Object.defineProperty(process, name, { value: streams[name].stream, configurable: true });
  }
  for (const name of ['write', 'writeSync', 'writev', 'writevSync'].filter(known => fs[known])) {
    const real = fs[name];
    fs[name] = function write(fd, ...args) {
      return fd === 1 || fd === 2 ? divert(fd === 1 ? stdout : stderr, args) : apply(real, fs, [fd, ...args]);
    };
  }
}

// divert replaces a write to a descriptor. args are a string, a buffer and its part, or several buffers.
function divert(stream, args) {
  const [what, second, third] = args;
  let count = 0;
  for (const one of Array.isArray(what) ? what : [what]) {
    const begin = typeof second === 'number' && !Array.isArray(what) ? second : 0;
    const bytes = from(one);
    const end = typeof third === 'number' ? begin + third : bytes.length;
    const chunk = typeof one === 'string' ? bytes : apply(part, bytes, [begin, end]);
    count += chunk.length;
    stream.write(chunk);
  }
  const done = args[args.length - 1];
  if (typeof done === 'function') nextTick(done, null, count, what);
  return count;
}

module.exports = { capture, install, flush, nowhere, stdout, stderr };
