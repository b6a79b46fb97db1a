'use strict';

// Turns whatever a function threw into the parts of an error frame. Nothing here may throw, whatever was thrown.

const { stringify } = JSON;
const FRAME = /^\s*at (?:async )?(?:(.+?) \()?(?:(.+?):(\d+)(?::\d+)?|([^)]+))\)?$/;

// attempt returns what read returns, or fallback when it throws.
function attempt(read, fallback) {
  try {
    return read();
  } catch (e) {
    return fallback;
  }
}

const isObject = value => (typeof value === 'object' && value !== null) || typeof value === 'function';

function messageOf(thrown) {
  if (!isObject(thrown)) return String(thrown);
  const { message } = thrown;
  if (typeof message === 'string') return message;
  return stringify(message === undefined ? thrown : message) || String(thrown);
}

function statusOf(thrown) {
  return isObject(thrown) && thrown.statusCode ? thrown.statusCode | 0 : 0; // eslint-disable-line no-bitwise
}

// framesOf keeps the frames that lie in filename, as "at fn (file:line)" or "at file:line".
function framesOf(stack, filename) {
  const frames = [];
  for (const line of stack.split('\n')) {
    const match = FRAME.exec(line);
    if (match && match[2] === filename) {
      const name = match[1] && !match[1].endsWith('<anonymous>') ? match[1] : '';
      frames.push(name ? `at ${name} (${filename}:${match[3]})` : `at ${filename}:${match[3]}`);
    }
  }
  return frames.join('\n');
}

// withoutRunner drops the frames of the runner and of the modules beside it.
function withoutRunner(stack) {
  return stack.split('\n').filter(line => !line.includes('runner:realm/') && !line.includes(host.root)).join('\n');
}

// describe returns {status, message, text, stack, frames}; status 0 means that the error named none.
function describe(thrown, filename) {
  const stack = attempt(() => (isObject(thrown) && typeof thrown.stack === 'string' ? thrown.stack : ''), '');
  const status = attempt(() => statusOf(thrown), 0);
  return {
    status: status !== 0 && (status < 100 || status > 599) ? 500 : status,
    message: attempt(() => messageOf(thrown), 'unknown error'),
    text: attempt(() => `${String(thrown)}`, 'unknown error'),
    stack: attempt(() => withoutRunner(stack), ''),
    frames: attempt(() => framesOf(stack, filename), ''),
  };
}

module.exports = describe;
