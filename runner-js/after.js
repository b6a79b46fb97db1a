'use strict';

// What a call has begun and left at its answer. Requests that are under way, and promises that were given to Backstage.waitUntil, hold the worker until
// they are over, and so does what they go on to do; timers alone hold nothing.

const { closeKept } = require('./egress');
const pending = require('./pending');

const { setTimeout } = global; // before it is watched

// How many turns of the event loop there may be between one request and the next, or until one that was just begun is seen.
const TURNS = 16;

// How long it takes until it is looked again, in milliseconds: at first, and at the most.
const FIRST_LOOK = 1;
const LAST_LOOK = 32;

const MOST_TOLD = 1000; // counts that the host is told of one call; the same limit stands in sandbox/internal/wire/limits.go

// left counts the promises, timers and requests of call that are not over.
function left(call) {
  return Math.max(call.waits, call.work + pending.held()) || pending.timersLeft();
}

// holds says whether any of it holds the worker. A promise does as long as anything is left that could settle it.
function holds(call) {
  return pending.held() > 0 || (call.waits > 0 && pending.alive(true));
}

// mayHold says at the answer whether anything is left that holds the worker, or may do so in a turn or two. late as for pending.left.
function mayHold(call, late) {
  return holds(call) || pending.soon(late);
}

// follow calls told(count) when another count of what call has left is to be known, and over() when nothing holds the worker any more. drain lets
// promises go on.
function follow(call, { drain, told, over }) {
  let counted = call.left;
  let toTell = MOST_TOLD;
  let pause = FIRST_LOOK;
  const look = (turns) => {
    drain();
    closeKept();
    if (holds(call)) {
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

module.exports = { left, mayHold, follow };
