'use strict';

// Waits for what modules go on to do after they were loaded, such as reading a file or connecting. A process that has
// such work under way cannot be forked: the threads that do it stay behind.

const frame = require('./frame');
const pending = require('./pending');

const LONGEST = 5000; // milliseconds

const { now } = Date;
const { abort } = process; // before lockdown.js takes it away

// settle calls then when nothing is under way that ends by itself, and returns what it returns; false if it has to
// wait. Then Node.js itself goes on meanwhile, so that what a module throws ends the process with its stack. drain lets
// promises and ticks continue. It must be called once, after the modules were loaded and before a function runs.
function settle(drain, then) {
  drain();
  if (!pending.unsettled(false)) return then();
  const before = frame.exitBy(pending.leave || (() => abort.call(process))); // which wait for no thread
  const end = now() + LONGEST;
  const look = () => {
    if (pending.unsettled(true)) {
      if (now() > end) giveUp();
      pending.later(look);
      return;
    }
    frame.exitBy(before);
    then();
  };
  pending.later(look);
  return false;
}

// giveUp ends the process with what Node.js tells of.
function giveUp() {
  const names = pending.requestNames().join(', ');
  const what = names ? `requests are under way (${names})` : 'immediates or requests of Node.js itself are under way';
  const when = `${LONGEST / 1000} seconds after the modules were loaded`;
  frame.fail(`Error: ${what} ${when}: they may not wait so long`);
}

module.exports = settle;
