'use strict';

// The life of one call: start, wait, one answer, and proof that nothing of it is left.

const { writeSync } = require('fs');
const after = require('./after');
const clock = require('./clock');
const egress = require('./egress');
const output = require('./output');
const { exit, RETIRED } = require('./frame');
const pending = require('./pending');
const tmp = require('./tmp');
const warnings = require('./warnings');
const chooseZone = require('./zone');

// The first members of the frame, which the host writes in this order.
const HEAD = /^\{"type":"invoke","id":("[^"\\]*"),"kind":"(run|check|compile)"(?:,"behind":(\d+))?/;

const MAX_ERROR = 1024 * 1024; // bytes of an error frame; the same limit stands in sandbox/internal/wire/limits.go

const NAME = 'node'; // of the process
const SHOWN = 10; // of a call's ID; the same number stands in sandbox/internal/worker/deadline.go

const NOTHING = /^/;

const MOST_WARNINGS = 16; // different ones, of one call

// How long it takes until it is looked again whether a call that has lost a promise can still answer, in milliseconds: at first, and at the most.
const FIRST_LOOK = 1;
const LAST_LOOK = 16;

const { setTimeout, clearTimeout } = global;
const { apply } = Reflect;
const { exec } = RegExp.prototype;
const { split, slice } = String.prototype;
const tick = process._tickCallback; // runs what is due before the event loop goes on: nextTicks, then microtasks

class Invoker {
  // write sends a frame. next is called when an answer that had to be waited for is out.
  constructor({ write, next }) {
    this.write = write;
    this.next = next;
    /** @type {import('./loader')} */
    this.loader = null; // main.js sets it
    this.call = null;
    this.skip = 0; // how many of the next calls are not ours to serve
    const fail = error => this.uncaught(error);
    process.on('uncaughtException', fail);
    const lost = error => this.rejected(error);
    process.on('unhandledRejection', lost);
    warnings.heard(text => this.warn(text));
    output.heard((level, line) => this.call !== null && (this.log(level, line), true));
  }

  limits({ maxAnswer, maxLogs }) {
    this.maxAnswer = maxAnswer;
    this.maxError = Math.min(maxAnswer, MAX_ERROR);
    this.maxLogs = maxLogs;
  }

  // rehearse runs a function of our own, so that the code of the runner is compiled and optimized before workers are forked: a worker that is called
  // now and then would take minutes to get there, and spend them compiling. slim gives memory back.
  rehearse(slim) {
    const { write } = this;
    this.write = () => {};
    this.play(2500);
    slim();
    this.play(8); // takes the memory that the collection has freed into use, which every worker would else have to do
    this.write = write;
    pending.name(NAME);
  }

  play(times) {
    this.loader.load('rehearsal.js', "console.log('x'); function main(req, res) { res.set('x', 'y').send({ body: req.body }); }");
    for (let i = 0; i < times; i++) {
      this.start('{"type":"invoke","id":"0","kind":"run","method":"PUT","headers":{},"query":{},"env":{},"body":{}}');
    }
    this.loader.load('', '');
    this.loader.toldSpent();
  }

  // hooks are what the realm calls; all of it is of the call in progress.
  hooks() {
    return {
      filename: () => this.loader.filename,
      lines: () => this.loader.code.split('\n').length,
      faultOf: (main, exported) => this.loader.faultOf(main, exported),
      program: (kind, values) => this.loader.run(kind, values),
      log: (level, text) => this.log(level, text),
      span: rest => this.span(rest),
      clock: clock.start,
      writing: () => this.writing(),
      answer: (type, rest) => this.settle(type, rest),
      work: change => this.work(change),
      zone: name => this.zone(name),
      waits: () => this.waits(),
      missed: error => this.missed(error),
      outgoing: egress.carry,
    };
  }

  // writing says that the call in progress has left its code and writes its answer. The host, which looks when the call has used up the time for its
  // code, sees it by the name of the process: to write a frame would make every call pay for it.
  writing() {
    if (this.call !== null) pending.name(`${NAME} ${apply(slice, this.call.id, [1, 1 + SHOWN])}`);
  }

  // zone has the call in progress see the time zone of that name, or the server's.
  zone(name) {
    const fault = chooseZone(name);
    if (fault !== '') this.log('error', fault);
  }

  // work counts what the call in progress has begun (+1) and what of that is over (-1). It says whether there is a call.
  work(change) {
    if (this.call === null) return false;
    this.call.work += change;
    return true;
  }

  // waits counts a promise that the call wants to be waited for, and returns what notes its end.
  waits() {
    const { call } = this;
    if (call === null) return () => {};
    call.waits++;
    return () => { call.waits--; };
  }

  // start begins the call and says whether its answer is out already.
  start(line) {
    const [, id, kind, behind] = apply(exec, HEAD, [line]);
    apply(exec, NOTHING, ['']); // or a function could ask RegExp for the line
    const call = { id, type: '', rest: '', starting: true, logged: 0, work: 0, warned: null, lost: null, kind, waits: 0, left: 0 };
    this.call = call;
    if (kind === 'compile') return this.compile(call);
    this.loader.realm.run(line, kind);
    this.drain();
    if (call.lost !== null && this.giveUp(call)) this.drain();
    call.starting = false;
    if (call.type !== '') {
      if (this.finish(call, false)) return true;
      this.skip = Number(behind || 0);
      return false;
    }
    // The host does not let others wait for a call that waits itself: it has those behind it served elsewhere.
    this.skip = Number(behind || 0);
    this.write(`{"type":"pending","id":${call.id}}\n`);
    if (call.lost !== null) this.lookAgain(call, FIRST_LOOK);
    return false;
  }

  // compile answers the code cache of the function, without a body when it is too large for a frame. The worker ends with it: what it has made is
  // to be of the code alone, so that no call comes before or after.
  compile(call) {
    const cache = this.loader.cache();
    call.type = 'result';
    call.rest = `"status":200,"headers":[]${cache.length * 2 > this.maxAnswer ? '' : `,"body":"${cache.toString('base64')}"`}`;
    call.work = 1;
    return this.finish(call, false);
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
    const { call } = this;
    if (call !== null) {
      if (call.left === 0) this.loader.realm.fail(error);
      else this.missed(error);
      return;
    }
    writeSync(2, `${(error && error.stack) || error}\n`);
    exit(70);
  }

  // rejected takes what a promise was rejected with that nobody handles. It is written to the output; the first one is also the answer of a call that
  // can give no other.
  rejected(error) {
    const { call } = this;
    if (call === null) {
      this.uncaught(error);
      return;
    }
    this.logLines(this.loader.realm.lost('Unhandled rejection', error));
    if (call.type !== '' || call.lost !== null) return;
    call.lost = { error, timer: null };
    if (!call.starting) this.lookAgain(call, FIRST_LOOK);
  }

  // giveUp fails the call with the promise that it has lost, and says so, when nothing is left that could still answer.
  giveUp(call) {
    if (call.type !== '' || call.work > 0 || pending.alive(false)) return false;
    this.loader.realm.fail(call.lost.error);
    return true;
  }

  // lookAgain calls giveUp after so many milliseconds, and then now and again until there is an answer.
  lookAgain(call, pause) {
    const { lost } = call;
    lost.timer = setTimeout(() => {
      lost.timer = null;
      if (call.type === '' && !this.giveUp(call)) this.lookAgain(call, Math.min(2 * pause, LAST_LOOK));
    }, pause);
  }

  // settle takes the call's one answer: the type of its frame and the members that are its own.
  settle(type, rest) {
    const { call } = this;
    if (call === null || call.type !== '') return;
    call.type = type;
    call.rest = rest;
    if (call.lost !== null && call.lost.timer !== null) clearTimeout(call.lost.timer);
    if (!call.starting) pending.later(() => egress.settle(() => this.finishLate(call) && this.next()));
  }

  // finishLate is finish for a call that had to be waited for: whatever ran in this round of the event loop may have left promises.
  finishLate(call) {
    this.drain();
    return this.finish(call, true);
  }

  // missed is what went wrong after the answer.
  missed(error) {
    if (this.call !== null && this.call.left > 0) this.logLines(this.loader.realm.lost('Uncaught after the answer', error));
  }

  // finish sends the answer and says whether that is the end of the call. When the call has left requests under way, these may go on before the worker
  // takes another call. One that has left other work or traces behind ends the worker with it.
  finish(call, late) {
    output.flush();
    const clean = this.isClean(call, late);
    const rest = clean ? '' : this.remains(call, late);
    const spent = this.loader.toldSpent();
    const head = `"id":${call.id},"reusable":${clean},${rest}${spent > 0 ? `"load":${spent},` : ''}`;
    const limit = call.type === 'error' ? this.maxError : this.maxAnswer;
    let frame = `{"type":"${call.type}",${head}${call.rest}}\n`;
    if (frame.length * 3 > limit) {
      const size = Buffer.byteLength(frame);
      if (size > limit) frame = `{"type":"oversize",${head}"size":${size}}\n`;
    }
    if (call.left === 0) this.call = null;
    this.write(frame);
    if (call.left > 0) {
      this.goOn(call);
      return false;
    }
    if (!clean) exit(RETIRED);
    return true;
  }

  isClean(call, late) {
    return call.work === 0 && call.waits === 0 && pending.left(late) === pending.NOTHING && !tmp.touched() && this.loader.clean();
  }

  // remains is what the answer's frame says of what the call has left: that it is cut, or that it goes on.
  remains(call, late) {
    if (call.kind !== 'run') return '';
    if (this.loader.realm.goesOn() && after.mayHold(call, late)) {
      call.left = Math.max(after.left(call), 1);
      return `"late":${call.left},`;
    }
    const cut = after.left(call);
    return cut > 0 ? `"cut":${cut},` : '';
  }

  // goOn waits for the end of what goes on after the answer, tells the host of it, and goes on to the next call.
  goOn(call) {
    after.follow(call, {
      drain: () => this.drain(),
      told: count => this.write(`{"type":"late","id":${call.id},"late":${count}}\n`),
      over: () => {
        const clean = this.isClean(call, true);
        const cut = clean ? 0 : after.left(call);
        this.call = null;
        this.write(`{"type":"done","id":${call.id},"reusable":${clean}${cut > 0 ? `,"cut":${cut}` : ''}}\n`);
        if (!clean) exit(RETIRED);
        this.next();
      },
    });
  }

  log(level, text) {
    const { call } = this;
    if (call === null || call.logged > this.maxLogs) return;
    call.logged += Buffer.byteLength(text) + 1; // with its line break
    const over = call.logged > this.maxLogs;
    this.write(`{"type":"log","id":${call.id},"level":"${level}","text":${JSON.stringify(over ? '[output truncated]' : text)}}\n`);
  }

  // warn logs what Node.js warns of, once in a call.
  warn(text) {
    const { call } = this;
    if (call === null) return;
    if (call.warned === null) call.warned = [];
    if (call.warned.length === MOST_WARNINGS) return;
    for (let i = 0; i < call.warned.length; i++) {
      if (call.warned[i] === text) return;
    }
    call.warned[call.warned.length] = text;
    this.logLines(text);
  }

  // logLines logs a text of several lines as an error.
  logLines(text) {
    const lines = apply(split, text, ['\n']);
    for (let i = 0; i < lines.length; i++) {
      if (lines[i] !== '') this.log('error', lines[i]);
    }
  }

  span(rest) {
    if (this.call !== null && this.call.left === 0) this.write(`{"type":"span","id":${this.call.id},${rest}}\n`);
  }
}

module.exports = Invoker;
