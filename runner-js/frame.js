'use strict';

// Frames: one JSON object per line. Reading blocks, so that no code of a function runs between two calls. Writing
// blocks too: a worker that writes more than its pipe holds goes on when the host has read. A module may have opened
// one of the descriptors, and Node.js then makes it non-blocking; such a one is tried again after a pause.

const { readSync, writeSync } = require('fs');

const { reallyExit } = process; // before trimProcess removes it
const { apply } = Reflect;
const { slice, charCodeAt } = String.prototype;
const { utf8Write } = Buffer.prototype; // before a function replaces it and sees earlier output in room
const { set } = Uint8Array.prototype;
const lengthOf = Reflect.getOwnPropertyDescriptor(Reflect.getPrototypeOf(Uint8Array.prototype), 'byteLength').get;
const { wait } = Atomics;
const nothing = new Int32Array(new SharedArrayBuffer(4)); // what wait waits for: nobody wakes it

const NEWLINE = 10;
const CHUNK = 64 * 1024;
const KEEP = 4 * 1024 * 1024; // longest buffer that is kept for the next line
const SURE = 21 * 1024; // this many characters never need more bytes than CHUNK
const ROOM = CHUNK + 8; // more than CHUNK one-byte characters need, even after a cut
const PAUSE = 1; // milliseconds
const HIGH_SURROGATE = 0xD800 >>> 10;
const room = Buffer.allocUnsafeSlow(ROOM); // output buffer

// Reader returns the lines of a descriptor, however large the pieces are in which they arrive.
class Reader {
  constructor(fd, limit) {
    this.fd = fd;
    this.limit = limit || 64 * 1024 * 1024;
    this.chunk = Buffer.allocUnsafeSlow(CHUNK);
    this.start = 0; // unread part of chunk
    this.end = 0;
    this.long = null; // buffer for lines longer than chunk; kept until a shorter one comes
  }

  // next returns the next line without its newline, or null at the end of the stream.
  next() {
    let from = this.start;
    for (;;) {
      if (from === this.end) {
        if (this.end - this.start === CHUNK) return this.nextLong();
        from = this.moveToFront();
        const n = readSome(this.fd, this.chunk, from, CHUNK - from);
        if (n === 0) return null;
        this.end += n;
      }
      const newline = this.chunk.indexOf(NEWLINE, from);
      if (newline >= 0 && newline < this.end) {
        this.long = null;
        const line = this.text(this.chunk, this.start, newline);
        this.start = newline + 1;
        return line;
      }
      from = this.end;
      this.check(from - this.start);
    }
  }

  // moveToFront moves the unread part of chunk to its front and returns how much is free after it.
  moveToFront() {
    if (this.start < this.end) this.chunk.copy(this.chunk, 0, this.start, this.end);
    this.end -= this.start;
    this.start = 0;
    return this.end;
  }

  // nextLong returns a line that fills all of chunk and goes on. It is put together in long, as far as that has room.
  // (Allocating room before its size is known would cost a new worker more than everything else.)
  nextLong() {
    const parts = []; // what comes after chunk
    let size = 0;
    let kept = 0;
    let newline = -1;
    for (;;) {
      const stop = newline < 0 ? this.end : newline;
      if (parts.length === 0 && this.long !== null && size + stop <= this.long.length) {
        this.chunk.copy(this.long, size, 0, stop);
        kept = size + stop;
      } else {
        parts.push(Buffer.from(this.chunk.slice(0, stop)));
      }
      size += stop;
      this.check(size);
      this.start = newline + 1;
      if (newline >= 0) break;
      this.end = readSome(this.fd, this.chunk, 0, CHUNK);
      if (this.end === 0) return null;
      newline = this.chunk.indexOf(NEWLINE, 0);
      if (newline >= this.end) newline = -1;
    }
    if (parts.length > 0) {
      if (kept > 0) parts.unshift(this.long.slice(0, kept));
      this.long = Buffer.concat(parts, size);
    }
    const line = this.text(this.long, 0, size);
    if (this.long.length > KEEP) this.long = null;
    return line;
  }

  text(bytes, start, end) {
    this.check(end - start);
    return bytes.toString('utf8', start, end);
  }

  check(size) {
    if (size > this.limit) throw new Error(`frame is larger than ${this.limit} bytes`);
  }
}

function readSome(fd, buffer, offset, length) {
  for (;;) {
    try {
      return readSync(fd, buffer, offset, length, null);
    } catch (e) {
      if (e.code === 'EAGAIN') wait(nothing, 0, 0, PAUSE);
      else if (e.code !== 'EINTR') throw e;
    }
  }
}

// write writes all of text, which ends in a newline.
function write(fd, text) {
  if (text.length <= SURE) {
    flush(fd, apply(utf8Write, room, [text, 0, ROOM]));
    return;
  }
  for (let at = 0; at < text.length;) {
    let piece = apply(slice, text, [at, at + CHUNK]);
    let size = apply(utf8Write, room, [piece, 0, ROOM]);
    if (size !== piece.length) { // some characters have several bytes, and room for the last may be missing
      piece = apply(slice, text, [at, endOfPiece(text, at)]);
      size = apply(utf8Write, room, [piece, 0, ROOM]);
    }
    flush(fd, size);
    at += piece.length;
  }
}

// endOfPiece is where a piece of text that starts at at may end so that it fits into room and does not cut a surrogate
// pair.
function endOfPiece(text, at) {
  const end = at + SURE;
  return apply(charCodeAt, text, [end - 1]) >>> 10 === HIGH_SURROGATE ? end - 1 : end;
}

// flush writes that many bytes of room.
function flush(fd, size) {
  for (let at = 0; at < size;) {
    try {
      at += writeSync(fd, room, at, size - at);
    } catch (e) {
      if (e.code === 'EPIPE') exit(0); // the host is gone
      if (e.code === 'EAGAIN') wait(nothing, 0, 0, PAUSE);
      else if (e.code !== 'EINTR') throw e;
    }
  }
}

// RETIRED is the exit code of a worker that has answered and cannot serve another call.
const RETIRED = 10;

const FAILED = 70; // EX_SOFTWARE of sysexits(3)

let leave = code => reallyExit.call(process, code);

// exit ends the process at once.
function exit(code) {
  leave(code);
}

// fail ends the process with what the host shows of it.
function fail(text) {
  writeSync(2, `${text}\n`);
  exit(FAILED);
}

// exitBy makes exit end the process by way, and returns the way before.
function exitBy(way) {
  const before = leave;
  leave = way;
  return before;
}

// writeBytes writes line, and the bytes of a Uint8Array right after it. Both together have at most CHUNK bytes.
function writeBytes(fd, line, bytes) {
  const size = apply(utf8Write, room, [line, 0, ROOM]);
  apply(set, room, [bytes, size]);
  flush(fd, size + apply(lengthOf, bytes, []));
}

module.exports = { Reader, write, writeBytes, exit, exitBy, fail, RETIRED };
