'use strict';

// Says at the deploy what would fail every call: code that compiles and runs, and has nothing to call.

const ADVICE = 'declare function main(req, res) at the top level of the code';

// How a line begins that declares a function.
const DECLARES = [
  /^[ \t]*(?:async[ \t]+)?function[ \t*]/m,
  /^[ \t]*(?:const|let|var)[ \t]+[\w$]+[ \t]*=[ \t]*(?:async\b[ \t]*)?(?:function\b|\([^()]*\)[ \t]*=>|[\w$]+[ \t]*=>)/m,
];

// faultOf is why code can never answer; empty when it may. main is what typeof says of main when the top-level code has run, undefined when that returned
// early; exported says whether it has exported anything. Code that declares no function is let pass, as it always was, and so is code with a main that is
// none; and code that names main, since it may define it in a call only.
function faultOf(code, main, exported) {
  if (main !== 'undefined') return '';
  if (exported) return `There is no function main, and what the code exports is not called: ${ADVICE}`;
  if (DECLARES.some(one => one.test(code)) && !/\bmain\b/.test(code)) return `There is no function main: ${ADVICE}`;
  return '';
}

module.exports = faultOf;
