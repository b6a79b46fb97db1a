'use strict';

// The frames that end a call. What is too large for one is replaced by a frame that says so.

const MAX_ERROR = 1024 * 1024; // bytes of an error frame; same limit as in sandbox/internal/wire/limits.go
const LONG = 64 * 1024; // characters of a frame that takes more than a moment to send

const { apply } = Reflect;
const { slice } = String.prototype;

// longError is the frame of an error that is too long for one, where oversize cannot be sent: the answer has begun.
const longError = head => `{"type":"error",${head}"status":0,"message":"The error is too long to be sent",` +
  '"text":"The error is too long to be sent","stack":"","frames":"","headers":[]}\n';

// What an answer may have, in bytes, by its type.
class Limits {
  constructor(maxAnswer) {
    this.maxAnswer = maxAnswer;
    this.maxError = Math.min(maxAnswer, MAX_ERROR);
  }

  // answer is the frame of a call's answer; facts are the members that the host reads before the answer's own.
  answer(call, facts) {
    const head = `"id":${call.id},${facts}`;
    const limit = call.type === 'error' ? this.maxError : this.maxAnswer;
    const frame = call.type === 'end' ? `{"type":"end",${apply(slice, head, [0, -1])}}\n` : // it has nothing of its own
      `{"type":"${call.type}",${head}${call.rest}}\n`;
    if (frame.length * 3 <= limit) return frame;
    const size = Buffer.byteLength(frame);
    if (size <= limit) return frame;
    return call.stream === null ? `{"type":"oversize",${head}"size":${size}}\n` : longError(head);
  }

  // fitted is the frame of an error or a short result, or what says that it is too large.
  fitted({ id, type, rest }) {
    const frame = `{"type":"${type}","id":${id},${rest}}\n`;
    const size = frame.length * 3 > this.maxError ? Buffer.byteLength(frame) : 0;
    return size > this.maxError ? `{"type":"oversize","id":${id},"reusable":false,"size":${size}}\n` : frame;
  }

  // cacheOf is what answers with a code cache: without a body if that is too large for a frame.
  cacheOf(cache) {
    const body = cache.length * 2 > this.maxAnswer ? '' : `,"body":"${cache.toString('base64')}"`;
    return `"status":200,"headers":[]${body}`;
  }
}

// isLong says whether it takes more than a moment to send a frame.
const isLong = frame => frame.length > LONG;

module.exports = { Limits, isLong };
