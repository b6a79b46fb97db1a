'use strict';

// What speaks against a snapshot of a worker that has run code of its function: whatever goes on, or must not be the
// same for all calls that find it.

const after = require('./after');
const { drawn } = require('./entropy');

const DRAWN = 'random numbers were drawn, which every call would find, such as those that a library has in store';

// against says it of a call before the snapshot, in a few words; empty if nothing does. clean says whether the call has
// left nothing.
function against(call, clean) {
  if (!clean) {
    const left = after.left(call);
    if (left === 0) return 'a handle, a listener or a hook is left';
    return left === 1 ? 'a timer, a request or a promise is left' : `${left} timers, requests or promises are left`;
  }
  return drawn() ? DRAWN : '';
}

module.exports = against;
