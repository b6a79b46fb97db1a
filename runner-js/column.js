'use strict';

// Finds the column at which a long line does not compile, where Node.js does not tell it.

const acorn = require('./acorn');

const LONGEST = 1024 * 1024; // characters of code that is looked at: parsing takes time of the call

const V8_62 = 9; // the version of ECMAScript that Node.js 8 comes nearest to

// columnIn is the column in that line of code, from 0, at which it stops being JavaScript; -1 if that is not known.
function columnIn(code, line) {
  const parser = code.length > LONGEST ? null : acorn();
  if (parser === null) return -1;
  try {
    parser.parse(code, { ecmaVersion: V8_62, allowReturnOutsideFunction: true });
  } catch (error) {
    if (error.loc && error.loc.line === line) return error.loc.column;
  }
  return -1;
}

module.exports = columnIn;
