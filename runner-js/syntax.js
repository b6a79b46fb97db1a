'use strict';

// Finds where code does not compile. V8 knows, and Node.js writes it above the stack of the error if asked to.

const columnIn = require('./column');

const LONGEST = 120; // characters of the source line to show

// explain adds to the error of code that does not compile where in filename it is: line, column and the code there.
// again compiles once more, in a way that decorates its error. An error about one of the names that the server itself
// declares keeps its text, with the place in the stack.
function explain(error, again, { filename, code, names }) {
  const place = placeOf(again, filename, code);
  if (place === null) return error;
  const { message } = error;
  const [, declared] = /^Identifier '(.*)' has already been declared$/.exec(message) || [];
  if (names.includes(declared)) {
    error.stack = `${error.name}: ${message}\n    at ${place.at}`;
  } else {
    error.message = `${message} at ${place.at}: ${place.source}`;
    error.stack = `${error.name}: ${error.message}`;
  }
  return error;
}

// placeOf is null if the place is unknown.
function placeOf(again, filename, code) {
  const lines = code.split('\n');
  const [head, source, mark] = decorated(again).split('\n');
  const prefix = `${filename}:`;
  if (mark === undefined || !head.startsWith(prefix)) return null;
  const line = Number(head.slice(prefix.length));
  if (!(line >= 1)) return null;
  if (line > lines.length) { // in the end of the wrapper
    return { at: `${prefix}${lines.length}:${lines[lines.length - 1].length + 1}`, source: 'the code ends too early' };
  }
  let column = mark.indexOf('^');
  let text = source;
  if (column < 0) { // Node.js 8 cuts off long lines
    column = columnIn(code, line);
    text = lines[line - 1];
  }
  if (column < 0) return { at: `${prefix}${line}`, source: text.slice(0, LONGEST).trim() };
  const from = Math.max(0, column - LONGEST / 2);
  return { at: `${prefix}${line}:${column + 1}`, source: text.slice(from, from + LONGEST).trim() };
}

function decorated(again) {
  try {
    again();
    return '';
  } catch (error) {
    return `${error.stack}`;
  }
}

module.exports = explain;
