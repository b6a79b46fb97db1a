'use strict';

// The modules of Node.js that functions with "globals":"web" may require without an operator's list.

const { builtinModules } = require('module');

// Harmless by themselves: they reach nothing outside of the process.
const PLAIN = [
  'assert', 'assert/strict', 'buffer', 'crypto', 'events', 'path', 'path/posix', 'path/win32', 'querystring', 'stream',
  'stream/consumers', 'stream/promises', 'stream/web', 'string_decoder', 'timers', 'timers/promises', 'url', 'util',
  'util/types', 'zlib',
];

// Offered while there is egress: all they open goes through the server's proxy.
const NETWORK = ['dns', 'dns/promises', 'http', 'https', 'net', 'tls'];

// Those that the realm makes itself from what a call has: its console, the harmless process, and perf_hooks with its
// performance alone.
const OWN = ['console', 'perf_hooks', 'process'];

// Libraries load these in case they need them; they get stand-ins, of which what reaches out of the process throws.
const STAND_INS = [
  'async_hooks', 'child_process', 'diagnostics_channel', 'fs', 'fs/promises', 'http2', 'os', 'tty', 'worker_threads',
];

const offered = new Set(PLAIN.filter(name => builtinModules.includes(name)));

// openNetwork adds the modules that connect. It must be called once egress is set up.
function openNetwork() {
  NETWORK.filter(name => builtinModules.includes(name)).forEach(name => offered.add(name));
}

// load returns the exports of a module, undefined if functions may not have it.
function load(name) {
  return offered.has(name) ? require(name) : undefined;
}

// namesOf are the names of the functions of a module that the runner has loaded itself.
function namesOf(name) {
  const [module, part] = name.split('.');
  const exported = part ? require(module)[part] : require(module);
  return Object.keys(exported || {}).filter(key => key !== 'promises' && typeof exported[key] === 'function');
}

module.exports = { PLAIN, NETWORK, OWN, STAND_INS, offered, openNetwork, load, namesOf };
