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
  return isObject(thrown) && thrown.statusCode ? thrown.statusCode | 0 : 0;
}

// framesOf keeps the frames in filename, as "at fn (file:line)" or "at file:line".
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

// The end of a call's stack: frames of Node.js below those of the function.
const FILE = '(?:node:|internal/|[a-z_]+\\.js:).*';
const INNER = new RegExp(`^\\s*at (?:.*\\(${FILE}\\)|${FILE}|<anonymous>|new Script .*)$`);

// withoutRunner removes the frames of the runner and its modules, those of the wrapper, which lie after the last line
// of the code, and those of Node.js at the end of the stack.
function withoutRunner(stack, filename, lines) {
  const kept = [];
  for (const line of stack.split('\n')) {
    const match = FRAME.exec(line);
    const wrapper = match !== null && filename !== '' && match[2] === filename && match[3] > lines;
    if (!wrapper && !line.includes('runner:realm/') && !line.includes(host.root)) kept[kept.length] = line;
  }
  let end = kept.length;
  while (end > 0 && INNER.test(kept[end - 1])) end--;
  return (kept.slice(0, end).some(line => FRAME.test(line)) ? kept.slice(0, end) : kept).join('\n');
}

// describe returns {status, message, text, stack, frames}; status 0 means that the error named none. filename is the
// function's, which has so many lines.
function describe(thrown, filename, lines) {
  const stack = attempt(() => (isObject(thrown) && typeof thrown.stack === 'string' ? thrown.stack : ''), '');
  const status = attempt(() => statusOf(thrown), 0);
  return {
    status: status !== 0 && (status < 100 || status > 999) ? 500 : status,
    message: attempt(() => messageOf(thrown), 'unknown error'),
    text: attempt(() => `${String(thrown)}`, 'unknown error'),
    stack: attempt(() => withoutRunner(stack, filename, lines), ''),
    frames: attempt(() => framesOf(stack, filename), ''),
  };
}

module.exports = describe;
