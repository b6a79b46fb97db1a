'use strict';

// Values of headers such as Content-Type: a word, and parameters.

const PARAMETER = /;[ \t]*([!#$%&'*+\-.^_`|~0-9A-Za-z]+)=(?:"((?:[^"\\]|\\[^])*)"|([^;"]*))/g;

// parse returns {type, parameters}: type in lower case, and an object without a prototype that has parameters by
// their names in lower case. The first of each name counts.
function parse(value) {
  const whole = typeof value === 'string' ? value : '';
  const parameters = Object.create(null);
  const end = whole.indexOf(';');
  for (const [, name, quoted, plain] of matches(end < 0 ? '' : whole.slice(end))) {
    const key = name.toLowerCase();
    const text = quoted === undefined ? plain.trim() : quoted.replace(/\\(["\\])/g, '$1');
    if (!(key in parameters)) parameters[key] = text;
  }
  return { type: (end < 0 ? whole : whole.slice(0, end)).trim().toLowerCase(), parameters };
}

function matches(text) {
  const found = [];
  PARAMETER.lastIndex = 0;
  let match;
  while ((match = PARAMETER.exec(text)) !== null) found.push(match);
  return found;
}

module.exports = parse;
