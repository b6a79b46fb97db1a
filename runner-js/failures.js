'use strict';

// What nobody has caught: errors, and rejections of promises. They fail the call in progress, or are lines of its log
// where it has its answer. Without a call the runner ends.

const frame = require('./frame');
const pending = require('./pending');

// Delay until the next check whether a call that has lost a promise can still answer, in milliseconds: the first one
// and the longest one.
const FIRST_LOOK = 1;
const LAST_LOOK = 16;

const RealPromise = Promise;
const { setTimeout, clearTimeout } = global; // taken before pending.js replaces them

class Failures {
  // current returns the call in progress, or null; realm the realm that it runs in. log prints lines of an error.
  constructor({ current, realm, log }) {
    this.current = current;
    this.realm = realm;
    this.log = log;
    this.early = []; // rejections while modules are loaded; null later
  }

  // watch takes what Node.js reports from now on.
  watch() {
    const fail = error => this.uncaught(error);
    process.on('uncaughtException', fail);
    const lost = error => this.rejected(error);
    process.on('unhandledRejection', lost);
  }

  // uncaught handles what nobody caught: the call fails if there is a call, otherwise the runner ends.
  uncaught(error) {
    const call = this.current();
    if (call !== null) {
      if (call.left === 0) this.realm().fail(error);
      else this.missed(error);
      return;
    }
    frame.fail((error && error.stack) || error);
  }

  // missed handles what goes wrong after the answer.
  missed(error) {
    const call = this.current();
    if (call === null || call.left === 0) return;
    this.log(this.realm().lost('Uncaught after the answer', error));
  }

  // rejected handles a rejection that nobody handles. It is written to the output. The first one is also the answer of
  // a call that can give no other.
  rejected(error) {
    const call = this.current();
    if (call === null) {
      if (this.early === null) this.uncaught(error);
      else this.early.push(error);
      return;
    }
    this.log(this.realm().lost('Unhandled rejection', error));
    if (call.type !== '' || call.lost !== null) return;
    call.lost = { error, timer: null };
    if (!call.starting) this.lookAgain(call);
  }

  // loaded has rejections of modules handled from now on: in the output of the first call, and not at the start, as
  // Node.js would not end the process for them before version 15.
  loaded() {
    const { early } = this;
    this.early = null;
    early.forEach(error => RealPromise.reject(error));
  }

  // giveUp fails the call with the rejection that it has lost, and returns true, if nothing is left that could still
  // answer.
  giveUp(call) {
    if (call.type !== '' || call.work > 0 || pending.alive(false)) return false;
    this.realm().fail(call.lost.error);
    return true;
  }

  // lookAgain calls giveUp after a while, and again with growing delays until there is an answer.
  lookAgain(call, pause = FIRST_LOOK) {
    const { lost } = call;
    lost.timer = setTimeout(() => {
      lost.timer = null;
      if (call.type === '' && !this.giveUp(call)) this.lookAgain(call, Math.min(2 * pause, LAST_LOOK));
    }, pause);
  }
}

// settled ends what waits for an answer that has come.
function settled({ lost }) {
  if (lost !== null && lost.timer !== null) clearTimeout(lost.timer);
}

module.exports = { Failures, settled };
