'use strict';

// Reports at the deploy what would make every call fail: code that compiles and runs, but has nothing to call.

const ADVICE = 'declare function main(req, res) at the top level of the code, or export a function';

// Start of a line that declares a function.
const DECLARES = [
  /^[ \t]*(?:async[ \t]+)?function[ \t*]/m,
  new RegExp('^[ \\t]*(?:const|let|var)[ \\t]+[\\w$]+[ \\t]*=[ \\t]*(?:async\\b[ \\t]*)?' +
    '(?:function\\b|\\([^()]*\\)[ \\t]*=>|[\\w$]+[ \\t]*=>)', 'm'),
];

// faultOf is why code can never answer; empty if it may. main is the typeof of main after the top-level code has run,
// undefined if that returned early. exported says whether the code has exported anything. Code that declares no
// function is accepted, as it always was. So is code with a main that is not a function, and code that names main,
// because it may define it only in a call.
function faultOf(code, main, exported) {
  if (main !== 'undefined') return '';
  if (exported) return `There is no function main, and what the code exports is not called: ${ADVICE}`;
  if (DECLARES.some(one => one.test(code)) && !/\bmain\b/.test(code)) return `There is no function main: ${ADVICE}`;
  return '';
}

module.exports = faultOf;
