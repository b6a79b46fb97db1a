'use strict';

// One call: start, wait, one answer, and a check that nothing of it is left.

const after = require('./after');
const { Limits, isLong } = require('./answers');
const { headOf, isKind } = require('./callhead');
const against = require('./snapshot');
const clock = require('./clock');
const egress = require('./egress');
const { Failures, settled } = require('./failures');
const output = require('./output');
const { exit, RETIRED } = require('./frame');
const { clearAsyncIDs } = require('./internals');
const hintOf = require('./webhint');
const pending = require('./pending');
const Reports = require('./reports');
const Stream = require('./stream');
const tmp = require('./tmp');
const warnings = require('./warnings');
const chooseZone = require('./zone');

const tick = process._tickCallback; // runs what is due before the event loop goes on: nextTicks, then microtasks

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
    this.timeout = 0;
    this.limits = new Limits(0); // limit sets both
    this.reports = new Reports(line => this.write(line), 0);
    this.retire = () => exit(RETIRED);
    this.skip = 0; // how many of the next calls the host has requeued
    this.rolledBack = false; // whether the host puts this process back to a snapshot after each call
    this.failures = new Failures({
      current: () => this.call, realm: () => this.loader.realm, log: text => this.reports.lines(this.call, text),
    });
    this.failures.watch();
    warnings.capture(text => this.reports.warn(this.call, text));
    output.capture((level, line) => this.call !== null && (this.log(level, line), true));
  }

  // limit sets what the init frame says of all calls.
  limit({ maxAnswer, maxLogs, timeout }) {
    this.timeout = timeout || 0; // a host that tells none has none
    this.limits = new Limits(maxAnswer);
    this.reports.maxLogs = maxLogs;
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
      print: output.print,
      span: rest => this.reports.span(this.call, rest),
      progress: rest => this.reports.progress(this.call, rest),
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
      missed: error => this.failures.missed(error),
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
      notices: 0, stream: null,
    };
    this.call = call;
    if (kind === 'compile') return this.compile(call);
    this.loader.realm.run(line, kind === 'warmup' ? 'run' : kind);
    this.drain();
    if (call.lost !== null && this.failures.giveUp(call)) this.drain();
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
    if (call.lost !== null) this.failures.lookAgain(call);
    return false;
  }

  // checked is the body of the answer to a trial run that went well: what the code exports, and the code of a module in
  // the form that was compiled, unless that is too large for a frame.
  checked(handler) {
    const { lowered } = this.loader;
    const text = lowered ? JSON.stringify({ handler, lowered }) : '';
    if (text && 2 * text.length < this.limits.maxAnswer) return text;
    return handler ? 'handler' : undefined;
  }

  // compile answers with the code cache of the function, without a body if it is too large for a frame. The worker ends
  // with it: the cache must come from the code alone, so no call comes before or after.
  compile(call) {
    const cache = this.loader.cache();
    call.type = 'result';
    call.rest = this.limits.cacheOf(cache);
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
        clearAsyncIDs();
        this.failures.uncaught(error);
      }
    }
  }

  // head begins a streamed answer. rest is the frame's own members.
  head(rest) {
    const { call, write, writeBytes, limits: { maxAnswer } } = this;
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
    settled(call);
    if (!call.starting) this.finishSoon(call);
  }

  // finishSoon is finishLate once the connections that the call has finished with are closed, and false.
  finishSoon(call) {
    pending.later(() => egress.settle(() => this.finishLate(call) && this.next()));
    return false;
  }

  // log sends a line of the call in progress.
  log(level, text) {
    this.reports.log(this.call, level, text);
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
    const facts = `"reusable":${clean},${rest}${spent > 0 ? `"load":${spent},` : ''}`;
    const frame = this.limits.answer(call, facts);
    if (isLong(frame)) this.writing(true);
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
    this.write(this.limits.fitted({ id: call.id, type, rest: `"reusable":${usable},${rest}` }));
    if (!usable) this.retire();
    return true;
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
        output.flush();
        const untouched = this.isClean(call, true);
        const cut = untouched ? 0 : after.left(call);
        const clean = untouched || this.rolledBack;
        this.call = null;
        this.write(`{"type":"done","id":${call.id},"reusable":${clean}${cut > 0 ? `,"cut":${cut}` : ''}}\n`);
        if (!clean) this.retire();
        this.next();
      },
    });
  }
}

module.exports = Invoker;
