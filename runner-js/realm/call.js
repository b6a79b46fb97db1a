'use strict';

// One call inside its realm: makes req and res, runs the top-level code and main, and turns the first outcome into an
// answer.

const errors = require('./errors');
const { of: requestOf, isHTTP } = require('./request');
const { bytesOf, sizeOf, base64 } = require('./bytes');
const { pump } = require('./sources');
const { Response, HTTPResponse } = require('./response');
const { Span, record } = require('./span');
const { makeRequire, makeRelativeRequire } = require('./require');
const consoles = require('./console');
const makeTimers = require('./timers');
const watchWasm = require('./wasm');
const describe = require('./describe');
const makeRandom = require('./random');
const { Context, give, setInvocation } = require('./context');

const entryOf = require('./entry');
const { textOf, failureFrame, taken, resultFrame, bytesFrame, endFrame } = require('./frames');

const { parse } = JSON;
const { apply } = Reflect;
const { defineProperty, freeze, keys } = Object;
const RealPromise = Promise; // a function may declare another Promise
const { then } = RealPromise.prototype;
const settled = Promise.resolve();
const { isArray } = Array;
const { Buffer, runner } = host;

const sharedEnv = freeze(parse(host.env));

const generator = makeRandom(host.seed);
Math.random = generator.random;
host.resetToo(generator.reset);

// envOf is what the function sees as Backstage.env: the shared, frozen object, or a copy with its own variables on top.
function envOf(own) {
  if (!own) return sharedEnv;
  const env = {};
  for (const source of [sharedEnv, own]) {
    for (const name of keys(source)) {
      defineProperty(env, name, { value: source[name], writable: true, enumerable: true, configurable: true });
    }
  }
  return env;
}

// The call in progress. A realm has one at a time, and nothing of it is left when the next one starts. Objects that are
// created for each call are only those that a function may change.
let open = false; // it has no outcome yet
let frameOf; // makes its frame from
let outcome;
let cut = false; // work that it has begun ends with its answer
let streamed = null; // what stands for the answer that it streams
let flush = null; // sends the tags of its span

// settle sends the first outcome. Its body, or what was thrown, is read after the code that caused it has returned.
function settle(make, what) {
  frameOf = make;
  outcome = what;
  apply(then, settled, [deliver]);
}

function answer(result) {
  if (streamed !== null) throw new TypeError('The answer is a stream already: go on with res.write and res.end');
  if (!open) return;
  open = false; // whatever getters of headers do when they are read
  settle(resultFrame, taken(result));
}

// answerBytes is answer for a body that is a typed array. Its bytes are taken now.
function answerBytes({ status, headers, body }) {
  if (!open) return;
  const bytes = base64(body, 0, sizeOf(body));
  open = false;
  settle(bytesFrame, taken({ status, headers, body: bytes }));
}

// begin sends the head of a streamed answer, unless it is out. What cannot be sent is thrown; nothing has begun then.
function begin(result) {
  if (streamed !== null) return;
  if (!open) throw new Error('The answer is complete: nothing can be written to it');
  const { code, pairs, failed, failure } = taken(result);
  if (failed) throw failure;
  open = false;
  streamed = { pumped: false };
  runner.head(`"status":${code},"headers":${textOf(pairs)}`);
}

// write sends the next piece of a streamed answer: text or bytes.
function write(result, piece) {
  const bytes = bytesOf(piece);
  begin(result);
  if (streamed.pumped) throw new Error('The answer ends with what was given to res.end: nothing can be written to it');
  if (sizeOf(bytes) > 0) runner.chunk(bytes);
}

// end sends the last piece, and that it was the last. An answer that has not begun is sent as a whole.
function end(result, piece) {
  const body = bytesOf(piece);
  if (streamed === null) {
    answerBytes({ status: result.status, headers: result.headers, body });
  } else if (!streamed.pumped) {
    if (sizeOf(body) > 0) runner.chunk(body);
    endStream();
  }
}

function endStream() {
  streamed = null;
  settle(endFrame, undefined);
}

// endWith is end for an answer that comes from source, which is asked for more as the caller takes it.
function endWith(result, source) {
  if (!open && streamed === null) return;
  begin(result);
  const mine = streamed;
  if (mine.pumped) return;
  mine.pumped = true;
  runner.work(1);
  const over = (act) => {
    runner.work(-1);
    act();
  };
  try {
    pump(source, {
      going: () => streamed === mine,
      write(piece) {
        const bytes = bytesOf(piece);
        if (sizeOf(bytes) > 0) runner.chunk(bytes);
      },
      end: () => over(endStream),
      fail: error => over(() => fail(error)),
      later: runner.later,
    });
  } catch (error) {
    over(() => fail(error));
  }
}

function fail(thrown) {
  if (streamed !== null) {
    streamed = null;
    settle(failureFrame, thrown);
    return;
  }
  if (!open) {
    runner.missed(thrown);
    return;
  }
  open = false;
  settle(failureFrame, thrown);
}

// lost is what the output says about a thrown value that is not the answer; what says why.
function lost(what, thrown) {
  const { text, stack } = describe(thrown, runner.filename(), runner.lines());
  return `${what}: ${stack === '' ? text : stack}`;
}

function deliver() {
  const { type, rest } = frameOf(outcome);
  outcome = undefined;
  if (flush !== null) flush();
  runner.answer(type, rest);
}

const outcomes = { answer, fail, begin, write, end, endWith };

const makeConsole = consoles(runner.log);
const timersOf = makeTimers(runner.work, fail);
watchWasm(runner.work);
let web = null; // what a function with "globals":"web" has in addition
let running = null; // the module of the call in progress
let kept = null; // what the top-level code of a function with "init":"once" was given

// run starts the call of a line; kind is 'run', 'check' or 'prepare'.
function run(line, kind) {
  open = true;
  streamed = null;
  flush = null;
  try {
    start(line, kind);
  } catch (thrown) {
    fail(thrown);
  }
}

function start(line, kind) {
  const message = parse(line);
  runner.outgoing(message.outgoing);
  cut = message.cut === true;
  const env = envOf(kind === 'check' ? null : message.env);
  if (web !== null) web.begin(env, timersOf.rest, fail);
  runner.zone(env.TZ);
  const scope = scopeOf(env, kind);
  const { Backstage, module } = scope; // and what only a running call has
  running = module;
  if (message.secrets !== undefined) give(Backstage, message.secrets);
  const response = new (isHTTP(message) ? HTTPResponse : Response)(outcomes);
  if (kind === 'run') {
    Backstage.request = requestOf(message);
    Backstage.response = response;
    setInvocation(message.queued, message.timeout);
    Backstage.span = new Span();
    if (message.spans) {
      const call = record(runner.span, runner.clock());
      Backstage.span = call.span;
      flush = call.flush;
    }
  }
  const out = runner.program(kind, scope.values);
  if (kind === 'check') {
    checked(isArray(out) ? out[0] : undefined, module.exports);
    return;
  }
  if (runner.once()) kept = scope;
  if (kind === 'prepare') {
    answer({ status: 200, headers: {}, body: undefined });
    return;
  }
  if (isArray(out)) enter(out, module.exports, Backstage, message);
}

// scopeOf is what the top-level code is given. A function with "init":"once" keeps that of its first call.
function scopeOf(env, kind) {
  if (kept !== null && kind === 'run') {
    kept.Backstage.env = env;
    makeConsole(); // the kept one prints to the output of this call
    return kept;
  }
  const { setTimeout, clearTimeout, setInterval } = timersOf();
  const modules = {};
  const console = makeConsole();
  const require = makeRequire(modules, web === null ? null : name => web.builtin(name, console));
  /** @type {any} */
  const Backstage = new Context(modules, env);
  const module = { exports: {} };
  return { Backstage, module, values: [
    Backstage, Buffer, console, module.exports, module, setTimeout, clearTimeout, require,
    makeRelativeRequire(modules, require),
    errors.NotModified, errors.BadRequest, errors.NotFound, errors.UnprocessableEntity, errors.InternalServerError,
    setInterval,
  ] };
}

// enter answers with what main comes to: out is whether it is async, and what it has returned. If there is none, it
// calls what the code has exported.
function enter(out, exported, Backstage, message) {
  const { request, response } = Backstage;
  if (out.length > 0) {
    follow(out[0], out[1], response);
    return;
  }
  const entry = entryOf(exported);
  if (entry === null) return; // the code has returned an empty list
  const { main, handler } = entry;
  if (handler !== undefined) {
    if (!handles()) throw new TypeError(NO_HANDLER);
    require('./handler')(handler, message, { Backstage, web, end, endWith, fail });
    return;
  }
  follow(main.constructor.name === 'AsyncFunction', apply(main, undefined, [request, response]), response);
}

const NO_HANDLER = 'What the code exports is a web handler, which needs "globals":"web" and Node.js 18 or later';

const handles = () => web !== null && web.handles;

// exportsEntry says whether the code has exported what can be called.
function exportsEntry() {
  return entryOf(running.exports) !== null;
}

// becomeWeb gives the realm the globals and the modules of functions with "globals":"web".
function becomeWeb() {
  web = require('./web');
  web.install();
  require('./guard').extend(web.unused, web.clear);
}

// forgetCalls makes the calls so far count for nothing: no code of a function was in them.
function forgetCalls() {
  if (web !== null) web.forget();
}

// goesOn says whether work that the call has begun may go on after its answer.
function goesOn() {
  return !cut;
}

// checked ends a trial run that went well: main is the typeof of its main.
function checked(main, exported) {
  const entry = main === 'undefined' ? entryOf(exported) : null;
  const exports = typeof exported === 'function' || keys(Object(exported)).length > 0;
  const fault = entry === null ? runner.faultOf(main, exports) : '';
  const isHandler = entry !== null && entry.handler !== undefined;
  if (isHandler && !handles()) fail(Object.assign(new Error(NO_HANDLER), { stack: '' }));
  else if (fault === '') answer({ status: 200, headers: {}, body: runner.checked(isHandler) });
  else fail(Object.assign(new Error(fault), { stack: '' })); // it is not an error of the code itself
}

// follow answers with what an async main resolves to, and with what the promise of a plain main resolves to unless that
// is undefined.
function follow(isAsync, value, response) {
  if (value === null || typeof value !== 'object' || typeof value.then !== 'function') return;
  const send = (result) => {
    if (streamed !== null) {
      if (isAsync && !streamed.pumped) endStream();
      return;
    }
    if (isAsync || result !== undefined) response.send(result);
  };
  apply(then, new RealPromise(resolve => resolve(value)), [send, fail]);
}

module.exports = { run, fail, lost, goesOn, exportsEntry, becomeWeb, handles, forgetCalls };
