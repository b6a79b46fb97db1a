'use strict';

// Frames: one JSON object a line. Reading blocks, so that nothing of a function's runs between two calls.

const { readSync, writeSync } = require('fs');

const { reallyExit } = process; // before it is taken away
const { apply } = Reflect;
const { utf8Write } = Buffer.prototype; // and before it is replaced, or a function could see in room what was written before

const NEWLINE = 10;
const CHUNK = 64 * 1024;
const room = Buffer.allocUnsafeSlow(CHUNK); // for what is written

// Reader returns the lines of a descriptor, whatever the sizes of the pieces in which they come.
class Reader {
  constructor(fd, limit) {
    this.fd = fd;
    this.limit = limit || 64 * 1024 * 1024;
    this.chunk = Buffer.allocUnsafeSlow(CHUNK);
    this.start = 0; // the unread part of chunk
    this.end = 0;
  }

  // next returns the next line without its newline, or null at the end of the stream.
  next() {
    const parts = [];
    let size = 0;
    for (;;) {
      if (this.start === this.end) {
        this.start = 0;
        this.end = readSome(this.fd, this.chunk);
        if (this.end === 0) return null;
      }
      const newline = this.chunk.indexOf(NEWLINE, this.start);
      const stop = newline >= 0 && newline < this.end ? newline : this.end;
      size += stop - this.start;
      if (size > this.limit) throw new Error(`frame is larger than ${this.limit} bytes`);
      const begin = this.start;
      if (stop < this.end) {
        this.start = stop + 1;
        if (parts.length === 0) return this.chunk.toString('utf8', begin, stop);
        parts.push(Buffer.from(this.chunk.slice(begin, stop)));
        return Buffer.concat(parts, size).toString('utf8');
      }
      parts.push(Buffer.from(this.chunk.slice(begin, stop)));
      this.start = this.end;
    }
  }
}

function readSome(fd, buffer) {
  for (;;) {
    try {
      return readSync(fd, buffer, 0, buffer.length, null);
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
