'use strict';

// The code around the code of a function, before it is compiled.

// What a function's top-level code sees in addition to the language, in the order of the wrapper's parameters.
const NAMES = [
  'Backstage', 'Buffer', 'console', 'exports', 'module', 'setTimeout', 'clearTimeout', 'require', 'relativeRequire',
  'NotModified', 'BadRequest', 'NotFound', 'UnprocessableEntity', 'InternalServerError',
];
const PARAMETERS = NAMES.join(', ');

// What the code around sees in addition: whether the code has exported what can be called.
const EXPORTS_ENTRY = '__functionsExportsEntry';

const CHECK_FOOT = ';return [typeof main];';

// The wrapper starts one line before the code and ends one after it, so that frames carry the code's own line numbers.
function wrap(code, foot) {
  const inner = `(${PARAMETERS}) => { 'use strict';\n${code}\n${foot}}`;
  return `(${EXPORTS_ENTRY}) => (${PARAMETERS}) => (${inner})(${PARAMETERS})`;
}

module.exports = { NAMES, EXPORTS_ENTRY, CHECK_FOOT, wrap };
