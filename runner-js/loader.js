'use strict';

// Holds the one function that this worker is bound to: compiled once, run for each call.

const v8 = require('v8');
const vm = require('vm');
const clock = require('./clock');
const explain = require('./syntax');
const faultOf = require('./entry');
const Realm = require('./realm');
const { NAMES, CHECK_FOOT, wrap } = require('./wrapper');

// What it sees beside them as a global: code that declares the name itself, as it may where there is none, goes on to run.
const GLOBALS = NAMES.concat('setInterval');

const { apply } = Reflect;
const setGlobals = Function('globals', 'values', GLOBALS.map((name, i) => `globals.${name} = values[${i}];`).join(' '));

const RUN_FOOT = ";return [main.constructor.name === 'AsyncFunction', main.call(null, Backstage.request, Backstage.response)];";

// V8 leaves functions uncompiled until they are called, and would leave them out of a cache. Node.js 8 has a flag for that. Later ones compile
// everything while --lazy is off; the flags are part of a cache, so it must be on again when they make one.
const { createCachedData } = vm.Script.prototype;
if (!createCachedData) v8.setFlagsFromString('--serialize_eager');

class Loader {
  // modules is a Map of what functions may require, missing one of what they might, and why it cannot be loaded; env is what all of them see; runner is for the realm.
  constructor({ modules, missing, env, runner }) {
    this.realm = new Realm({ modules, missing, env, names: GLOBALS, runner });
    this.spent = 0; // what loading has taken since it was last told, in milliseconds
  }

  // read takes the load frame; the code is compiled when it is first called.
  read(line) {
    const elapsed = clock.start();
    const { filename, code, cache } = JSON.parse(line);
    this.load(filename, code, cache);
    this.spent = elapsed();
  }

  // load takes a function. cache is what V8 has compiled of the same code before, as base64, if anything: see docs/protocol.md.
  load(filename, code, cache) {
    this.filename = filename;
    this.code = code;
    this.cachedData = cache ? Buffer.from(cache, 'base64') : undefined;
    this.programs = {};
    this.realm.guard.restart();
  }

  // toldSpent is what loading has taken for the present call, in milliseconds; 0 when there was nothing to load.
  toldSpent() {
    const { spent } = this;
    this.spent = 0;
    return spent;
  }

  // run runs the top-level code, and main after it unless kind is 'check', with the values that GLOBALS stand for. It throws what
  // the code throws, and the SyntaxError of code that does not compile.
  run(kind, values) {
    if (!this.programs[kind]) this.programs[kind] = this.compile(kind);
    setGlobals(this.realm.globals, values);
    return apply(this.programs[kind], undefined, values);
  }

  compile(kind) {
    const elapsed = clock.start();
    try {
      const script = kind === 'run' ? this.script({ cachedData: this.cachedData }) : this.script({ foot: CHECK_FOOT });
      this.cachedData = undefined; // V8 has taken from it what it needs
      return script.runInContext(this.realm.context, { displayErrors: false });
    } catch (error) {
      throw explain(error, () => this.script({ displayErrors: true }), { filename: this.filename, code: this.code, names: NAMES });
    } finally {
      this.spent += elapsed();
    }
  }

  // faultOf is why the code can never answer; empty when it may. See entry.js.
  faultOf(main, exported) {
    return faultOf(this.code, main, exported);
  }

  // cache returns what V8 compiles of the function; it is empty for code that does not compile.
  cache() {
    try {
      return createCachedData ? createCachedData.call(this.eagerScript()) : this.script({ produceCachedData: true }).cachedData;
    } catch (error) {
      return Buffer.alloc(0);
    }
  }

  eagerScript() {
    v8.setFlagsFromString('--no-lazy');
    try {
      return this.script({});
    } finally {
      v8.setFlagsFromString('--lazy');
    }
  }

  /** @param {{ foot?: string, cachedData?: Buffer, produceCachedData?: boolean, displayErrors?: boolean }} options */
  script({ foot = RUN_FOOT, cachedData, produceCachedData, displayErrors = false }) {
    return new vm.Script(wrap(this.code, foot), { filename: this.filename, lineOffset: -1, displayErrors, cachedData, produceCachedData });
  }

  // clean says whether the last call has left the realm as it was, but for what the next call sets anew.
  clean() {
    return this.realm.guard.unchanged();
  }
}

module.exports = Loader;
