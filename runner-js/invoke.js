'use strict';

// The life of one call: start, wait, one answer, and proof that nothing of it is left.

const { writeSync } = require('fs');
const v8 = require('v8');
const vm = require('vm');
const egress = require('./egress');
const { exit } = require('./frame');
const pending = require('./pending');

const { setImmediate } = global;
const tick = process._tickCallback; // runs what is due before the event loop goes on: nextTicks, then microtasks

class Invoker {
  // write sends a frame. next is called when an answer that had to be waited for is out.
  constructor({ write, next }) {
    this.write = write;
    this.next = next;
    this.call = null;
    const fail = error => this.uncaught(error);
    process.on('uncaughtException', fail);
    process.on('unhandledRejection', fail);
  }

  limits({ maxFrame, maxLogs }) {
    this.maxFrame = maxFrame;
    this.maxLogs = maxLogs;
  }

  // rehearse runs a function of our own, so that the code of the runner is compiled before workers are forked.
  rehearse() {
    const { write } = this;
    this.write = () => {};
    this.loader.load('rehearsal.js', "console.log('x'); function main(req, res) { res.set('x', 'y').send({ body: req.body }); }");
    for (let i = 0; i < 8; i++) {
      this.start('{"type":"invoke","id":"0","kind":"run","method":"PUT","headers":{},"query":{},"env":{},"body":{}}');
    }
    this.loader.load('', '');
    this.write = write;
    collectGarbage();
  }

  // start begins the call and says whether its answer is out already.
  start(line) {
    const call = {
      id: /"id":("[^"\\]*")/.exec(line)[1], kind: /"kind":"(run|check)"/.exec(line)[1], answer: null, starting: true, logged: 0, work: 0,
    };
    this.call = call;
    const { realm } = this.loader;
    const hooks = {
      line,
      filename: this.loader.filename,
      program: values => this.loader.run(call.kind, values),
      log: (level, text) => this.log(call, level, text),
      answer: (type, rest) => this.settle(call, type, rest),
      work: (change) => { call.work += change; },
      outgoing: egress.carry,
    };
    this.fail = realm.run(hooks, call.kind);
    this.drain();
    call.starting = false;
    if (call.answer !== null) return this.finish(call);
    this.write(`{"type":"pending","id":${call.id}}\n`);
    return false;
  }

  // drain lets the promises of the call go on until none is left; what they throw is the call's own failure.
  drain() {
    for (;;) {
      try {
        tick.call(process);
        return;
      } catch (error) {
        this.uncaught(error);
      }
    }
  }

  // uncaught is what nobody caught: the call's failure when there is a call, else the runner's own end.
  uncaught(error) {
    if (this.call !== null) {
      this.fail(error);
      return;
    }
    writeSync(2, `${(error && error.stack) || error}\n`);
    exit(70);
  }

  // settle takes the call's one answer: the type of its frame and the members that are its own.
  settle(call, type, rest) {
    if (call.answer !== null || this.call !== call) return;
    call.answer = { type, rest };
    if (!call.starting) setImmediate(egress.settle, () => this.finish(call) && this.next());
  }

  // finish sends the answer. A call that left work or traces behind ends the worker with it: no code of a call runs after its answer.
  finish(call) {
    const clean = call.work === 0 && pending.none() && this.loader.clean();
    const head = `"id":${call.id},"reusable":${clean},`;
    let frame = `{"type":"${call.answer.type}",${head}${call.answer.rest}}\n`;
    const size = Buffer.byteLength(frame);
    if (size > this.maxFrame) frame = `{"type":"oversize",${head}"size":${size}}\n`;
    this.call = null;
    this.write(frame);
    if (!clean) exit(0);
    return true;
  }

  log(call, level, text) {
    if (this.call !== call || call.logged > this.maxLogs) return;
    call.logged += Buffer.byteLength(text) + 1; // with its line break
    const over = call.logged > this.maxLogs;
    this.write(`{"type":"log","id":${call.id},"level":"${level}","text":${JSON.stringify(over ? '[output truncated]' : text)}}\n`);
  }
}

// collectGarbage leaves little for forks to copy: what a fork and its end cost grows with the memory in use.
function collectGarbage() {
  v8.setFlagsFromString('--expose-gc');
  const gc = vm.runInNewContext('gc');
  gc();
  gc();
  v8.setFlagsFromString('--no-expose-gc');
}

module.exports = Invoker;
