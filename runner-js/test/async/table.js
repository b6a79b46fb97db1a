'use strict';

// Every global name and every module of Node.js 8, 20, 22 and 24: what of it works on when a function has returned. A name that a later version brings
// fails the test until it stands here.

const words = text => text.trim().split(/\s+/);

// Nothing of these is at work later, but for promises and ticks, which the runner lets end within the call.
const quietGlobals = words(`
  Object Function Array Number parseFloat parseInt Infinity NaN undefined Boolean String Symbol Date Promise RegExp Error AggregateError EvalError
  RangeError ReferenceError SyntaxError TypeError URIError globalThis JSON Math Intl ArrayBuffer Uint8Array Int8Array Uint16Array Int16Array Uint32Array
  Int32Array Float16Array Float32Array Float64Array Uint8ClampedArray BigUint64Array BigInt64Array DataView Map BigInt Set WeakMap WeakSet Proxy Reflect
  WeakRef Iterator SuppressedError DisposableStack AsyncDisposableStack SharedArrayBuffer decodeURI decodeURIComponent encodeURI encodeURIComponent escape
  unescape eval isFinite isNaN console process global GLOBAL root Buffer clearImmediate clearInterval clearTimeout queueMicrotask structuredClone atob btoa
  URL URLSearchParams URLPattern DOMException AbortController Event EventTarget CustomEvent MessageEvent CloseEvent TextEncoder TextDecoder
  ByteLengthQueuingStrategy CountQueuingStrategy Blob File FormData Headers Request Response
  TransformStream TransformStreamDefaultController WritableStream WritableStreamDefaultController WritableStreamDefaultWriter ReadableStream
  ReadableStreamDefaultReader ReadableStreamBYOBReader ReadableStreamBYOBRequest ReadableByteStreamController ReadableStreamDefaultController
  TextEncoderStream TextDecoderStream Performance PerformanceEntry PerformanceMark PerformanceMeasure PerformanceObserverEntryList
  PerformanceResourceTiming performance Navigator navigator Crypto CryptoKey DTRACE_HTTP_CLIENT_REQUEST DTRACE_HTTP_CLIENT_RESPONSE
  DTRACE_HTTP_SERVER_REQUEST DTRACE_HTTP_SERVER_RESPONSE DTRACE_NET_SERVER_CONNECTION DTRACE_NET_STREAM_END
  COUNTER_HTTP_CLIENT_REQUEST COUNTER_HTTP_CLIENT_RESPONSE COUNTER_HTTP_SERVER_REQUEST COUNTER_HTTP_SERVER_RESPONSE COUNTER_NET_SERVER_CONNECTION
  COUNTER_NET_SERVER_CONNECTION_CLOSE`);

// What is taken away, since it calls back at a time of its own choice (deferred.js), and what is counted elsewhere (realm/wasm.js).
const takenGlobals = words('FinalizationRegistry Atomics PerformanceObserver WebAssembly');

// Each leaves work, and returns what ends it where it does not end by itself; null where this version has it not.
const busyGlobals = {
  setTimeout: () => { const t = setTimeout(() => {}, 1e6); return () => clearTimeout(t); },
  setInterval: () => { const t = setInterval(() => {}, 1e6); return () => clearInterval(t); },
  setImmediate: () => { setImmediate(() => {}); },
  AbortSignal: () => { AbortSignal.timeout(1); },
  BroadcastChannel: () => { const c = new BroadcastChannel('x'); c.unref(); return () => c.close(); },
  MessageChannel: () => { const { port1 } = new MessageChannel(); return () => port1.close(); },
  MessagePort: () => { const { port1, port2 } = new MessageChannel(); port1.unref(); return () => port2.close(); },
  CompressionStream: () => { new CompressionStream('gzip').writable.getWriter().write(new Uint8Array(1e5)); },
  DecompressionStream: () => { new DecompressionStream('gzip').writable.getWriter().write(new Uint8Array(1e5)).catch(() => {}); },
  crypto: () => { crypto.subtle.digest('SHA-256', new Uint8Array(1e5)); },
  SubtleCrypto: () => { crypto.subtle.generateKey({ name: 'AES-GCM', length: 128 }, true, ['encrypt']); },
  fetch: () => { fetch('http://127.0.0.1:65431/').catch(() => {}); },
  WebSocket: () => { new WebSocket('ws://127.0.0.1:65431/').onerror = () => {}; },
};

const quietModules = words(`
  assert assert/strict async_hooks buffer console constants diagnostics_channel domain events inspector inspector/promises module os path path/posix path/win32
  punycode process querystring string_decoder sys trace_events url util util/types v8 vm wasi
  stream stream/consumers stream/promises stream/web tty sea sqlite test test/reporters`);

const busyModules = {
  child_process: (m) => { m.execFile(process.execPath, ['-v'], () => {}); },
  cluster: null, // forks like child_process
  crypto: [
    (m) => { m.randomBytes(1e5, () => {}); }, (m) => { m.pbkdf2('a', 'b', 1000, 16, 'sha1', () => {}); },
    m => (m.scrypt ? void m.scrypt('a', 'b', 16, () => {}) : null), m => (m.generateKeyPair ? void m.generateKeyPair('ec', { namedCurve: 'P-256' }, () => {}) : null),
  ],
  dgram: (m) => { const s = m.createSocket('udp4'); s.unref(); return () => s.close(); },
  dns: (m) => { m.lookup('localhost', () => {}); },
  'dns/promises': (m) => { m.lookup('localhost').catch(() => {}); },
  fs: [(m) => { m.readFile(__filename, () => {}); }, (m) => { m.stat('/', () => {}); }, (m) => { const w = m.watch('/', () => {}); w.unref && w.unref(); return () => w.close(); },
    (m) => { m.createReadStream(__filename).resume(); }],
  'fs/promises': (m) => { m.readFile(__filename); },
  http: (m) => { m.get('http://127.0.0.1:65431/').on('error', () => {}); },
  http2: (m) => { m.connect('http://127.0.0.1:65431/').on('error', () => {}); },
  https: (m) => { m.get('https://127.0.0.1:65431/').on('error', () => {}); },
  net: (m) => { const s = m.createServer().listen(0); s.unref(); return () => s.close(); },
  perf_hooks: null, // PerformanceObserver, and a histogram that calls nobody
  readline: null, // reads what a stream gives
  'readline/promises': null,
  repl: null, // reads what a stream gives
  timers: [(m) => { const t = m.setTimeout(() => {}, 1e6).unref(); return () => m.clearTimeout(t); }, (m) => { m.setImmediate(() => {}); },
    (m) => { const i = m.setImmediate(() => {}); if (i.unref) i.unref(); }],
  'timers/promises': [(m) => { m.setTimeout(1, 0, { ref: false }); }, (m) => { m.setImmediate(); }, (m) => { m.scheduler.wait(1); }],
  tls: (m) => { m.connect(1, '127.0.0.1').on('error', () => {}); },
  worker_threads: (m) => { const w = new m.Worker('', { eval: true }); w.unref(); return () => w.terminate(); },
  zlib: [(m) => { m.gzip(Buffer.alloc(1e5), () => {}); }, (m) => { m.createDeflate().write(Buffer.alloc(1e5)); }],
};

module.exports = { quietGlobals, takenGlobals, busyGlobals, quietModules, busyModules };
