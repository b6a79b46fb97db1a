'use strict';

// Checks whether code compiles on this Node.js, without running it: for functions check-migration. Each input line is a
// function; each gets one answer line, in order.

const readline = require('readline');
const vm = require('vm');
const esm = require('./esm');
const explain = require('./syntax');
const { NAMES, CHECK_FOOT, wrap } = require('./wrapper');

const modern = parseInt(process.versions.node, 10) >= 18; // earlier versions run no modules

const compile = (text, options) => new vm.Script(text, Object.assign({ lineOffset: -1 }, options));

// faultOf is why code does not compile, as a PUT of it would say; empty if it does.
function faultOf(filename, code) {
  const wrapped = (text, displayErrors) => compile(wrap(text, CHECK_FOOT), { filename, displayErrors });
  try {
    wrapped(code, false);
    return '';
  } catch (error) {
    if (modern && esm.isRefused(error)) return moduleFault(filename, code, text => wrapped(text, false));
    return `${explain(error, () => wrapped(code, true), { filename, code, names: NAMES })}`;
  }
}

// moduleFault is faultOf for an ES module.
function moduleFault(filename, code, wrapped) {
  try {
    wrapped(esm.lower(code));
    return '';
  } catch (error) {
    return error.place ? `${error} at ${filename}:${error.place.line}:${error.place.column + 1}` : `${error}`;
  }
}

// refusal is the error of V8 about code that stands where Backstage Functions writes it; null if it compiles there.
function refusal(text, options = {}) {
  // In brackets, within another function, Node.js 8 looks for all errors in it.
  const whole = `() => (() => { 'use strict';\n${text}\n})`;
  try {
    compile(whole, options);
    return null;
  } catch (error) {
    return error;
  }
}

const compiles = text => refusal(text) === null;

// What only a module has, at the start of a line or after what may end a statement.
const MODULE = /(?:^|[;}]|\*\/)[ \t]*(?:export\b|import\b(?!\s*[(.]))/m;

// What code without a main may be called by here.
const CALLED = /\bexports\b|\baddEventListener\b/;

// A main that is no variable of the code's own.
const GLOBAL_MAIN = /\b(?:this|global|globalThis)\s*\.\s*main\s*=/;

// behind says why code does not run where Backstage Functions writes it, with a call of main directly after it: a
// reason that internal/migration has the words for, '' for none. detail is the error of code that does not compile.
function behind(filename, code) {
  const error = refusal(code);
  const called = compiles(`${code}if (typeof main) main();`);
  if (error !== null && !called) {
    if (esm.isRefused(error) && MODULE.test(code)) return { behind: 'module' };
    const again = () => { throw refusal(code, { filename, displayErrors: true }); };
    return { behind: 'syntax', detail: `${explain(error, again, { filename, code, names: [] })}` };
  }
  if (compiles(`${code}\n;let main;`) && CALLED.test(code) && !GLOBAL_MAIN.test(code)) return { behind: 'main' };
  if (!called) return { behind: 'refused' };
  return { behind: compiles(`${code} ) `) ? 'lost' : '' };
}

readline.createInterface({ input: process.stdin }).on('line', (line) => {
  const { filename, code, stored } = JSON.parse(line);
  const answer = stored === undefined ? { fault: faultOf(filename, code) } : behind(filename, stored);
  console.log(JSON.stringify(answer));
});
