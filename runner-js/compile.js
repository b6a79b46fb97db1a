'use strict';

// Says of code whether it compiles on this Node.js, and runs nothing of it: for functions check-migration. Each line of its input is a function,
// or a module to look for, and is answered by one line, in order.

const readline = require('readline');
const vm = require('vm');
const explain = require('./syntax');
const { NAMES, CHECK_FOOT, wrap } = require('./wrapper');

// faultOf is why code does not compile, as a PUT of it would say; empty when it does.
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

// behind says what becomes of a call that stands right behind the code, where Backstage Functions writes it: 'refused' when it does not compile
// there, 'lost' when it is part of a comment, as anything would be.
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
