'use strict';

// Client of the server's proxy; the protocol is drawn in internal/egress/doc.go.

const fs = require('fs');
const net = require('net');
const { errorOf } = require('./errors');

const { connect } = net.Socket.prototype; // before tunnel.js replaces it
const { writeSync } = fs;
const { Pipe, PipeConnectWrap, constants } = process.binding('pipe_wrap'); // process.binding is removed later
const LINE = 1100;
const ANSWER = 1024 * 1024; // most bytes of a lookup's answer
const GONE = { code: 'ECONNREFUSED' };
const WAITING = '102 waiting\n'; // comes before the answer

// dial connects socket, which has no handle yet, to host and port through the proxy at path. Node.js opens the Unix
// socket and regards the connection as pending until the proxy has answered. waits() is called if it waits for a place.
// done(error, answer) is called before socket is told that it is connected.
function dial(path, socket, target, waits, done) {
  const connectPipe = Pipe.prototype.connect;
  Pipe.prototype.connect = function connectProxy(request, ...rest) {
    const complete = request.oncomplete;
    request.oncomplete = (failed, handle, ...others) => {
      const { onread } = handle;
      if (socket.destroyed || socket._handle !== handle) return; // it was closed meanwhile
      readAnswer(failed, handle, target, waits, (error, answer, early) => {
        handle.onread = onread;
        done(error, answer);
        if (socket.destroyed) return;
        if (socket.isPaused()) handle.readStop();
        else handle.reading = true; // as Node.js does when it starts to read
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

// send writes a line to a handle that was just told to connect. A Unix socket is connected when connect(2) returns,
// although libuv reports it one iteration of the event loop later. What fails here fails again when the answer is read.
function send(handle, line) {
  try {
    writeSync(handle.fd, line);
  } catch (error) {
    // the answer will not come
  }
}

// readAnswer reads the proxy's answer line from a handle that is connected unless failed says why not. waits is called
// if the answer takes until there is a place. done also gets the bytes after the line.
function readAnswer(failed, handle, target, waits, done) {
  readLine(failed, handle, LINE, waits, (line, early) => {
    const answer = line === null ? GONE : parse(line);
    done(answer.code ? errorOf(Object.assign({}, answer, target)) : null, answer, early);
  });
}

// readLine reads a line of at most so many bytes; null if the proxy has closed the connection. waits is as above; null
// if this cannot be.
function readLine(failed, handle, limit, waits, done) {
  let text = '';
  if (failed) {
    done(null, []);
    return;
  }
  handle.onread = (...read) => {
    const bytes = bytesOf(...read);
    if (bytes === null) return done(null, []);
    text += Buffer.from(bytes).toString('latin1');
    if (waits !== null && text.startsWith(WAITING)) {
      text = text.slice(WAITING.length);
      waits();
    }
    const end = text.indexOf('\n');
    if (end < 0 && text.length <= limit) return undefined;
    return done(text.slice(0, end), Buffer.from(text.slice(end + 1), 'latin1'));
  };
  handle.readStart();
}

// bytesOf is what a handle has read; null is the end. Until Node.js 12 the number of bytes came first.
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

// open sends line on a new connection. read(failed, pipe, close) is called when it is connected, or failed says why
// not, unless the returned function, which closes it, is called first.
function open(path, line, read) {
  const pipe = new Pipe(constants ? constants.SOCKET : 0);
  let over = false;
  const close = () => {
    if (!over) pipe.close();
    over = true;
  };
  const request = new PipeConnectWrap();
  request.oncomplete = failed => over || read(failed, pipe, close);
  if (pipe.connect(request, path)) process.nextTick(request.oncomplete, -1);
  else send(pipe, line);
  return close;
}

// reserve asks for a connection for a socket whose handle already belongs to TLS and cannot be read below it; attach
// follows. waits is as for dial. done(error, answer) is called once, unless the returned function is called first.
function reserve(path, target, waits, done) {
  return open(path, `RESERVE ${target.name}\n`, (failed, pipe, close) => {
    readAnswer(failed, pipe, target, waits, (error, answer) => {
      close();
      done(error, answer);
    });
  });
}

// ask sends line and calls done with the answer line, which is empty if the proxy has closed the connection, unless the
// returned function is called first.
function ask(path, line, done) {
  return open(path, line, (failed, pipe, close) => {
    readLine(failed, pipe, ANSWER, null, (answer) => {
      close();
      done(answer || '');
    });
  });
}

// post is ask for a line with bytes after it, which may be more than a socket takes at once.
function post(path, line, bytes, done) {
  const socket = new net.Socket();
  let text = '';
  let over = false;
  const finish = (answer) => {
    if (over) return;
    over = true;
    socket.destroy();
    done(answer);
  };
  socket.on('error', () => finish(''));
  socket.on('close', () => finish(''));
  socket.on('data', (read) => {
    text += read.latin1Slice();
    const end = text.indexOf('\n');
    if (end >= 0 || text.length > LINE) finish(text.slice(0, Math.max(end, 0)));
  });
  Reflect.apply(connect, socket, [{ path }]);
  socket.write(line);
  if (bytes.length > 0) socket.write(bytes);
}

// attach connects socket, whose handle is or will be that of a Unix socket, to the connection of the ticket. The ticket
// goes out below TLS and before the socket's own data, because its connect has not been reported yet.
function attach(path, socket, ticket) {
  connect.call(socket, { path });
  const handle = socket._handle && (socket._handle._parent || socket._handle);
  if (handle) send(handle, `ATTACH ${ticket}\n`); // otherwise it has failed and reports that itself
}

module.exports = { dial, reserve, attach, ask, post };
