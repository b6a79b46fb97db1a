'use strict';

// The names that functions with "globals":"web" find beside those of the contract: the one table that the realm
// installs, the tests run through and docs/globals.md shows.

const { Instance, Module } = WebAssembly;
const version = parseInt(process.versions.node, 10);

// Origins: 'realm' is made in the function's own realm, anew for each call; 'node' is the object of Node.js itself.
const ALONE = 'its worker serves no other call';

// old is the module that has the names on Node.js 8, where they are no globals: 'own' for what the realm makes itself,
// undefined for what is not offered there. Everything is offered on Node.js 18 and later.
const TABLE = [
  { names: ['URL', 'URLSearchParams'], origin: 'node', old: 'url', safe: ALONE },
  { names: ['TextEncoder', 'TextDecoder'], origin: 'node', old: 'util', safe: ALONE },
  { names: ['Headers', 'Request', 'Response', 'FormData'], origin: 'node', safe: ALONE },
  { names: ['Blob', 'File'], origin: 'node', module: 'buffer', safe: ALONE },
  {
    names: ['fetch'],
    origin: 'node',
    safe: `the [egress](egress.md) of the call; ${ALONE}; offered with \`classic\`, too`,
  },
  {
    names: [
      'ReadableStream', 'ReadableStreamDefaultReader', 'ReadableStreamBYOBReader', 'WritableStream',
      'WritableStreamDefaultWriter', 'TransformStream', 'ByteLengthQueuingStrategy', 'CountQueuingStrategy',
      'TextEncoderStream', 'TextDecoderStream', 'CompressionStream', 'DecompressionStream',
    ],
    origin: 'node',
    safe: `${ALONE}; what still compresses at the answer is work that is left`,
  },
  {
    names: ['AbortController', 'AbortSignal', 'Event', 'EventTarget', 'DOMException'],
    origin: 'node',
    safe: `${ALONE}; a timeout of an AbortSignal is a timer that is left`,
  },
  {
    names: ['crypto', 'Crypto', 'CryptoKey', 'SubtleCrypto'],
    origin: 'node',
    module: 'crypto',
    safe: `${ALONE}; a job of WebCrypto is work that is left; forks draw different random numbers`,
  },
  { names: ['atob', 'btoa'], origin: 'node', safe: ALONE },
  {
    names: ['structuredClone'],
    origin: 'realm',
    safe: `copies are objects of the realm; if Node.js refuses or makes one, ${ALONE}`,
  },
  {
    names: ['performance'],
    origin: 'realm',
    old: 'own',
    safe: '`now` and `timeOrigin` of the call, no marks and observers',
  },
  { names: ['queueMicrotask'], origin: 'realm', old: 'own', safe: 'an error in it fails the call' },
  {
    names: ['setImmediate', 'clearImmediate', 'clearInterval'],
    origin: 'realm',
    old: 'own',
    safe: 'counted like timers',
  },
  {
    names: ['process'],
    origin: 'realm',
    old: 'own',
    safe: 'an object of the call; nothing of the real process is reachable from it',
  },
  {
    names: ['global', 'globalThis'],
    origin: 'realm',
    old: 'own',
    safe: 'the global object of the realm; what a call adds to it is gone with the call',
  },
  { names: ['navigator'], origin: 'realm', safe: '`userAgent` alone' },
  { names: ['FinalizationRegistry'], origin: 'realm', safe: 'never calls back, which the language allows' },
  { names: ['MessagePort'], origin: 'realm', safe: 'a class without objects, which libraries compare with' },
];

// NEVER are names of newer versions that stay absent: they share memory, wait, or reach other threads.
const NEVER = [
  'WebSocket', 'EventSource', 'MessageChannel', 'BroadcastChannel', 'Worker', 'PerformanceObserver',
  'Storage', 'localStorage', 'sessionStorage', '__dirname', '__filename', 'GLOBAL', 'root', 'host',
];

// Where fetch keeps its agent, by versions of Node.js. The names are there from the start: loading it adds none.
if (version >= 18) {
  for (const key of ['undici.globalDispatcher.1', 'undici.globalDispatcher.2'].map(name => Symbol.for(name))) {
    if (!(key in global)) Object.defineProperty(global, key, { value: undefined, writable: true, configurable: true });
  }
}

// offered are the rows for this version.
const offered = version < 18 ? TABLE.filter(({ old }) => old) : TABLE;
const rows = new Map();
for (const row of offered) row.names.forEach(name => rows.set(name, row));

// value is the object of Node.js behind a name of origin node other than fetch, which egress.js has; undefined if this
// version has none. Node.js loads some of them when they are first read.
function value(name) {
  const { old, module } = rows.get(name);
  if (version < 18) return require(old)[name];
  if (name in global) return withoutCounting(() => global[name]);
  const exported = module ? require(module) : {};
  return exported.webcrypto ? ofWebCrypto(name, exported.webcrypto) : exported[name];
}

// ofWebCrypto is a name of WebCrypto for Node.js 18, which has none of them as globals.
function ofWebCrypto(name, crypto) {
  const { constructor, CryptoKey, subtle } = crypto;
  return { crypto, Crypto: constructor, CryptoKey, SubtleCrypto: subtle.constructor }[name];
}

// withoutCounting keeps the WebAssembly that Node.js compiles for its fetch from counting as work of the call: it is
// compiled at once.
function withoutCounting(read) {
  const { WebAssembly } = global;
  const { compile, instantiate } = WebAssembly;
  const start = (module, imports) => {
    WebAssembly.instantiate = instantiate;
    return Promise.resolve(new Instance(module, imports));
  };
  WebAssembly.compile = (bytes) => {
    WebAssembly.instantiate = start; // Node.js calls it right after
    return Promise.resolve(new Module(bytes));
  };
  try {
    return read();
  } finally {
    WebAssembly.compile = compile;
  }
}

module.exports = { TABLE, NEVER, offered, value };
