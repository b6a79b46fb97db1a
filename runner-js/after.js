'use strict';

// Work that a call has begun and not finished at its answer. Requests under way and promises given to
// Backstage.waitUntil keep the worker until they are done, and so does the work that they lead to. Timers alone do not
// keep it.

const { closeKept } = require('./egress');
const pending = require('./pending');

const { setTimeout } = global; // taken before pending.js replaces it

// Number of event loop iterations to wait between one request and the next, or until a request that has just begun is
// visible.
const TURNS = 16;

// Delay until the next check, in milliseconds: the first one and the longest one.
const FIRST_LOOK = 1;
const LAST_LOOK = 32;

const MOST_TOLD = 1000; // late frames per call; same limit as in sandbox/internal/wire/limits.go

// left counts the promises, timers and requests of call that are not done.
function left(call) {
  return Math.max(call.waits, call.work + pending.openRequests()) || pending.timersLeft();
}

// keepsWorker says whether any of this keeps the worker. A promise does as long as anything is left that could settle
// it.
function keepsWorker(call) {
  return pending.openRequests() > 0 || (call.waits > 0 && pending.alive(true));
}

// mayKeepWorker says at the answer whether anything is left that keeps the worker, or may do so within an iteration or
// two of the event loop. late is as for pending.left.
function mayKeepWorker(call, late) {
  return keepsWorker(call) || pending.soon(late);
}

// follow calls told(count) when the number of things that call has left changes, and over() when nothing keeps the
// worker any more. drain lets promises continue.
function follow(call, { drain, told, over }) {
  let counted = call.left;
  let toTell = MOST_TOLD;
  let pause = FIRST_LOOK;
  const look = (turns) => {
    drain();
    closeKept();
    if (keepsWorker(call)) {
      const count = left(call);
      if (count !== counted && toTell > 0) {
        counted = count;
        toTell--;
        pause = FIRST_LOOK;
        told(count);
      }
      setTimeout(() => pending.later(() => look(TURNS)), pause);
      pause = Math.min(2 * pause, LAST_LOOK);
    } else if (turns > 0 && pending.left(true) !== pending.NOTHING) {
      pending.later(() => look(turns - 1));
    } else {
      over();
    }
  };
  pending.later(() => look(TURNS));
}

module.exports = { left, mayKeepWorker, follow };
