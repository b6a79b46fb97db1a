'use strict';

// Warnings of Node.js, such as that a function is deprecated or that an emitter has many listeners, go to the output of
// the call that they are about. Node.js would print them to a stream that is not there.

const LONGEST = 4096; // characters of one warning

const { apply } = Reflect;
const { slice } = String.prototype;

// textOf is "[CODE] Name: message" of whatever was emitted; empty if it cannot be read.
function textOf(warning) {
  try {
    const code = typeof warning.code === 'string' ? `[${warning.code}] ` : '';
    return apply(slice, `${code}${warning.name}: ${warning.message}`, [0, LONGEST]);
  } catch (error) {
    return '';
  }
}

// capture passes warnings to say(text) instead of printing them.
function capture(say) {
  process.removeAllListeners('warning');
  process.on('warning', (warning) => {
    const text = textOf(warning);
    if (text !== '') say(text);
  });
}

module.exports = { capture };
