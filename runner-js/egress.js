'use strict';

// Egress: HTTP, HTTPS and every other TCP connection of modules goes through the server's proxy.

const http = require('http');
const https = require('https');
const tls = require('tls');
const pending = require('./pending');
const live = require('./egress/live');
const names = require('./egress/names');
const proxy = require('./egress/proxy');
const tunnel = require('./egress/tunnel');

const { fetch: nodeFetch } = global;

let path = ''; // of the proxy's socket
let outgoing = {};
let fetchLoaded = false;
let fetchUsed = false;

// apply must be called before modules are loaded: some keep the functions that are replaced here.
function apply({ socket, keepAlive, ca, extraCA, tlsInsecure }) {
  if (extraCA) trustToo(extraCA);
  path = socket;
  tunnel.install(socket, trust(ca, tlsInsecure));
  names.install(socket);
  for (const module of [http, https]) {
    module.globalAgent.keepAlive = keepAlive;
    module.globalAgent.options.keepAlive = keepAlive;
    carryHeaders(module);
  }
}

// Options that give a TLS connection its own certificates.
const OWN_CONTEXT = [
  'secureContext', 'ca', 'cert', 'key', 'pfx', 'crl', 'ciphers', 'dhparam', 'ecdhCurve', 'secureProtocol',
  'secureOptions', 'minVersion', 'maxVersion', 'sigalgs', 'sessionIdContext',
];

// trustToo makes every TLS context that names no authorities trust those in extra, in addition to those of Node.js.
function trustToo(extra) {
  const create = tls.createSecureContext;
  tls.createSecureContext = function createSecureContext(options, ...rest) {
    const made = create(options, ...rest);
    if (!options || options.ca === undefined || options.ca === null) made.context.addCACert(extra);
    return made;
  };
}

// trust returns a function that makes the options of TLS connections trust ca, or the certificates of Node.js if ca is
// empty, and any certificate with insecure. The certificates are read once, here, and not in every worker.
function trust(ca, insecure) {
  const context = tls.createSecureContext(ca ? { ca } : {});
  return (options) => {
    if (insecure && options.rejectUnauthorized === undefined) options.rejectUnauthorized = false;
    if (OWN_CONTEXT.every(name => options[name] === undefined)) options.secureContext = context;
    else if (ca && options.ca === undefined) options.ca = ca;
  };
}

// carryHeaders adds the headers that the call passes on, such as traceparent, to its requests.
function carryHeaders(module) {
  const { request } = module;
  module.request = function requestWithHeaders(...args) {
    const made = Reflect.apply(request, this, args);
    if (!made.headersSent) {
      for (const name of Object.keys(outgoing)) {
        if (made.getHeader(name) === undefined) made.setHeader(name, outgoing[name]);
      }
    }
    return made;
  };
  module.get = function get(...args) {
    const made = module.request(...args);
    made.end();
    return made;
  };
}

// fetch is that of Node.js, if it has one, with an agent like those of http. It is loaded on first use: loading
// compiles WebAssembly, for which the fork server does not wait.
const fetch = typeof nodeFetch !== 'function' ? undefined : function fetch(...args) {
  fetchUsed = true;
  /** @type {any} */
  const current = Symbol.for('undici.globalDispatcher.1');
  if (!fetchLoaded) {
    fetchLoaded = typeof global.Headers === 'function'; // reading this property loads fetch
    if (!http.globalAgent.keepAlive && global[current]) {
      global[current] = new global[current].constructor({ pipelining: 0 });
    }
  }
  if (Object.keys(outgoing).length === 0) return nodeFetch(...args);
  try {
    return nodeFetch(carrying(new global.Request(...args)));
  } catch (error) {
    return Promise.reject(error); // as fetch reports wrong arguments
  }
};

// carrying adds to a request of fetch what carryHeaders adds to those of http.
function carrying(request) {
  for (const name of Object.keys(outgoing)) {
    if (!request.headers.has(name)) request.headers.set(name, outgoing[name]);
  }
  return request;
}

// carry sets the headers that the requests of the current call carry.
function carry(headers) {
  outgoing = headers || {};
}

// Number of event loop iterations for connections to be closed and their objects to be freed.
const TURNS = 16;

// settle calls done with what is left when the finished connections of the call are closed. If the call still uses
// some, there is nothing to wait for.
function settle(done, turns = TURNS) {
  live.closeIdle();
  const left = pending.left(true);
  const closing = left === pending.CLOSING || (left !== pending.NOTHING && live.closing());
  if (left === pending.NOTHING) live.forget();
  if (turns > 0 && closing) pending.later(() => settle(done, turns - 1));
  else done();
}

// fetched says whether fetch has ever been called.
function fetched() {
  return fetchUsed;
}

// post sends line and bytes to the server and calls done with its answer, which is empty if it gives none.
function post(line, bytes, done) {
  if (path === '') done('502 ENOTSUP');
  else proxy.post(path, line, bytes, done);
}

const { closeKept } = live;

module.exports = { apply, carry, closeKept, fetch, fetched, post, settle };
