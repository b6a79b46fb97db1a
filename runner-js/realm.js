'use strict';

// A realm: a V8 context with the objects that a function sees, all of them created inside it from the files in realm/.

const fs = require('fs');
const path = require('path');
const util = require('util');
const vm = require('vm');
const { Console } = require('console');
const { fetch } = require('./egress');
const builtins = require('./builtins');
const globals = require('./globals');
const { seed, resetToo } = require('./entropy');
const withoutDeferral = require('./deferred');
const Shapes = require('./shapes');

// Taken before pending.js counts them: the realm counts these itself.
const { setTimeout, setInterval, clearTimeout, setImmediate, clearImmediate } = global;

const { version, versions, platform, arch } = process;

// The files are compiled once and run in every realm as modules that see `host` in addition to require.
const FILES = [
  'instances', 'errors', 'request', 'response', 'require', 'console', 'timers', 'wasm', 'random', 'intrinsics',
  'properties', 'guard', 'span', 'describe', 'context', 'frames', 'call', 'web', 'process', 'clone', 'entry',
  'bytes', 'percent', 'frozen', 'toolarge', 'mediatype', 'cookies', 'multipart', 'form',
  'handler', 'standins', 'sources', 'types', 'connections', 'stdio', 'emitter',
];
const sources = {};
for (const name of FILES) {
  const filename = path.join(__dirname, 'realm', `${name}.js`);
  const text = `(function (module, require, host) {${fs.readFileSync(filename, 'utf8')}\n})`;
  sources[name] = new vm.Script(text, { filename: `runner:realm/${name}.js` });
}

// here loads a file in the runner's own realm, in which modules live.
function here(name) {
  const module = { exports: /** @type {any} */ ({}) };
  sources[name].runInThisContext()(module);
  return module.exports;
}

class Realm {
  // names are the globals that each call sets anew; they exist from the start, so that others are noticed. runner has
  // what calls need of the runner.
  constructor({ modules, missing, env, names, runner }) {
    this.globals = {};
    const forget = () => names.forEach((name) => { this.globals[name] = undefined; });
    forget();
    if (fetch) this.globals.fetch = fetch; // a function may have a global of its own with that name
    this.context = vm.createContext(this.globals);
    withoutDeferral(vm.runInContext('this', this.context));
    here('wasm')(runner.work); // before guard.js records its objects
    const host = {
      Buffer,
      Console,
      setTimeout,
      setInterval,
      clearTimeout,
      setImmediate,
      clearImmediate,
      normalize: path.normalize,
      promisify: util.promisify.custom,
      seed,
      resetToo,
      shapesOf: objects => new Shapes(objects),
      module: name => modules.get(name),
      hasModule: name => modules.has(name),
      fault: name => (missing.has(name) ? ` on Node.js ${process.version}: ${missing.get(name)}` : ''),
      env: JSON.stringify(env),
      runner,
      root: __dirname,
      intrinsics: here('intrinsics'),
      shared: [Buffer, Buffer.prototype, this.globals],
      globals: this.globals,
      outer: global,
      process: JSON.stringify({ version, versions, platform, arch }),
      web: {
        rows: globals.offered,
        value: globals.value,
        module: builtins.load,
        standIns: builtins.STAND_INS,
        names: builtins.namesOf,
        agent: `Node.js/${parseInt(version.slice(1), 10)}`,
      },
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
    const [outer, inner] = [here('instances'), load('./instances')];
    outer.recognize(inner.errors);
    inner.recognize(outer.errors);
    const { run, fail, lost, goesOn, exportsEntry, becomeWeb, handles, forgetCalls } = load('./call');
    this.exportsEntry = exportsEntry;
    this.run = run;
    this.fail = fail;
    this.lost = lost;
    this.goesOn = goesOn;
    this.handles = handles;
    this.forget = forgetCalls;
    this.becomeWeb = () => {
      forget(); // the fork server has rehearsed calls
      becomeWeb();
    };
    this.guard = load('./guard');
  }
}

module.exports = Realm;
