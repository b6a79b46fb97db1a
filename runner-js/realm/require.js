'use strict';

// require and relativeRequire of a function: first the modules that the function defined itself, then the global ones
// by exact name.

const { fault, hasModule, module: globalModule, normalize } = host;
const { apply } = Reflect;
const { hasOwnProperty } = Object.prototype;

const has = (object, name) => apply(hasOwnProperty, object, [name]);

// builtin gives a module of Node.js by its name, undefined if the function may not have it; null if it may have none.
function makeRequire(modules, builtin = null) {
  return function require(name) {
    if (has(modules, name) && modules[name] !== undefined) return modules[name]();
    if (hasModule(name)) return globalModule(name);
    const found = builtin === null ? undefined : builtin(name);
    if (found !== undefined) return found;
    const error = new Error(`Cannot find module '${name}'${fault(name)}`);
    error.code = 'MODULE_NOT_FOUND';
    throw error;
  };
}

function makeRelativeRequire(modules, require) {
  return function relativeRequire(base) {
    return function relative(name) {
      const local = `./${normalize(`${base}/${name}`)}`;
      if (has(modules, local) && modules[local] !== undefined) return modules[local]();
      return require(name);
    };
  };
}

module.exports = { makeRequire, makeRelativeRequire };
