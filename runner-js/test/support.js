'use strict';

// Helps the tests: starts the runner as a host does, and loads files of realm/ as it does.

const { spawn } = require('child_process');
const fs = require('fs');
const path = require('path');
const util = require('util');
const vm = require('vm');
const { Console } = require('console');
const Shapes = require('../shapes');

const ROOT = path.join(__dirname, '..');
const FRAMES = path.join(ROOT, '..', 'sandbox', 'internal', 'wire', 'testdata');

// golden returns the frames of a file that the tests of the host read too.
function golden(name) {
  return fs.readFileSync(path.join(FRAMES, name), 'utf8').trim().split('\n').map(line => JSON.parse(line));
}

// init returns the frame that starts a worker: the golden one, but for what is given.
function init(changes) {
  const line = golden('host.jsonl').find(({ name }) => name === 'init').line;
  return Object.assign(JSON.parse(line), { modules: [], env: {} }, changes);
}

// The flags are those that the host starts Node.js with.
const FLAGS = ['--expose-internals', '--zero-fill-buffers', '--v8-pool-size=0', '--single-threaded'];

// Runner is the program under test in a process of its own.
class Runner {
  constructor(changes) {
    this.process = spawn(process.execPath, [...FLAGS, path.join(ROOT, 'main.js')], { env: {}, stdio: 'pipe' });
    this.lines = [];
    this.waiting = null;
    this.stderr = '';
    this.rest = Buffer.alloc(0);
    this.chunks = []; // the bytes after the lines of chunks, in order
    this.process.stdin.on('error', () => {}); // it may be gone already
    this.process.stderr.on('data', (data) => { this.stderr += data; });
    this.process.stdout.on('data', data => this.read(data));
    this.ended = new Promise((resolve) => {
      this.process.on('close', (code, signal) => {
        this.over = { code, signal, stderr: this.stderr };
        this.wake();
        resolve(this.over);
      });
    });
    if (changes !== null) this.send(init(changes));
  }

  read(data) {
    this.rest = Buffer.concat([this.rest, data]);
    for (let end = this.rest.indexOf('\n'); end >= 0; end = this.rest.indexOf('\n')) {
      const line = this.rest.toString('utf8', 0, end);
      const [, size = 0] = /^\{"type":"chunk".*"size":(\d+)\}$/.exec(line) || [];
      const next = end + 1 + Number(size);
      if (next > this.rest.length) break;
      if (next > end + 1) this.chunks.push(this.rest.slice(end + 1, next));
      this.lines.push(line);
      this.rest = this.rest.slice(next);
    }
    this.wake();
  }

  wake() {
    if (this.waiting) this.waiting();
    this.waiting = null;
  }

  // send writes one frame, or a line that is none.
  send(frame) {
    this.process.stdin.write(`${typeof frame === 'string' ? frame : JSON.stringify(frame)}\n`);
  }

  load(code, filename, cache, more) {
    this.send(Object.assign({ type: 'load', filename: filename || 'ns/id.js', code, cache }, more));
  }

  // line returns the next line; it is an error if there is none.
  async line() {
    while (this.lines.length === 0) {
      if (this.over) throw new Error(`the runner ended: ${util.inspect(this.over)}`);
      await new Promise((resolve) => { this.waiting = resolve; });
    }
    return this.lines.shift();
  }

  async frame() {
    return JSON.parse(await this.line());
  }

  // call returns what one call brings: logs, spans, whether main was pending, the last frame as answer, and all lines.
  async call(request) {
    const message = Object.assign({ type: 'invoke', id: 'g1', kind: 'run', method: 'PUT', headers: {}, query: {}, body: {} }, request);
    if (message.kind !== 'run' && message.kind !== 'warmup') ['method', 'headers', 'query', 'body'].forEach(name => delete message[name]);
    this.send(message);
    const result = { logs: [], spans: [], notices: [], pending: false, head: null, chunks: [], answer: null, lines: [] };
    while (result.answer === null) {
      const line = await this.line();
      result.lines.push(line);
      const frame = JSON.parse(line);
      if (frame.id !== message.id) throw new Error(`a frame of another call: ${line}`);
      if (frame.type === 'log') result.logs.push(`${frame.level} ${frame.text}`);
      else if (frame.type === 'pending') result.pending = true;
      else if (frame.type === 'span') result.spans.push(frame);
      else if (frame.type === 'progress') result.notices.push(frame);
      else if (frame.type === 'head') result.head = frame;
      else if (frame.type === 'chunk') result.chunks.push(this.chunks.shift());
      else result.answer = frame;
    }
    return result;
  }

  // afterwards returns what comes of a call after its answer: logs, the counts of what is left, and the last frame.
  async afterwards(id = 'g1') {
    const result = { logs: [], counts: [], done: null };
    while (result.done === null) {
      const frame = await this.frame();
      if (frame.id !== id) throw new Error(`a frame of another call: ${JSON.stringify(frame)}`);
      if (frame.type === 'log') result.logs.push(`${frame.level} ${frame.text}`);
      else if (frame.type === 'late') result.counts.push(frame.late);
      else if (frame.type === 'done') result.done = frame;
      else throw new Error(`a ${frame.type} frame after the answer`);
    }
    return result;
  }

  // close ends the runner as a host that has gone, and returns how it ended.
  close() {
    this.process.stdin.end();
    return this.ended;
  }
}

// started returns a Runner that is ready.
async function started(changes) {
  const runner = new Runner(changes);
  const frame = await runner.frame();
  if (frame.type !== 'ready') throw new Error(`the first frame is ${frame.type}`);
  return runner;
}

// outcome runs code once in a runner of its own.
async function outcome(code, request, changes) {
  const runner = await started(changes);
  runner.load(code);
  try {
    return await runner.call(request);
  } finally {
    await runner.close();
  }
}

// inTurn returns a function that is as outcome, in one runner with these changes for as long as answers leave that
// reusable. It ends with the tests. For other changes there is a runner of its own.
function inTurn(test, usual) {
  let runner = null;
  const close = async () => {
    if (runner !== null) await runner.close();
    runner = null;
  };
  test.onFinish(close);
  return async (code, request, changes) => {
    if (changes !== undefined) return outcome(code, request, changes);
    if (runner === null) runner = await started(usual);
    runner.load(code);
    const result = await runner.call(request);
    if (!result.answer.reusable) await close();
    return result;
  };
}

// realm loads a file of realm/ into a new context. What it sees of a realm that modules live in is of yet another one.
// Seen is given what evaluates there.
function realm(name, host, seen = () => {}) {
  const context = vm.createContext({});
  const modules = vm.createContext({});
  seen(text => vm.runInContext(text, modules));
  const basics = {
    Buffer, Console, setTimeout, setInterval, clearTimeout, setImmediate, clearImmediate, normalize: path.normalize, promisify: util.promisify.custom, root: ROOT, env: '{}', shared: [], intrinsics: {}, shapesOf: objects => new Shapes(objects), module: () => undefined, hasModule: () => false,
  };
  const load = (file, where = context) => {
    const filename = path.join(ROOT, 'realm', `${file.replace('./', '')}.js`);
    const module = { exports: {} };
    const text = `(function (module, require, host) {${fs.readFileSync(filename, 'utf8')}\n})`;
    vm.runInContext(text, where, { filename: `runner:realm/${file}` })(module, load, Object.assign(basics, host));
    return module.exports;
  };
  basics.intrinsics = load('./intrinsics', modules);
  return load(name);
}

module.exports = { Runner, started, outcome, inTurn, golden, init, realm, ROOT, FLAGS };
