'use strict';

// The answer that a call streams: its head, then its chunks. See docs/protocol.md. Both wait until `pending` is out;
// from then on each goes out at once, and a full pipe holds back the function.

const { apply, getOwnPropertyDescriptor, getPrototypeOf } = Reflect;

// Taken before a function could replace them. They serve typed arrays of any realm, and run no code of theirs.
/** @type {any} */
const kind = getPrototypeOf(Uint8Array.prototype);
const [lengthIn, offsetIn, bufferOf] = ['byteLength', 'byteOffset', 'buffer']
  .map(name => getOwnPropertyDescriptor(kind, name).get);
const { set } = kind;

const PIECE = 64 * 1024 - 256; // bytes of a chunk: with its line they are what a pipe holds

class Stream {
  // id is the call's, as it stands in frames. writeBytes sends a line and bytes after it; most is how many bytes may
  // wait.
  constructor(id, { write, writeBytes, most }) {
    this.id = id;
    this.write = write;
    this.writeBytes = writeBytes;
    this.most = most;
    this.size = 0; // of what waits
    this.waiting = []; // null when `pending` is out
  }

  // head begins the answer. rest is the frame's own members.
  head(rest) {
    const line = `{"type":"head","id":${this.id},${rest}}\n`;
    if (this.waiting === null) this.write(line);
    else this.waiting[0] = line;
  }

  // chunk sends the bytes of a typed array. They may change afterwards.
  chunk(bytes) {
    if (this.waiting === null) this.send(bytes);
    else this.keep(bytes);
  }

  keep(bytes) {
    const size = apply(lengthIn, bytes, []);
    if (this.size + size > this.most) {
      throw new RangeError(`main has written more than ${this.most} bytes before it has returned or waited: ` +
        'await a timer or I/O between pieces (await null is not enough), or give res.end a stream');
    }
    this.size += size;
    const copy = new Uint8Array(size);
    apply(set, copy, [bytes, 0]);
    this.waiting[this.waiting.length] = copy;
  }

  // start sends what waits for `pending`.
  start() {
    const { waiting } = this;
    this.waiting = null;
    if (waiting.length > 0) this.write(waiting[0]);
    for (let i = 1; i < waiting.length; i++) this.send(waiting[i]);
  }

  send(bytes) {
    const size = apply(lengthIn, bytes, []);
    const buffer = apply(bufferOf, bytes, []);
    const offset = apply(offsetIn, bytes, []);
    for (let at = 0; at < size; at += PIECE) {
      const length = size - at < PIECE ? size - at : PIECE;
      const piece = new Uint8Array(buffer, offset + at, length);
      this.writeBytes(`{"type":"chunk","id":${this.id},"size":${length}}\n`, piece);
    }
  }
}

module.exports = Stream;
