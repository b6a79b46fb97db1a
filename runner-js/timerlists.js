'use strict';

// The timers and immediates that Node.js 11 and later still have to run. A function can reach the list that its timer
// is in, and write to it. So no list is trusted to be empty: this reads what Node.js goes by.

const { apply } = Reflect;
const { seal, freeze } = Object;

const NEVER = 2 ** 52; // milliseconds
const MOST = 1000; // most lists to check

// lists returns a function that says whether there is any timer apart from heartbeat, or any immediate. internal is
// what the internal timers module exports, binding its native half.
function lists(heartbeat, internal, binding) {
  const { immediateInfo, getLibuvNow } = binding;
  const { timerListMap, timerListQueue, immediateQueue } = internal;
  const knownTimersById = internal.knownTimersById || withoutIDs(heartbeat);
  const { insert, removeAt, shift } = timerListQueue;
  let queued = 1; // lists in the queue, whatever they contain

  // A list cannot get getters: reading it, and adding a timer to it, runs no code of a function.
  timerListQueue.insert = (list) => {
    queued++;
    seal(list);
    apply(insert, timerListQueue, [list]);
  };
  timerListQueue.removeAt = (position) => {
    queued--;
    apply(removeAt, timerListQueue, [position]);
  };

  // The heartbeat is in a list that no other timer gets into. After it had run it would be in another list.
  const hidden = seal(heartbeat._idleNext);
  delete timerListMap[hidden.msecs];
  hidden.expiry = NEVER;
  [heartbeat, hidden].forEach(({ constructor }) => freeze(freeze(constructor).prototype));

  // Node.js keeps an empty list for as long as it would have waited, if its last timer was one that does not keep the
  // process alive.
  function isEmpty(list) {
    const { msecs, expiry, id, priorityQueuePosition: position } = list;
    // arithmetic with anything else would run its code
    if (typeof msecs !== 'number' || typeof expiry !== 'number') return false;
    if (typeof id !== 'number' || typeof position !== 'number') return false;
    if (list._idlePrev !== list || list._idleNext !== list || timerListMap[msecs] !== list) return false;
    return expiry <= apply(getLibuvNow, binding, []) + msecs + 1;
  }

  // allEmpty says whether all lists except the heartbeat's are empty. It calls nothing that a function may have
  // replaced.
  function allEmpty() {
    const all = { __proto__: null };
    let count = 0;
    while (queued > 0 && count < MOST) all[count++] = apply(shift, timerListQueue, []);
    for (let i = 0; i < count; i++) timerListQueue.insert(all[i]);
    let others = 0;
    for (let i = 0; i < count; i++) {
      if (all[i] !== hidden) {
        if (!isEmpty(all[i])) return false;
        others++;
      }
    }
    return others === count - 1 && keysOf(timerListMap) === others;
  }

  function timers() {
    if (immediateInfo[0] !== 0 || immediateInfo[1] !== 0 || immediateQueue.head !== null) return true;
    if (keysOf(knownTimersById) > 0) return true;
    if (queued === 1) return timerListQueue.peek() !== hidden || keysOf(timerListMap) > 0;
    try {
      return !allEmpty();
    } catch (error) {
      return true; // a list that cannot be compared with others
    }
  }

  return timers;
}

// withoutIDs is for Node.js 18, which does not show the timers whose ID was asked for: no timer has one.
function withoutIDs(heartbeat) {
  delete heartbeat.constructor.prototype[Symbol.toPrimitive];
  return { __proto__: null };
}

// keysOf counts the keys of an object without a prototype.
function keysOf(object) {
  let count = 0;
  for (const key in object) count++; // eslint-disable-line no-unused-vars
  return count;
}

module.exports = lists;
