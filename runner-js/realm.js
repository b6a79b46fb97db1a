'use strict';

// A realm: a V8 context with the objects that a function sees, all of them made inside it from the files in realm/.

const fs = require('fs');
const path = require('path');
const util = require('util');
const vm = require('vm');
const { Console } = require('console');
const { seed } = require('./entropy');

const { setTimeout, clearTimeout } = global; // before they are watched: these are counted by the realm itself

// The files are compiled once and run in every realm as modules that see `host` beside require.
const sources = {};
for (const name of ['errors', 'request', 'response', 'require', 'console', 'timers', 'wasm', 'random', 'guard', 'describe', 'call']) {
  const filename = path.join(__dirname, 'realm', `${name}.js`);
  const text = `(function (module, require, host) {${fs.readFileSync(filename, 'utf8')}\n})`;
  sources[name] = new vm.Script(text, { filename: `runner:realm/${name}.js` });
}

class Realm {
  constructor({ modules, env }) {
    this.globals = {};
    this.context = vm.createContext(this.globals);
    const host = {
      Buffer,
      Console,
      setTimeout,
      clearTimeout,
      normalize: path.normalize,
      seed,
      module: name => modules.get(name),
      hasModule: name => modules.has(name),
      env: JSON.stringify(env),
      root: __dirname,
      shared: [Object.prototype, Function.prototype, Array.prototype, Buffer], // of the realm that modules live in
    };
    const loaded = new Map();
    const load = (name) => {
      const key = name.slice(2); // './name'
      if (!loaded.has(key)) {
        const module = { exports: {} };
        sources[key].runInContext(this.context)(module, load, host);
        loaded.set(key, module.exports);
      }
      return loaded.get(key);
    };
    this.run = load('./call');
    this.unchanged = load('./guard');
  }
}

module.exports = Realm;
