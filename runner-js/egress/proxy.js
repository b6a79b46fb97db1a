'use strict';

// The client's side of the server's proxy; the protocol is drawn in internal/egress/doc.go.

const fs = require('fs');
const net = require('net');
const { errorOf } = require('./errors');

const { connect } = net.Socket.prototype; // before it is replaced
const { writeSync } = fs;
const { Pipe, PipeConnectWrap, constants } = process.binding('pipe_wrap'); // which is taken away later
const LINE = 1100;
const GONE = { code: 'ECONNREFUSED' };

// dial connects socket, which has no handle yet, to host and port through the proxy at path. Node.js opens the Unix socket and believes that
// this takes until the proxy has answered. done(error, answer) is called before socket is told that it is connected.
function dial(path, socket, target, done) {
  const connectPipe = Pipe.prototype.connect;
  Pipe.prototype.connect = function connectProxy(request, ...rest) {
    const complete = request.oncomplete;
    request.oncomplete = (failed, handle, ...others) => {
      const { onread } = handle;
      if (socket.destroyed || socket._handle !== handle) return; // it was given up
      readAnswer(failed, handle, target, (error, answer, early) => {
        handle.onread = onread;
        done(error, answer);
        if (socket.destroyed) return;
        if (socket.isPaused()) handle.readStop();
        else handle.reading = true; // as Node.js notes that it has started to
        complete(0, handle, ...others);
        if (early.length > 0 && !socket.destroyed) socket.push(early);
      });
    };
    const failed = Reflect.apply(connectPipe, this, [request, ...rest]);
    if (!failed) send(this, `CONNECT ${target.name}\n`);
    return failed;
  };
  try {
    connect.call(socket, { path });
  } finally {
    Pipe.prototype.connect = connectPipe;
  }
}

// send writes a line to a handle that was just told to connect. A Unix socket is connected when connect(2) returns, though libuv tells a turn
// of the event loop later. What fails here fails again when the answer is read.
function send(handle, line) {
  try {
    writeSync(handle.fd, line);
  } catch (error) {
    // the answer will not come
  }
}

// readAnswer reads the line that the proxy answers from a handle that is connected unless failed says why not. done gets what came after it,
// too.
function readAnswer(failed, handle, target, done) {
  let text = '';
  const finish = (answer, early) => done(answer.code ? errorOf(Object.assign({}, answer, target)) : null, answer, early || []);
  if (failed) {
    finish(GONE);
    return;
  }
  handle.onread = (...read) => {
    const bytes = bytesOf(...read);
    if (bytes === null) return finish(GONE);
    text += Buffer.from(bytes).toString('latin1');
    const end = text.indexOf('\n');
    if (end < 0 && text.length <= LINE) return undefined;
    return finish(parse(text.slice(0, end)), Buffer.from(text.slice(end + 1), 'latin1'));
  };
  handle.readStart();
}

// bytesOf is what a handle has read: until Node.js 12 it told the number of bytes before them; null is the end.
function bytesOf(first, second) {
  if (typeof first === 'number') return first > 0 ? second : null;
  return first || null;
}

function parse(line) {
  const [status, first, second, third] = line.split(' ');
  if (status === '200') return { address: first, ticket: second };
  if (status === '403') return { code: first, reason: second, address: third === '-' ? undefined : third };
  return { code: first || 'ECONNREFUSED', address: third === '-' ? undefined : third };
}

// reserve wants a connection for a socket whose handle belongs to TLS already and cannot be read beneath it: attach is to follow. done(error,
// answer) is called once, unless the function that is returned is called before it.
function reserve(path, target, done) {
  const pipe = new Pipe(constants ? constants.SOCKET : 0);
  let over = false;
  const close = () => {
    if (!over) pipe.close();
    over = true;
  };
  const request = new PipeConnectWrap();
  request.oncomplete = (failed) => {
    if (over) return;
    readAnswer(failed, pipe, target, (error, answer) => {
      close();
      done(error, answer);
    });
  };
  if (pipe.connect(request, path)) process.nextTick(request.oncomplete, -1);
  else send(pipe, `RESERVE ${target.name}\n`);
  return close;
}

// attach connects socket, whose handle is or will be that of a Unix socket, to what the ticket stands for. The ticket goes out beneath TLS
// and before anything of the socket's own: its connect has not been reported yet.
function attach(path, socket, ticket) {
  connect.call(socket, { path });
  const handle = socket._handle && (socket._handle._parent || socket._handle);
  if (handle) send(handle, `ATTACH ${ticket}\n`); // else it has failed, and reports so by itself
}

module.exports = { dial, reserve, attach };
