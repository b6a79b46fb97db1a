'use strict';

// The program inside a worker: reads frames from stdin, runs functions, writes frames to stdout. See docs/protocol.md.
// Started as `main.js zygote` it becomes the process that workers are forked from, once it has been told what they
// need.

const { openSync, closeSync } = require('fs');
const { countDraws } = require('./entropy');
const zygote = require('./zygote');
const frame = require('./frame');
const builtins = require('./builtins');
const egress = require('./egress');
const lockdown = require('./lockdown');
const pending = require('./pending');
const tmp = require('./tmp');
const Loader = require('./loader');
const Invoker = require('./invoke');
const preload = require('./preload');
const rehearse = require('./rehearsal');
const settle = require('./settle');

// Node.js makes its pipes non-blocking when it opens them; what is written here must be out when write returns.
for (const stream of [process.stdout, process.stderr]) {
  if (stream._handle && stream._handle.setBlocking) stream._handle.setBlocking(true);
}

let answers = 1; // the descriptor that frames of calls are written to

const reader = new frame.Reader(0);
const invoker = new Invoker({
  write: line => frame.write(answers, line),
  writeBytes: (line, bytes) => frame.writeBytes(answers, line, bytes),
  next: serve,
});

// serve handles frames until a call has to wait for its answer; the event loop then goes on and comes back here. A
// worker that is rolled back parks before each frame: when that returns nothing is left of the call before.
function serve() {
  for (;;) {
    if (invoker.rolledBack && !zygote.park()) frame.exit(0);
    const line = reader.next();
    if (line === null) frame.exit(0); // the host is gone
    if (!handle(line)) return;
  }
}

// handle takes a frame and returns whether the next one can be read.
function handle(line) {
  if (line.startsWith('{"type":"invoke"')) {
    if (invoker.skip === 0) return invoker.start(line);
    invoker.skip--;
  } else if (line.startsWith('{"type":"load"')) {
    invoker.loader.read(line);
    if (invoker.rolledBack) {
      invoker.loader.prepare();
      zygote.trim();
    }
  } else {
    return accept(JSON.parse(line));
  }
  return true;
}

// accept takes the host's first frame and returns whether the next one can be read.
function accept(message) {
  if (message.type !== 'init') throw new Error(`unknown frame type ${message.type}`);
  reader.limit = message.maxFrame;
  if (message.rollback) countDraws();
  if (message.egress) {
    egress.apply(message.egress);
    builtins.openNetwork();
  }
  if (message.web || message.fetch) {
    preload();
    invoker.drain(); // fetch compiles WebAssembly, and the functions for that are watched from now on
  }
  const loaded = lockdown.apply(message.modules, message.modulesDir);
  let waits = false;
  const settled = settle(() => invoker.drain(), () => {
    begin(message, loaded);
    if (waits) serve();
    return true;
  });
  waits = !settled;
  return settled;
}

// begin has the process take calls, or be forked.
function begin(message, { modules, missing }) {
  invoker.failures.loaded();
  invoker.loader = new Loader({ modules, missing, env: message.env, runner: invoker.hooks() });
  if (message.web) invoker.loader.becomeWeb();
  pending.markBaseline();
  invoker.limit(message);
  if (process.argv[2] === 'zygote') {
    ready(missing);
    zygote.fork(message.filter, message.zygoteFilter, message.tmp || 0, () => {
      unheard(() => rehearseOrEnd(message));
      if (message.rollback) zygote.roomy();
    });
    invoker.rolledBack = zygote.tracked();
  }
  if (message.tmp) tmp.watch();
  ready(missing);
}

// rehearseOrEnd ends the process with what a module throws in a rehearsal where nothing can catch it: workers would be
// as this process is then.
function rehearseOrEnd({ rollback }) {
  try {
    rehearse(invoker, handle, zygote, rollback);
  } catch (error) {
    frame.fail((error && error.stack) || error);
  }
}

// unheard has nobody read what calls answer meanwhile. They write it all the same: code that V8 has optimized for calls
// which do not would be thrown away by the first that does.
function unheard(calls) {
  answers = openSync('/dev/null', 'w');
  try {
    calls();
  } finally {
    closeSync(answers);
    answers = 1;
  }
}

// ready tells the host of what the list of modules has and this Node.js does not, as far as a short line holds it.
function ready(missing) {
  let lines = [...missing].map(([name, cause]) => lockdown.told(name, cause)).join('\n').slice(0, 600);
  lines = lines && `,"missing":${JSON.stringify(lines)}`;
  frame.write(1, `{"type":"ready","pid":${process.pid},"node":${JSON.stringify(process.version)}${lines}}\n`);
}

serve();
