'use strict';

// The one function that this worker is bound to: compiled once, run for each call.

const v8 = require('v8');
const vm = require('vm');
const clock = require('./clock');
const esm = require('./esm');
const explain = require('./syntax');
const faultOf = require('./entry');
const hintOf = require('./hint');
const Realm = require('./realm');
const { NAMES, EXPORTS_ENTRY, CHECK_FOOT, wrap } = require('./wrapper');

// Globals that the code may declare itself, because there were none of these names before: such code must still run.
const GLOBALS = NAMES.concat('setInterval');

const modern = parseInt(process.versions.node, 10) >= 18; // earlier versions run no modules

const { apply } = Reflect;
const setGlobals = Function('globals', 'values', GLOBALS.map((name, i) => `globals.${name} = values[${i}];`).join(' '));

// What the code comes to: whether main is async and what it returns, or nothing if there is none and something else can
// be called. main is called from within the wrapper, whose place is in the stacks of its errors.
const OUTCOME = `typeof main === 'undefined' && ${EXPORTS_ENTRY}() ? [] : ` +
  "[main.constructor.name === 'AsyncFunction', main.call(null, Backstage.request, Backstage.response)]";
const RUN_FOOT = `;return ${OUTCOME};`;
const ONCE_FOOT = `;return () => ${OUTCOME};`;

// V8 leaves functions uncompiled until they are called, and would leave them out of a cache. Node.js 8 has a flag
// against that. Later versions compile everything while --lazy is off. The flags are part of a cache, so --lazy must be
// on again when the cache is made.
const { createCachedData } = vm.Script.prototype;
if (!createCachedData) v8.setFlagsFromString('--serialize_eager');

// hinted adds to the error of code that does not compile what to do, if that is known. An error about one of the names
// that the server itself declares has frames, and keeps its text.
function hinted(error, code) {
  if (error.stack !== `SyntaxError: ${error.message}`) return error;
  const hint = !modern && /^Unexpected token (?:export|import)\b/.test(error.message) ?
    'ES modules need Node.js 18 or later: choose one with "runtime"' : hintOf(code);
  if (hint !== '') {
    error.message = `${error.message} (${hint})`;
    error.stack = `${error.name}: ${error.message}`;
  }
  return error;
}

class Loader {
  // modules is a Map of what functions may require, missing one of modules that cannot be loaded, with the cause. env
  // is what all functions see. runner is for the realm.
  constructor({ modules, missing, env, runner }) {
    this.realm = new Realm({ modules, missing, env, names: GLOBALS, runner });
    this.web = false; // whether the function has the globals of the web
    this.spent = 0; // time of loading since it was last reported, in milliseconds
  }

  // read takes the load frame; the code is compiled on the first call.
  read(line) {
    const elapsed = clock.start();
    const { filename, code, cache, web, once } = JSON.parse(line);
    if (this.web && !web) throw new Error('this process is for functions with the globals of the web');
    if (web && !this.web) this.becomeWeb();
    this.load(filename, code, cache, once);
    this.spent = elapsed();
  }

  // becomeWeb gives the realm the globals of the web. There is no way back.
  becomeWeb() {
    this.web = true;
    this.realm.becomeWeb();
  }

  // handles says whether web handlers can be called.
  handles() {
    return this.realm.handles();
  }

  // forget makes the calls so far, which were the fork server's own, count for nothing.
  forget() {
    this.realm.forget();
  }

  // load takes a function. cache is the V8 code cache of the same code as base64, if there is one: see
  // docs/protocol.md. once says that the top-level code runs for the first call alone.
  load(filename, code, cache, once = false) {
    this.filename = filename;
    this.code = code;
    this.lowered = ''; // the code of a module in a form that can be compiled
    this.once = once;
    this.started = null; // runs main again, after the top-level code has run once
    this.cachedData = cache ? Buffer.from(cache, 'base64') : undefined;
    this.programs = {};
    this.realm.guard.restart();
  }

  // prepare compiles the function with all that is in it, and runs nothing: this is what its worker is put back to
  // after each call. What is wrong with the code is told by the first call.
  prepare() {
    try {
      if (this.cachedData === undefined) this.cachedData = this.cache();
      this.programs.run = this.compile('run');
    } catch (error) {
      this.programs = {};
    }
    this.cachedData = undefined;
    this.lowered = this.programs.run ? this.lowered : '';
    this.spent = 0; // it is no call's
  }

  // toldSpent is the time of loading for the current call, in milliseconds; 0 if nothing was loaded.
  toldSpent() {
    const { spent } = this;
    this.spent = 0;
    return spent;
  }

  // run runs the top-level code, once in all calls if the function asks for that, and then main unless kind is 'check'
  // or 'prepare', with the values for GLOBALS. It throws what the code throws, and the SyntaxError of code that does
  // not compile.
  run(kind, values) {
    if (kind === 'prepare') {
      this.runOnce(values);
      return undefined;
    }
    if (!this.programs[kind]) this.programs[kind] = this.compile(kind);
    setGlobals(this.realm.globals, values);
    if (!this.once || kind !== 'run') return apply(this.programs[kind], undefined, values);
    if (this.started === null) this.started = apply(this.programs[kind], undefined, values);
    return this.started();
  }

  // runOnce runs the top-level code for all calls. What is wrong with code that does not compile is told by the first.
  runOnce(values) {
    if (!this.programs.run) this.prepare();
    if (!this.programs.run) return;
    setGlobals(this.realm.globals, values);
    this.started = apply(this.programs.run, undefined, values);
  }

  compile(kind) {
    const elapsed = clock.start();
    try {
      const script = kind === 'run' ? this.script({ cachedData: this.cachedData }) : this.script({ foot: CHECK_FOOT });
      this.cachedData = undefined; // V8 no longer needs it
      return script.runInContext(this.realm.context, { displayErrors: false })(this.realm.exportsEntry);
    } catch (error) {
      const { filename, code } = this;
      if (error.place) throw hinted(this.explainModule(error), code);
      const again = () => this.script({ displayErrors: true });
      throw hinted(explain(error, again, { filename, code, names: NAMES }), code);
    } finally {
      this.spent += elapsed();
    }
  }

  // faultOf is why the code can never answer; empty if it may. See entry.js.
  faultOf(main, exported) {
    return faultOf(this.code, main, exported);
  }

  // cache returns V8's code cache of the function; empty for code that does not compile.
  cache() {
    try {
      if (createCachedData) return createCachedData.call(this.eagerScript());
      return this.script({ produceCachedData: true }).cachedData;
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

  // explainModule adds to the error of a module where it is.
  explainModule(error) {
    const { place: { line, column } } = error;
    const [source] = this.code.split('\n').slice(line - 1);
    error.message = `${error.message} at ${this.filename}:${line}:${column + 1}: ${source.slice(0, 120).trim()}`;
    error.stack = `${error.name}: ${error.message}`;
    return error;
  }

  // script compiles the code. What only a module may hold is lowered when V8 refuses it.
  /** @param {{ foot?: string, cachedData?: Buffer, produceCachedData?: boolean, displayErrors?: boolean }} options */
  script(options) {
    try {
      return this.compiled(options);
    } catch (error) {
      if (!modern || this.lowered || !esm.isRefused(error)) throw error;
      this.lowered = esm.lower(this.code);
      return this.compiled(options);
    }
  }

  /** @param {{ foot?: string, cachedData?: Buffer, produceCachedData?: boolean, displayErrors?: boolean }} options */
  compiled({ foot = this.once ? ONCE_FOOT : RUN_FOOT, cachedData, produceCachedData, displayErrors = false }) {
    const { filename } = this;
    const options = { filename, lineOffset: -1, displayErrors, cachedData, produceCachedData };
    return new vm.Script(wrap(this.lowered || this.code, foot), options);
  }

  // clean says whether the last call has left the realm as it was, apart from what the next call sets anew.
  clean() {
    return this.realm.guard.unchanged();
  }
}

module.exports = Loader;
