'use strict';

// The connections of this process, and which of them may be closed because no request uses them.

const events = require('events');
const net = require('net');
const pending = require('../pending');

// Before a function replaces them.
const { destroy, unref } = net.Socket.prototype;
const { emit, listenerCount } = events.prototype;
const { add, clear, delete: remove, forEach } = Set.prototype;
const { toString } = Symbol.prototype;
const { apply } = Reflect;
const { getOwnPropertySymbols } = Object;

// Where the agents of fetch, in Node.js and in the module undici, note on a socket that no request uses it.
const UNUSED = 'Symbol(no ref)';

const live = new Set(); // sockets that were told to connect and are not closed, the oldest first
const waiting = new Set(); // those of them that wait until the call may have one more connection
let planned = false; // makeRoom

// begun notes that socket was told to connect.
function begun(socket) {
  apply(add, live, [socket]);
  answered(socket); // of its last attempt
  socket.once('close', () => {
    apply(remove, live, [socket]);
    answered(socket);
  });
}

// waits notes that socket waits for a place, until it is answered or closed.
function waits(socket) {
  apply(add, waiting, [socket]);
  planRoom();
}

// answered notes that socket waits no more.
function answered(socket) {
  apply(remove, waiting, [socket]);
}

// watch must be called before agents keep anything. They unreference what they begin to keep.
function watch() {
  net.Socket.prototype.unref = function unrefWatched() {
    if (waiting.size > 0) planRoom();
    return apply(unref, this, []);
  };
}

// planRoom has makeRoom called when nothing else runs: an agent may have given what it kept to a request, which the
// socket shows a tick later.
function planRoom() {
  if (!planned) pending.later(makeRoom);
  planned = true;
}

// makeRoom closes as many kept connections as there are sockets that wait.
function makeRoom() {
  planned = false;
  let missing = 0;
  apply(forEach, waiting, [(socket) => {
    if (socket.destroyed) apply(remove, waiting, [socket]);
    else missing += 1;
  }]);
  apply(forEach, live, [(socket) => {
    if (missing === 0 || !isKept(socket)) return;
    missing -= 1;
    apply(destroy, socket, []);
    // Its agent forgets it now, and not when its close is reported: that of Node.js 8 would give it to a request.
    apply(emit, socket, ['agentRemove']);
  }]);
}

// isKept says whether an agent has the socket and no request uses it. What was upgraded has left its agent.
function isKept(socket) {
  if (socket.destroyed) return false;
  if (socket._httpMessage === null) return apply(listenerCount, socket, ['agentRemove']) > 0;
  const symbols = socket._httpMessage === undefined ? getOwnPropertySymbols(socket) : [];
  for (let i = 0; i < symbols.length; i++) {
    if (apply(toString, symbols[i], []) === UNUSED) return socket[symbols[i]] === true;
  }
  return false;
}

// closeIdle closes the connections that an agent keeps for later requests, and those that have sent everything and only
// wait for the other side to end.
function closeIdle() {
  for (const socket of live) {
    const { ending, length } = socket._writableState;
    if (socket._httpMessage === null || (ending && length === 0)) socket.destroy();
  }
}

// closeKept closes only those that an agent keeps for later requests.
function closeKept() {
  for (const socket of live) {
    if (socket._httpMessage === null) socket.destroy();
  }
}

// forget must be called when a call has left no connection: one that its code kept from being noted as closed would be
// looked at in the next call, and could run code then.
function forget() {
  if (live.size > 0) apply(clear, live, []);
  if (waiting.size > 0) apply(clear, waiting, []);
}

// closing says whether all connections are closed or about to be.
function closing() {
  for (const socket of live) {
    if (!socket.destroyed && !socket._writableState.ending) return false;
  }
  return true;
}

module.exports = { begun, waits, answered, watch, closeIdle, closeKept, closing, forget };
