'use strict';

// The standard streams that modules see, and that functions print to through those of realm/stdio.js. What they write,
// such as lines of a logger, goes to the output of the call in progress. Without a call it goes to stderr, which the
// host reads after the process has ended.

const fs = require('fs');

const { writeSync } = fs; // before install replaces it
const { nextTick } = process;
const { apply } = Reflect;
const { freeze, keys } = Object;
const { indexOf, slice } = String.prototype;
const { concat, from, isBuffer, isEncoding } = Buffer;
const { utf8Slice, slice: part } = /** @type {any} */ (Buffer.prototype);

const LONGEST = 64 * 1024; // characters to buffer for the rest of a line

// Never more goes to stderr than its pipe holds, with room left for the last words of V8.
let room = 32 * 1024;

const NONE = Buffer.alloc(0);

/** @type {(level: string, line: string) => boolean} */
let say = () => false;

// capture passes lines to take(level, line), which returns whether there is a call that they belong to.
function capture(take) {
  say = take;
}

// nowhere is as much of a stream as Console needs.
/** @type {any} */
const nowhere = {
  write() { return true; },
  on() { return this; }, once() { return this; }, removeListener() { return this; }, listenerCount() { return 0; },
};

function makeStream(level) {
  let rest = ''; // the unfinished line
  let begun = NONE; // the bytes after it that begin a character
  const told = (line) => {
    if (line !== '') tell(level, line);
  };
  const flushRest = () => {
    if (rest === '' && begun.length === 0) return;
    const line = rest + decoded(begun, begun.length);
    rest = '';
    begun = NONE;
    told(line);
  };
  const textOf = (chunk, encoding) => {
    const bytes = bytesOf(chunk, encoding);
    if (bytes === null && begun.length === 0) return `${chunk}`;
    const whole = concat([begun, bytes === null ? from(`${chunk}`) : bytes]); // the writer may use its own again
    const end = whole.length - unfinished(whole);
    begun = apply(part, whole, [end]);
    return decoded(whole, end);
  };
  const put = (chunk, encoding) => {
    const text = textOf(chunk, encoding);
    let start = 0;
    for (let end = apply(indexOf, text, ['\n']); end >= 0; end = apply(indexOf, text, ['\n', start])) {
      const line = rest + apply(slice, text, [start, end]);
      rest = '';
      start = end + 1;
      told(line);
    }
    rest += apply(slice, text, [start]);
    if (rest.length <= LONGEST) return;
    const line = rest;
    rest = '';
    told(line);
  };
  const stream = Object.assign({}, nowhere, {
    write(chunk, encoding, done) {
      put(chunk, encoding);
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
  return { stream, put, flush: flushRest };
}

function tell(level, line) {
  if (say(level, line)) return;
  const bytes = from(`${line}\n`, 'utf8');
  room -= bytes.length;
  if (room >= 0) writeSync(2, bytes);
}

// bytesOf is what is written as bytes; null for text.
function bytesOf(chunk, encoding) {
  if (isBuffer(chunk)) return chunk;
  if (chunk instanceof Uint8Array) return from(/** @type {any} */ (chunk));
  return typeof chunk === 'string' && isOther(encoding) ? from(chunk, encoding) : null;
}

const isOther = encoding => isEncoding(encoding) && encoding !== 'utf8' && encoding !== 'utf-8';

function decoded(bytes, end) {
  return apply(utf8Slice, bytes, [0, end]);
}

// unfinished is how many bytes at the end begin a character that has more.
function unfinished(bytes) {
  for (let count = 1; count <= Math.min(3, bytes.length); count++) {
    const byte = bytes[bytes.length - count];
    if (byte < 0x80) return 0;
    if (byte >= 0xC0) {
      const size = byte >= 0xF0 ? 4 : byte >= 0xE0 ? 3 : 2;
      return size > count ? count : 0;
    }
  }
  return 0;
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

// print is a write to the stream of a level: text or a Buffer.
function print(level, chunk) {
  streams[level === 'info' ? 'stdout' : 'stderr'].put(chunk);
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

module.exports = { capture, install, print, flush, nowhere, stdout, stderr };
