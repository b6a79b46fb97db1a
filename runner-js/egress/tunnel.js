'use strict';

// Makes every TCP connection of this process go through the server's proxy. To its users a socket is like any other: it
// looks a name up, connects, and fails with the errors of Node.js.

const net = require('net');
const tls = require('tls');
const { dial, reserve, attach } = require('./proxy');
const { errorOf } = require('./errors');
const live = require('./live');

const { connect } = net.Socket.prototype;
const connectTLS = tls.connect;
const { nextTick } = process;

// A TLS socket is created either for a path or for TCP; this path makes it fit the proxy's socket.
const VIA_PROXY = '/via the egress proxy';

// install replaces the functions that connect. path is that of the proxy's socket; prepare may change the options of a
// TLS connection.
function install(path, prepare) {
  live.watch();
  net.Socket.prototype.connect = function connectThroughProxy(...args) {
    const [options, callback] = Array.isArray(args[0]) ? args[0] : net._normalizeArgs(args);
    if (options.path && options.path !== VIA_PROXY) return refusePath(this, options.path);
    if (!isPort(options.port)) return connect.apply(this, args); // which reports the bad port
    begin(this, callback);
    lookUp(this, options, (error, host) => {
      if (error) this.destroy(error);
      else reach(path, this, { host, port: Number(options.port || 0) }, options);
    });
    return this;
  };
  tls.connect = function connectTLSThroughProxy(...args) {
    const [options, callback] = optionsOfTLS(args);
    prepare(options);
    if (!options.socket && !options.path) options.path = VIA_PROXY;
    return callback ? connectTLS(options, callback) : connectTLS(options);
  };
}

function isPort(port) {
  if (port === undefined) return true;
  if (typeof port === 'string' ? port.trim() === '' : typeof port !== 'number') return false;
  return Number(port) === Number(port) >>> 0 && Number(port) <= 0xffff;
}

// optionsOfTLS reads the arguments of tls.connect: [port,] [host,] [options,] [callback].
function optionsOfTLS(args) {
  const [normalized, callback] = net._normalizeArgs(args);
  const options = Object.assign({}, normalized);
  for (const extra of [args[1], args[2]]) {
    if (typeof extra === 'object' && extra !== null) Object.assign(options, extra);
  }
  return [options, callback];
}

function refusePath(socket, path) {
  const error = errorOf({ code: 'EGRESS_DENIED', host: path, port: 0, reason: 'unix_socket' });
  nextTick(() => socket.destroy(error));
  return socket;
}

// begin puts socket into the state of a connecting socket.
function begin(socket, callback) {
  if (socket.destroyed) { // it is used again
    socket._undestroy();
    socket._handle = null;
    socket._peername = null;
  }
  if (callback !== null) socket.once('connect', callback);
  if (socket._unrefTimer) socket._unrefTimer();
  socket.connecting = true;
  socket.writable = true;
  live.begun(socket);
}

// lookUp asks the socket's own lookup function, if it has one; otherwise the proxy gets the name.
function lookUp(socket, options, done) {
  const host = options.host || 'localhost';
  if (typeof options.lookup !== 'function' || net.isIP(host)) {
    done(null, host);
    return;
  }
  options.lookup(host, { family: options.family, hints: options.hints }, (error, found, family) => {
    if (!socket.connecting) return;
    const address = Array.isArray(found) ? found[0].address : found; // if it was asked for all addresses
    socket.emit('lookup', error, address, family, host);
    done(error, address);
  });
}

// reach connects socket to host and port.
function reach(path, socket, { host, port }, options) {
  if (/[\0-\x20\x7f]/.test(host)) { // no name, and nothing to put into a line
    nextTick(() => socket.destroy(errorOf({ code: 'ENOTFOUND', host, port })));
    return;
  }
  const target = { host, port, name: `${host.includes(':') ? `[${host}]` : host}:${port}` };
  const named = host === options.host && !net.isIP(host);
  const waits = () => live.waits(socket);
  if (isReadByOthers(socket, options)) reachByTicket(path, socket, target, named, waits);
  else dial(path, socket, target, waits, (error, answer) => report(socket, target, named, error, answer));
}

// isReadByOthers says whether data that arrives at the socket's handle is not visible here: TLS takes it, or a buffer
// of the socket's owner.
function isReadByOthers(socket, options) {
  return options.onread !== undefined || (socket._handle && socket._handle._parent);
}

function reachByTicket(path, socket, target, named, waits) {
  const giveUp = reserve(path, target, waits, (error, answer) => {
    socket.removeListener('close', giveUp);
    if (!socket.connecting || socket.destroyed) return;
    report(socket, target, named, error, answer);
    if (!socket.destroyed) attach(path, socket, answer.ticket);
  });
  socket.once('close', giveUp);
}

// report tells socket the proxy's answer. named says that a name was looked up.
function report(socket, { host, port }, named, error, answer) {
  live.answered(socket);
  const [address, family] = error ? [undefined, undefined] : [answer.address, net.isIP(answer.address)];
  if (named) socket.emit('lookup', error && error.syscall === 'getaddrinfo' ? error : null, address, family, host);
  if (socket.destroyed) return;
  if (error) socket.destroy(error);
  else socket._peername = { address, family: `IPv${family}`, port };
}

module.exports = { install };
