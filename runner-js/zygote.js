'use strict';

// The fork server: a process that has everything loaded and never sees a function. Each worker is a fork of it.

const path = require('path');
const entropy = require('./entropy');
const frame = require('./frame');

const CONTROL = 3; // the socket to the host
const addon = process.argv[2] === 'zygote' ? require(path.join(__dirname, 'build', 'zygote.node')) : null;

// fork serves the host's requests and returns only in each new worker. filter is the worker's system-call filter as
// base64, own that of this process, which has loaded everything by now. tmp is the size of each worker's own /tmp in
// bytes, 0 for none. settle is called when the host asks for it: it may take its time to make later forks cheaper.
function fork(filter, own, tmp, settle) {
  addon.open(CONTROL, Buffer.from(filter || '', 'base64'), Buffer.from(own || '', 'base64'), tmp);
  let pid = addon.serve();
  while (pid === 0) {
    settle();
    pid = addon.serve();
  }
  frame.exitBy(addon.leave);
  addon.reseed();
  entropy.reset();
  Object.defineProperty(process, 'pid', { value: pid }); // Node.js 8 keeps the process ID of its start
}

// slim makes the process cheap to fork.
function slim() {
  addon.slim();
}

// roomy prepares the process for forks that are rolled back.
function roomy() {
  addon.roomy();
}

// trim gives memory back that compiling has used, in a worker that is rolled back.
function trim() {
  addon.trim();
}

// turn has the event loop call what is due, and does not wait.
function turn() {
  addon.turn();
}

// tracked says, in a worker, whether the host rolls it back after each call, and prepares it for that.
function tracked() {
  const is = addon.tracked();
  if (is) new Date(0).getTimezoneOffset(); // which reads the zone
  return is;
}

// park waits for the next frame, in a worker that is rolled back, and returns whether there is one. The process is as
// in its snapshot then, so its random state must be made anew: all but that of OpenSSL, which has none there. The fork
// server can rehearse it.
function park() {
  const read = addon.park();
  entropy.reset();
  return read === 1;
}

module.exports = { fork, slim, roomy, trim, turn, tracked, park };
