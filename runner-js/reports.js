'use strict';

// What a call tells the host before its answer and after it: lines of log, progress and spans. Each is a frame that the
// host counts; what is more than it takes is not sent.

const MAX_PROGRESS = 10000; // progress frames of a call; same limit as there

const MOST_WARNINGS = 16; // different warnings per call

const { apply } = Reflect;
const { split } = String.prototype;

class Reports {
  // write sends a frame. maxLogs is how many bytes a call may log.
  constructor(write, maxLogs) {
    this.write = write;
    this.maxLogs = maxLogs;
  }

  // log sends a line; what a call logs beyond maxLogs is told in one line.
  log(call, level, text) {
    if (call === null || call.logged > this.maxLogs) return;
    call.logged += Buffer.byteLength(text) + 1; // with its line break
    const line = JSON.stringify(call.logged > this.maxLogs ? '[output truncated]' : text);
    this.write(`{"type":"log","id":${call.id},"level":"${level}","text":${line}}\n`);
  }

  // lines logs a text of several lines as an error.
  lines(call, text) {
    const lines = apply(split, text, ['\n']);
    for (let i = 0; i < lines.length; i++) {
      if (lines[i] !== '') this.log(call, 'error', lines[i]);
    }
  }

  // warn logs a warning of Node.js, once per call.
  warn(call, text) {
    if (call === null) return;
    if (call.warned === null) call.warned = [];
    if (call.warned.length === MOST_WARNINGS) return;
    for (let i = 0; i < call.warned.length; i++) {
      if (call.warned[i] === text) return;
    }
    call.warned[call.warned.length] = text;
    this.lines(call, text);
  }

  // progress sends how far the call is. No more than the host takes are sent.
  progress(call, rest) {
    if (call === null || call.left !== 0 || call.notices >= MAX_PROGRESS) return;
    call.notices += 1;
    this.write(`{"type":"progress","id":${call.id},${rest}}\n`);
  }

  // span sends the tags of a part of the call.
  span(call, rest) {
    if (call !== null && call.left === 0) this.write(`{"type":"span","id":${call.id},${rest}}\n`);
  }
}

module.exports = Reports;
