'use strict';

// Frames: one JSON object a line. Reading blocks, so that nothing of a function's runs between two calls.

const { readSync, writeSync } = require('fs');

const { reallyExit } = process; // before it is taken away
const { apply } = Reflect;
const { utf8Write } = Buffer.prototype; // and before it is replaced, or a function could see in room what was written before

const NEWLINE = 10;
const CHUNK = 64 * 1024;
const KEEP = 4 * 1024 * 1024; // the longest buffer that is kept for the next line
const room = Buffer.allocUnsafeSlow(CHUNK); // for what is written

// Reader returns the lines of a descriptor, whatever the sizes of the pieces in which they come.
class Reader {
  constructor(fd, limit) {
    this.fd = fd;
    this.limit = limit || 64 * 1024 * 1024;
    this.chunk = Buffer.allocUnsafeSlow(CHUNK);
    this.start = 0; // the unread part of chunk
    this.end = 0;
    this.long = null; // holds lines longer than chunk; kept until a shorter one comes
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

  // moveToFront makes room behind what is unread in chunk and returns its size.
  moveToFront() {
    if (this.start < this.end) this.chunk.copy(this.chunk, 0, this.start, this.end);
    this.end -= this.start;
    this.start = 0;
    return this.end;
  }

  // nextLong returns the line that begins with the whole of chunk. What is read after it goes back there.
  nextLong() {
    let size = CHUNK;
    this.reserve(size);
    this.chunk.copy(this.long);
    this.start = this.end = 0;
    for (;;) {
      this.reserve(size + CHUNK);
      const n = readSome(this.fd, this.long, size, CHUNK);
      if (n === 0) return null;
      const newline = this.long.slice(size, size + n).indexOf(NEWLINE);
      if (newline >= 0) {
        this.end = this.long.copy(this.chunk, 0, size + newline + 1, size + n);
        const line = this.text(this.long, 0, size + newline);
        if (this.long.length > KEEP) this.long = null;
        return line;
      }
      size += n;
      this.check(size);
    }
  }

  // reserve makes long so large at least, and keeps what it holds.
  reserve(size) {
    if (this.long !== null && this.long.length >= size) return;
    const larger = Buffer.allocUnsafeSlow(2 * size);
    if (this.long !== null) this.long.copy(larger);
    this.long = larger;
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
      if (e.code !== 'EINTR') throw e;
    }
  }
}

// write writes all of text, which ends in a newline.
function write(fd, text) {
  if (text.length * 3 > CHUNK) { // the most that UTF-8 makes of it
    const bytes = Buffer.from(text, 'utf8');
    writeAll(fd, bytes, bytes.length);
  } else {
    writeAll(fd, room, apply(utf8Write, room, [text, 0, CHUNK]));
  }
}

function writeAll(fd, bytes, length) {
  for (let at = 0; at < length;) {
    try {
      at += writeSync(fd, bytes, at, length - at);
    } catch (e) {
      if (e.code === 'EPIPE') exit(0); // the host is gone
      if (e.code !== 'EINTR') throw e;
    }
  }
}

// RETIRED is the exit code of a worker that has answered and cannot serve another call.
const RETIRED = 10;

// exit ends the process at once.
function exit(code) {
  reallyExit.call(process, code);
}

module.exports = { Reader, write, exit, RETIRED };
