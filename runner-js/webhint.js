'use strict';

// What the output says of an error that the globals and modules of "globals":"web" would mend. The answer stays as it
// is: callers of functions that are stored read it.

const builtins = require('./builtins');
const { offered } = require('./globals');

const { apply } = Reflect;
const { exec } = RegExp.prototype;

const MODULE = /^Cannot find module '(?:node:)?([^']*)'$/;
const NAME = /^([A-Za-z]+) is not defined$/;

const names = new Set();
for (const row of offered) row.names.forEach(name => names.add(name));

const modules = name => builtins.offered.has(name) || builtins.OWN.includes(name) || builtins.STAND_INS.includes(name);

// hintOf is what to do about an error with that message in a function without the globals of the web; empty for none.
function hintOf(message) {
  const module = apply(exec, MODULE, [message]);
  const name = apply(exec, NAME, [message]);
  let what = '';
  if (module !== null && modules(module[1])) what = `The module ${module[1]}`;
  else if (name !== null && names.has(name[1])) [, what] = name;
  return what && `${what} is there for functions with "globals":"web" in their PUT`;
}

module.exports = hintOf;
