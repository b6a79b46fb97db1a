'use strict';

// Every global name and every module of Node.js 8, 18, 20, 22 and 24: what of it works on when a function has returned. A name that a later version brings
// fails the test until it stands here.

const waiting = require('./waiting');

const words = text => text.trim().split(/\s+/);

// Nothing of these is at work later, but for promises and ticks, which the runner lets end within the call.
const quietGlobals = words(`
  Object Function Array Number parseFloat parseInt Infinity NaN undefined Boolean String Symbol Date Promise RegExp Error AggregateError EvalError
  RangeError ReferenceError SyntaxError TypeError URIError globalThis JSON Math Intl ArrayBuffer Uint8Array Int8Array Uint16Array Int16Array Uint32Array
  Int32Array Float16Array Float32Array Float64Array Uint8ClampedArray BigUint64Array BigInt64Array DataView Map BigInt Set WeakMap WeakSet Proxy Reflect
  WeakRef Iterator SuppressedError DisposableStack AsyncDisposableStack SharedArrayBuffer decodeURI decodeURIComponent encodeURI encodeURIComponent escape
  unescape eval isFinite isNaN console process global GLOBAL root Buffer clearImmediate clearInterval clearTimeout queueMicrotask structuredClone atob btoa
  URL URLSearchParams URLPattern DOMException AbortController Event EventTarget CustomEvent MessageEvent CloseEvent ErrorEvent TextEncoder TextDecoder
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
  EventSource: () => { const s = new EventSource('http://127.0.0.1:65431/'); s.onerror = () => {}; return () => s.close(); },
  WebSocket: () => { new WebSocket('ws://127.0.0.1:65431/').onerror = () => {}; },
};

// Of WebAssembly, whose functions realm/wasm.js counts, and of Atomics, which loses waitAsync: what else there is.
const bytes = Buffer.from('0061736d01000000', 'hex');
const streamed = () => Promise.resolve(new Response(bytes, { headers: { 'Content-Type': 'application/wasm' } }));
const busyWasm = {
  compile: w => w.compile(bytes),
  instantiate: w => w.instantiate(bytes),
  compileStreaming: w => w.compileStreaming(streamed()),
  instantiateStreaming: w => w.instantiateStreaming(streamed()),
};
const quietNamespaces = {
  WebAssembly: words('Module Instance Table Memory Global Tag JSTag Exception CompileError LinkError RuntimeError SuspendError Suspending promising validate'),
  Atomics: words('load store add sub and or xor exchange compareExchange isLockFree wait notify wake pause'),
  navigator: words('hardwareConcurrency language languages userAgent platform locks'), // locks is that of worker_threads
};

// The same by modules and their exports, with a dot for what lies deeper.
const busyModules = Object.assign({}, require('./files'), require('./network'), require('./compute'), waiting.busy);

module.exports = {
  quietGlobals, takenGlobals, busyGlobals, busyWasm, quietNamespaces, busyModules, lastingModules: waiting.lasting, quietModules: require('./quiet'),
};
