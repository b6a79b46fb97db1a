'use strict';

// One call: start, wait, one answer, and a check that nothing of it is left.

const { writeSync } = require('fs');
const after = require('./after');
const against = require('./snapshot');
const clock = require('./clock');
const egress = require('./egress');
const output = require('./output');
const { exit, RETIRED } = require('./frame');
const hintOf = require('./webhint');
const pending = require('./pending');
const Stream = require('./stream');
const tmp = require('./tmp');
const warnings = require('./warnings');
const chooseZone = require('./zone');

// What the frame has before and between its first members, in the order in which the host writes them.
const BEFORE_ID = '{"type":"invoke","id":';
const BEFORE_KIND = ',"kind":"';
const BEFORE_BEHIND = ',"behind":';

const MAX_ERROR = 1024 * 1024; // bytes of an error frame; same limit as in sandbox/internal/wire/limits.go
const MAX_PROGRESS = 10000; // progress frames of a call; same limit as there

const LONG = 64 * 1024; // characters of a frame that takes more than a moment to send

// longError is the frame of an error that is too long for one, where oversize cannot be sent: the answer has begun.
const longError = head => `{"type":"error",${head}"status":0,"message":"The error is too long to be sent",` +
  '"text":"The error is too long to be sent","stack":"","frames":"","headers":[]}\n';

const KINDS = ['run', 'check', 'compile', 'prepare', 'warmup'];

const MOST_WARNINGS = 16; // different warnings per call

// Delay until the next check whether a call that has lost a promise can still answer, in milliseconds: the first one
// and the longest one.
const FIRST_LOOK = 1;
const LAST_LOOK = 16;

const { setTimeout, clearTimeout } = global;
const { apply } = Reflect;
const { slice, split, indexOf, startsWith } = String.prototype;
const tick = process._tickCallback; // runs what is due before the event loop goes on: nextTicks, then microtasks

// headOf reads the first members of an invoke frame: the ID as it is written, the kind, and how many calls follow in
// the batch. A regular expression would take half a microsecond, and leave the frame where a function can read it.
function headOf(line) {
  const idEnd = apply(indexOf, line, ['"', BEFORE_ID.length + 1]) + 1;
  const kindStart = idEnd + BEFORE_KIND.length;
  const kindEnd = apply(indexOf, line, ['"', kindStart]);
  const batched = apply(startsWith, line, [BEFORE_BEHIND, kindEnd + 1]);
  const behindStart = kindEnd + 1 + BEFORE_BEHIND.length;
  return {
    id: apply(slice, line, [BEFORE_ID.length, idEnd]),
    kind: apply(slice, line, [kindStart, kindEnd]),
    behind: batched ? parseInt(apply(slice, line, [behindStart, behindStart + 4]), 10) : 0,
  };
}

// isKind is indexOf by hand: a function may replace that.
function isKind(kind) {
  for (let i = 0; i < KINDS.length; i++) {
    if (KINDS[i] === kind) return true;
  }
  return false;
}

// isBeforeSnapshot says whether a call comes before the snapshot of a worker that is put back to it.
const isBeforeSnapshot = ({ kind }) => kind === 'prepare' || kind === 'warmup';

class Invoker {
  // write sends a frame, writeBytes one with bytes after it. next is called after an answer that the call had to wait
  // for.
  constructor({ write, writeBytes, next }) {
    this.write = write;
    this.writeBytes = writeBytes;
    this.next = next;
    /** @type {import('./loader')} */
    this.loader = null; // main.js sets it
    this.call = null;
    this.retire = () => exit(RETIRED);
    this.skip = 0; // how many of the next calls the host has requeued
    this.rolledBack = false; // whether the host puts this process back to a snapshot after each call
    const fail = error => this.uncaught(error);
    process.on('uncaughtException', fail);
    const lost = error => this.rejected(error);
    process.on('unhandledRejection', lost);
    warnings.capture(text => this.warn(text));
    output.capture((level, line) => this.call !== null && (this.log(level, line), true));
  }

  limits({ maxAnswer, maxLogs, timeout }) {
    this.timeout = timeout || 0; // a host that tells none has none
    this.maxAnswer = maxAnswer;
    this.maxError = Math.min(maxAnswer, MAX_ERROR);
    this.maxLogs = maxLogs;
  }

  // hooks are the functions that the realm calls; all of them act on the call in progress.
  hooks() {
    return {
      filename: () => this.loader.filename,
      once: () => this.loader.once,
      lines: () => this.loader.code.split('\n').length,
      faultOf: (main, exported) => this.loader.faultOf(main, exported),
      program: (kind, values) => this.loader.run(kind, values),
      checked: isHandler => this.checked(isHandler),
      log: (level, text) => this.log(level, text),
      span: rest => this.span(rest),
      progress: rest => this.progress(rest),
      clock: clock.start,
      timeout: () => this.timeout,
      writing: on => this.writing(on),
      answer: (type, rest) => this.settle(type, rest),
      head: rest => this.head(rest),
      chunk: bytes => this.chunk(bytes),
      later: pending.later,
      work: change => this.work(change),
      zone: name => this.zone(name),
      waits: () => this.waits(),
      missed: error => this.missed(error),
      outgoing: egress.carry,
      post: (line, bytes, done) => egress.post(line, Buffer.from(bytes, 'base64'), done),
      fetched: egress.fetched,
    };
  }

  // writing marks that the call in progress has left its code and writes its answer, or that this is over and its code
  // goes on. The host, which checks when the call has used up its CPU time, sees it in the arguments of the process. A
  // frame or a system call here would cost every call.
  writing(on) {
    if (this.call !== null) pending.show(on ? this.call.id : `${this.call.id}.`);
  }

  // zone makes the call in progress see the time zone of that name, or the server's.
  zone(name) {
    const fault = chooseZone(name);
    if (fault !== '') this.log('error', fault);
  }

  // work counts work that the call in progress begins (+1) and finishes (-1). It returns whether there is a call.
  work(change) {
    if (this.call === null) return false;
    this.call.work += change;
    return true;
  }

  // waits counts a promise that the call wants to wait for, and returns a function that notes its end.
  waits() {
    const { call } = this;
    if (call === null) return () => {};
    call.waits++;
    return () => { call.waits--; };
  }

  // start begins the call and returns whether its answer is out already.
  start(line) {
    const { id, kind, behind } = headOf(line);
    if (!isKind(kind)) throw new Error('a broken invoke frame');
    const call = {
      id, type: '', rest: '', starting: true, logged: 0, work: 0, warned: null, lost: null, kind, waits: 0, left: 0,
      notices: 0,
      stream: null,
    };
    this.call = call;
    if (kind === 'compile') return this.compile(call);
    this.loader.realm.run(line, kind === 'warmup' ? 'run' : kind);
    this.drain();
    if (call.lost !== null && this.giveUp(call)) this.drain();
    call.starting = false;
    if (call.type === 'error') call.stream = null; // nothing of it is out
    if (call.type !== '' && call.stream === null) {
      if (isBeforeSnapshot(call) && !this.isClean(call, false)) return this.finishSoon(call);
      if (this.finish(call, false)) return true;
      this.skip = behind;
      return false;
    }
    // The host does not let other calls wait for a call that waits: it requeues those after it in the batch.
    this.skip = behind;
    this.write(`{"type":"pending","id":${call.id}}\n`);
    if (call.stream !== null) {
      call.stream.start();
      if (call.type !== '') return this.finish(call, false);
    }
    if (call.lost !== null) this.lookAgain(call, FIRST_LOOK);
    return false;
  }

  // checked is the body of the answer to a trial run that went well: what the code exports, and the code of a module in
  // the form that was compiled, unless that is too large for a frame.
  checked(handler) {
    const { lowered } = this.loader;
    const text = lowered ? JSON.stringify({ handler, lowered }) : '';
    if (text && 2 * text.length < this.maxAnswer) return text;
    return handler ? 'handler' : undefined;
  }

  // compile answers with the code cache of the function, without a body if it is too large for a frame. The worker ends
  // with it: the cache must come from the code alone, so no call comes before or after.
  compile(call) {
    const cache = this.loader.cache();
    call.type = 'result';
    const body = cache.length * 2 > this.maxAnswer ? '' : `,"body":"${cache.toString('base64')}"`;
    call.rest = `"status":200,"headers":[]${body}`;
    call.work = 1;
    return this.finish(call, false);
  }

  // drain lets the promises of the call continue until none is left. What they throw is a failure of the call.
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

  // uncaught handles what nobody caught: the call fails if there is a call, otherwise the runner ends.
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

  // rejected handles a rejection that nobody handles. It is written to the output. The first one is also the answer of
  // a call that can give no other.
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

  // giveUp fails the call with the rejection that it has lost, and returns true, if nothing is left that could still
  // answer.
  giveUp(call) {
    if (call.type !== '' || call.work > 0 || pending.alive(false)) return false;
    this.loader.realm.fail(call.lost.error);
    return true;
  }

  // lookAgain calls giveUp after that many milliseconds, and again with growing delays until there is an answer.
  lookAgain(call, pause) {
    const { lost } = call;
    lost.timer = setTimeout(() => {
      lost.timer = null;
      if (call.type === '' && !this.giveUp(call)) this.lookAgain(call, Math.min(2 * pause, LAST_LOOK));
    }, pause);
  }

  // head begins a streamed answer. rest is the frame's own members.
  head(rest) {
    const { call, write, writeBytes, maxAnswer } = this;
    if (call === null || call.type !== '' || call.stream !== null) return;
    if (isBeforeSnapshot(call)) throw new Error('a warmup cannot be answered with a stream');
    call.stream = new Stream(call.id, { write, writeBytes, most: maxAnswer });
    if (!call.starting) call.stream.start();
    call.stream.head(rest);
  }

  // chunk sends the next bytes of the streamed answer, those of a typed array.
  chunk(bytes) {
    const { call } = this;
    if (call !== null && call.type === '' && call.stream !== null) call.stream.chunk(bytes);
  }

  // settle takes the call's one answer: the type of its frame and its own members.
  settle(type, rest) {
    const { call } = this;
    if (call === null || call.type !== '') return;
    call.type = type;
    call.rest = rest;
    if (type === 'error' && !this.loader.web) this.hint(rest);
    if (call.lost !== null && call.lost.timer !== null) clearTimeout(call.lost.timer);
    if (!call.starting) this.finishSoon(call);
  }

  // finishSoon is finishLate once the connections that the call has finished with are closed, and false.
  finishSoon(call) {
    pending.later(() => egress.settle(() => this.finishLate(call) && this.next()));
    return false;
  }

  // hint prints what would mend the error with these members, if that is known.
  hint(rest) {
    const hint = hintOf(JSON.parse(`{${rest}}`).message);
    if (hint !== '') this.log('error', hint);
  }

  // finishLate is finish for a call that had to wait: whatever ran in this iteration of the event loop may have left
  // promises.
  finishLate(call) {
    this.drain();
    return this.finish(call, true);
  }

  // missed handles what goes wrong after the answer.
  missed(error) {
    if (this.call === null || this.call.left === 0) return;
    this.logLines(this.loader.realm.lost('Uncaught after the answer', error));
  }

  // finish sends the answer and returns whether that is the end of the call. Requests that the call has left under way
  // may go on before the worker takes another call. If it has left other work or changes behind, the worker ends,
  // unless it is put back to a snapshot.
  finish(call, late) {
    output.flush();
    if (isBeforeSnapshot(call)) return this.prepared(call, late);
    const untouched = this.isClean(call, late);
    const rest = untouched ? '' : this.remains(call, late);
    const clean = untouched || (this.rolledBack && call.kind === 'run' && call.left === 0);
    const spent = this.loader.toldSpent();
    const head = `"id":${call.id},"reusable":${clean},${rest}${spent > 0 ? `"load":${spent},` : ''}`;
    const limit = call.type === 'error' ? this.maxError : this.maxAnswer;
    let frame = call.type === 'end' ? `{"type":"end",${apply(slice, head, [0, -1])}}\n` : // it has nothing of its own
      `{"type":"${call.type}",${head}${call.rest}}\n`;
    if (frame.length * 3 > limit) {
      const size = Buffer.byteLength(frame);
      if (size > limit) frame = call.stream === null ? `{"type":"oversize",${head}"size":${size}}\n` : longError(head);
    }
    if (frame.length > LONG) this.writing(true);
    if (call.left === 0) this.call = null;
    this.write(frame);
    if (call.left > 0) {
      this.goOn(call);
      return false;
    }
    if (!clean) this.retire();
    return true;
  }

  // prepared answers a call before the snapshot: whether that can be taken, and why not. What the top-level code has
  // thrown is the answer of the call that it was run for.
  prepared(call, late) {
    const fault = against(call, this.isClean(call, late));
    const failed = call.kind === 'prepare' && call.type === 'error';
    const usable = fault === '' && !failed;
    let { type, rest } = call;
    if (!failed && (fault !== '' || type !== 'error')) {
      type = 'result';
      rest = `"status":200,"headers":[]${fault === '' ? '' : `,"body":${JSON.stringify(fault)}`}`;
    }
    this.loader.toldSpent();
    this.call = null;
    this.write(this.fitted({ id: call.id, type, rest: `"reusable":${usable},${rest}` }));
    if (!usable) this.retire();
    return true;
  }

  // fitted is the frame of an error or a short result, or what says that it is too large.
  fitted({ id, type, rest }) {
    const frame = `{"type":"${type}","id":${id},${rest}}\n`;
    const size = frame.length * 3 > this.maxError ? Buffer.byteLength(frame) : 0;
    return size > this.maxError ? `{"type":"oversize","id":${id},"reusable":false,"size":${size}}\n` : frame;
  }

  // isClean says whether a call has left nothing that the next one could meet. What it has changed is no matter where
  // the process is put back.
  isClean(call, late) {
    return call.work === 0 && call.waits === 0 && pending.left(late) === pending.NOTHING &&
      (this.rolledBack || (!tmp.touched() && !egress.fetched() && this.loader.clean()));
  }

  // remains is what the answer's frame says about work that the call has left: that it is cut, or that it goes on.
  remains(call, late) {
    if (call.kind !== 'run') return '';
    if (this.loader.realm.goesOn() && after.mayKeepWorker(call, late)) {
      call.left = Math.max(after.left(call), 1);
      return `"late":${call.left},`;
    }
    const cut = after.left(call);
    return cut > 0 ? `"cut":${cut},` : '';
  }

  // goOn waits for the end of the work after the answer, reports it to the host, and goes on to the next call.
  goOn(call) {
    after.follow(call, {
      drain: () => this.drain(),
      told: count => this.write(`{"type":"late","id":${call.id},"late":${count}}\n`),
      over: () => {
        const untouched = this.isClean(call, true);
        const cut = untouched ? 0 : after.left(call);
        const clean = untouched || this.rolledBack;
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
    const line = JSON.stringify(call.logged > this.maxLogs ? '[output truncated]' : text);
    this.write(`{"type":"log","id":${call.id},"level":"${level}","text":${line}}\n`);
  }

  // warn logs a warning of Node.js, once per call.
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

  // progress sends how far the call is. No more than the host takes are sent.
  progress(rest) {
    if (this.call === null || this.call.left !== 0 || this.call.notices >= MAX_PROGRESS) return;
    this.call.notices += 1;
    this.write(`{"type":"progress","id":${this.call.id},${rest}}\n`);
  }

  span(rest) {
    if (this.call !== null && this.call.left === 0) this.write(`{"type":"span","id":${this.call.id},${rest}}\n`);
  }
}

module.exports = Invoker;
