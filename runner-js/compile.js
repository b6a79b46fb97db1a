'use strict';

// Checks whether code compiles on this Node.js, without running it: for functions check-migration. Each input line is a
// function or a module to look for; each gets one answer line, in order.

const readline = require('readline');
const vm = require('vm');
const explain = require('./syntax');
const { NAMES, CHECK_FOOT, wrap } = require('./wrapper');

// faultOf is why code does not compile, as a PUT of it would say; empty if it does.
function faultOf(filename, code) {
  const compile = displayErrors => new vm.Script(wrap(code, CHECK_FOOT), { filename, lineOffset: -1, displayErrors });
  try {
    compile(false);
    return '';
  } catch (error) {
    return `${explain(error, () => compile(true), { filename, code, names: NAMES })}`;
  }
}

function compiles(text) {
  try {
    return Boolean(new vm.Script(`() => { 'use strict';\n${text}\n}`));
  } catch (error) {
    return false;
  }
}

// behind says what happens to a call that stands directly after the code, where Backstage Functions writes it:
// 'refused' if it does not compile there, 'lost' if it is part of a comment, as anything would be.
function behind(code) {
  if (!compiles(`${code}if (typeof main) main();`)) return 'refused';
  return compiles(`${code} ) `) ? 'lost' : '';
}

function missing(name, paths) {
  for (const options of [undefined, { paths }]) {
    try {
      require.resolve(name, options);
      return '';
    } catch (error) {
      if (options) return `Cannot find module '${name}'`;
    }
  }
  return '';
}

readline.createInterface({ input: process.stdin }).on('line', (line) => {
  const { filename, code, stored, module, paths } = JSON.parse(line);
  if (module) {
    console.log(JSON.stringify({ fault: missing(module, paths) }));
    return;
  }
  const fault = faultOf(filename, code);
  console.log(JSON.stringify({ fault, behind: fault ? '' : behind(stored) }));
});
