'use strict';

// Loads what functions with the globals of the web platform use of Node.js, in a fork server whose workers are all for
// such functions: Node.js would load it in each worker, at its first use.

const { offered, value } = require('./globals');

const TIMES = 3; // V8 compiles functions when they are called

// preload must be called before functions run, once egress is set up: what it loads keeps what egress replaces.
function preload() {
  for (const { names, origin } of offered) {
    if (origin === 'node') names.filter(name => name !== 'fetch').forEach(value);
  }
  if (global.Response !== undefined) for (let i = 0; i < TIMES; i++) play();
}

// play does what calls of web handlers do with objects of Node.js. It begins nothing that would have to end.
function play() {
  const { Request, Response, Headers } = global;
  const headers = new Headers();
  headers.append('content-type', 'text/plain');
  const request = new Request('http://localhost/', { method: 'POST', headers, body: Buffer.from('x') });
  request.headers.get('content-type');
  const response = new Response('x', { status: 201, headers: { a: 'b' } });
  response.headers.forEach(() => {});
  response.headers.getSetCookie();
  response.body.getReader();
}

module.exports = preload;
