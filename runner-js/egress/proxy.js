'use strict';

// The client's side of the server's proxy; the protocol is drawn in internal/egress/doc.go.

const net = require('net');
const { errorOf } = require('./errors');

const { connect } = net.Socket.prototype; // before it is replaced
// These are taken away later.
const { Pipe, PipeConnectWrap, constants } = process.binding('pipe_wrap');
const { WriteWrap } = process.binding('stream_wrap');
const LINE = 1100;

// ask wants a connection to host and port. done(error, {ticket, address}) is called once, unless the function that is returned is called
// before it. It uses a bare handle: a socket costs more than the rest of the question.
function ask(path, { host, port }, done) {
  const pipe = new Pipe(constants ? constants.SOCKET : 0);
  let text = '';
  let over = false;
  const close = () => {
    if (over) return false;
    over = true;
    pipe.close();
    return true;
  };
  const finish = (answer) => {
    if (!close()) return;
    if (answer.code) done(errorOf(Object.assign(answer, { host, port })));
    else done(null, answer);
  };
  pipe.onread = (...read) => {
    const bytes = bytesOf(...read);
    if (bytes === null) return finish({ code: 'ECONNREFUSED' });
    text += Buffer.from(bytes).toString('latin1');
    const end = text.indexOf('\n');
    return end >= 0 || text.length > LINE ? finish(parse(text.slice(0, end))) : undefined;
  };
  const request = new PipeConnectWrap();
  request.oncomplete = (failed) => {
    if (over) return;
    if (failed) {
      finish({ code: 'ECONNREFUSED' });
      return;
    }
    pipe.readStart();
    write(pipe, `CONNECT ${host.includes(':') ? `[${host}]` : host}:${port}\n`);
  };
  if (pipe.connect(request, path)) process.nextTick(finish, { code: 'ECONNREFUSED' });
  return close;
}

// bytesOf is what a handle has read: until Node.js 12 it told the number of bytes before them; null is the end.
function bytesOf(first, second) {
  if (typeof first === 'number') return first > 0 ? second : null;
  return first || null;
}

function write(handle, text) {
  const request = new WriteWrap();
  request.handle = handle;
  request.oncomplete = () => {};
  handle.writeUtf8String(request, text);
}

function parse(line) {
  const [status, first, second, third] = line.split(' ');
  if (status === '200') return { ticket: first, address: second };
  if (status === '403') return { code: first, reason: second, address: third === '-' ? undefined : third };
  return { code: first || 'ECONNREFUSED', address: third === '-' ? undefined : third };
}

// attach connects socket, whose handle is or will be that of a Unix socket, to what the ticket stands for. The ticket is written beneath
// whatever the socket puts on top, such as TLS, and before anything of the socket's own: its connect has not been reported yet.
function attach(path, socket, ticket) {
  connect.call(socket, { path });
  const handle = socket._handle && (socket._handle._parent || socket._handle);
  if (!handle) return; // it has failed, and reports so by itself
  write(handle, `ATTACH ${ticket}\n`);
}

module.exports = { ask, attach };
