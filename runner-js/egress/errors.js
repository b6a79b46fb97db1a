'use strict';

// Errors of connections, in the form of this version of Node.js.

const { errno: numbers } = require('os').constants;

const modern = Number(process.versions.node.split('.')[0]) >= 13; // errno became a number
const UV = { ENOTFOUND: -3008, EAI_AGAIN: -3001 }; // libuv's own

function errnoOf(code) {
  if (!modern) return code;
  return code in UV ? UV[code] : -numbers[code] || undefined;
}

// lookupError is the error for a name without an address.
function lookupError(code, { host, port }) {
  const text = `getaddrinfo ${code} ${host}`;
  const error = new Error(modern ? text : `${text} ${host}:${port}`);
  Object.assign(error, { errno: errnoOf(code), code, syscall: 'getaddrinfo', hostname: host });
  return modern ? error : Object.assign(error, { host, port });
}

// connectError is the error for an address that was not reached. reason says why the server's policy refused it.
function connectError(code, { host, port, address, reason }) {
  const error = new Error(`connect ${code} ${address || host}:${port}${reason ? ` (${reason})` : ''}`);
  Object.assign(error, { errno: errnoOf(code) || code, code, syscall: 'connect', address: address || host, port });
  return reason ? Object.assign(error, { host, reason }) : error;
}

// errorOf makes the error for an answer of the proxy.
function errorOf(answer) {
  return (answer.code === 'ENOTFOUND' || answer.code === 'EAI_AGAIN' ? lookupError : connectError)(answer.code, answer);
}

module.exports = { errorOf };
