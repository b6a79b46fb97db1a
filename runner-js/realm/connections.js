'use strict';

// Backstage.connections: messages to the WebSocket connections of this function's namespace. The server knows by the
// process that asks whose call it is.

const { runner } = host;
const { sizeOf, ofText, base64 } = require('./bytes');
const { functionsOf } = require('./frozen');

const { apply } = Reflect;
const { freeze } = Object;
const { test } = RegExp.prototype;
const { split, replace } = String.prototype;
const RealPromise = Promise;
const encode = encodeURIComponent;

const ID = /^[A-Z2-7]{13}-[A-Z2-7]{26}$/;

// What the codes of the server mean.
const FAULTS = {
  EMSGSIZE: 'it is longer than WEBSOCKET_MESSAGE_LIMIT allows',
  EILSEQ: 'it is not UTF-8',
  EINVAL: 'a connection ends with 1000, 1001, 1007 to 1014 or 3000 to 4999, and a reason of at most 123 bytes',
  EAGAIN: 'its caller does not take messages, no memory is left for more, or another server does not answer',
  ENOTSUP: 'this server takes no WebSocket connections: WEBSOCKET_CONNECTIONS says how many it may',
  EGRESS_DENIED: 'this call asks for too much',
};

// ask sends a line, and bytes after it, and resolves to whether there is such a connection.
function ask(what, line, bytes) {
  return new RealPromise((resolve, reject) => {
    runner.post(line, base64(bytes, 0, sizeOf(bytes)), (answer) => {
      const [status, code] = apply(split, answer, [' ']);
      if (status === '200') resolve(true);
      else if (code === 'ENOTCONN') resolve(false);
      else reject(faultOf(what, code));
    });
  });
}

function faultOf(what, code = 'ECONNREFUSED') {
  return Object.assign(new Error(`${what}: ${FAULTS[code] || code}`), { code });
}

const NOTHING = ofText('');

// messageOf is data as bytes, and what kind of message it is.
function messageOf(data) {
  if (typeof data === 'string') return { kind: 'text', bytes: ofText(data) };
  if (sizeOf(data) >= 0) return { kind: 'bytes', bytes: data };
  throw new TypeError('A message is text, a Buffer or another typed array');
}

const isID = id => typeof id === 'string' && apply(test, ID, [id]);

// promised returns a promise of what f returns. No method is async itself: its constructor would compile code.
const promised = async f => f();

const connections = {
  // send sends data to a connection. It resolves to false when that is closed.
  send(id, data) {
    return promised(() => {
      const { kind, bytes } = messageOf(data);
      if (!isID(id)) return false;
      return ask('The message is not sent', `SEND ${kind}/${id}/${sizeOf(bytes)}\n`, bytes);
    });
  },

  // broadcast sends data to all connections of this function.
  broadcast(data) {
    return promised(async () => {
      const { kind, bytes } = messageOf(data);
      await ask('The message is not sent', `SEND ${kind}/*/${sizeOf(bytes)}\n`, bytes);
    });
  },

  // close ends a connection. It resolves to false when it was closed already.
  close(id, code = 1000, reason = '') {
    return promised(() => {
      if (!isID(id)) return false;
      const text = apply(replace, encode(`${reason}`), [/[^!-~]/g, '']);
      return ask('The connection is not closed', `HANGUP ${id}/${Number(code)}/${text}\n`, NOTHING);
    });
  },
};

functionsOf(connections).forEach(freeze);
freeze(FAULTS);

module.exports = freeze(connections);
