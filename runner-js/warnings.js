'use strict';

// What Node.js says by itself, such as that a function is deprecated or that an emitter has many listeners, goes to the output of the call that it
// says it of. Node.js would print it to a stream that is not there.

const LONGEST = 4096; // characters of one warning

const { apply } = Reflect;
const { slice } = String.prototype;

// textOf is "[CODE] Name: message" of whatever was emitted; nothing when it cannot be told.
function textOf(warning) {
  try {
    const code = typeof warning.code === 'string' ? `[${warning.code}] ` : '';
    return apply(slice, `${code}${warning.name}: ${warning.message}`, [0, LONGEST]);
  } catch (error) {
    return '';
  }
}

// heard hands warnings to say(text) in place of printing them.
function heard(say) {
  process.removeAllListeners('warning');
  process.on('warning', (warning) => {
    const text = textOf(warning);
    if (text !== '') say(text);
  });
}

module.exports = { heard };
