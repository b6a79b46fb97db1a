'use strict';

// What waits for its time or its turn, and what hears of things that happen later.

const { PassThrough } = require('stream');
const { createReadStream } = require('fs');
const { createContext } = require('vm');

const ignore = () => {};
const lines = m => m.createInterface({ input: createReadStream(__filename) });

// stopped gives a wait a signal that ends it.
function stopped(wait) {
  const stop = new AbortController();
  wait({ ref: false, signal: stop.signal }).catch(ignore);
  return () => stop.abort();
}

const busy = {
  events: {
    on: (m) => { m.on(createReadStream(__filename), 'data').next(); },
    once: (m) => { m.once(createReadStream(__filename), 'open'); },
  },
  readline: {
    createInterface: (m) => { lines(m); },
    Interface: (m) => { new m.Interface({ input: createReadStream(__filename) }).on('line', ignore); },
    emitKeypressEvents: (m) => {
      const keys = new PassThrough();
      m.emitKeypressEvents(keys, { escapeCodeTimeout: 1 });
      keys.on('keypress', ignore);
      keys.write('\x1b');
    },
  },
  'readline/promises': {
    createInterface: (m) => { lines(m); },
    Interface: (m) => { new m.Interface({ input: createReadStream(__filename) }).on('line', ignore); },
  },
  timers: {
    setTimeout: (m) => { const t = m.setTimeout(ignore, 1e6).unref(); return () => m.clearTimeout(t); },
    setInterval: (m) => { const t = m.setInterval(ignore, 1e6).unref(); return () => m.clearInterval(t); },
    setImmediate: (m) => { const i = m.setImmediate(ignore); if (i.unref) i.unref(); },
    enroll: (m) => { const item = { _onTimeout: ignore }; m.enroll(item, 1e6); m.active(item); return () => m.unenroll(item); },
    active: (m) => { const item = { _onTimeout: ignore }; m.enroll(item, 1e6); m.active(item); return () => m.unenroll(item); },
    _unrefActive: (m) => { const item = { _onTimeout: ignore }; m.enroll(item, 1); m._unrefActive(item); },
  },
  'timers/promises': {
    setTimeout: m => stopped(options => m.setTimeout(1e6, 0, options)),
    setImmediate: (m) => { m.setImmediate(); },
    setInterval: m => stopped(options => m.setInterval(1e6, 0, options).next()),
    'scheduler.wait': m => stopped(options => m.scheduler.wait(1e6, options)),
    'scheduler.yield': (m) => { m.scheduler.yield(); },
  },
};

// What is in force until the worker ends. Each row is asked, and what it left is then forgotten.
const lasting = {
  async_hooks: {
    createHook: (m) => { const h = m.createHook({ init: ignore, before: ignore }).enable(); return () => h.disable(); },
    'AsyncResource.prototype.emitDestroy': (m) => { const h = m.createHook({ destroy: ignore }).enable(); new m.AsyncResource('x').emitDestroy(); return () => h.disable(); },
  },
  diagnostics_channel: {
    subscribe: (m) => { m.subscribe('http.client.request.start', ignore); m.unsubscribe('http.client.request.start', ignore); },
    channel: (m) => { m.channel('x').subscribe(ignore); },
    Channel: (m) => { const c = m.channel('y'); c.subscribe(ignore); c.subscribe(() => {}); },
    tracingChannel: (m) => { m.tracingChannel('z').subscribe({ start: ignore, end: ignore }); },
  },
  inspector: { Session: (m) => { const s = new m.Session(); s.connect(); return () => s.disconnect(); }, open: (m) => { m.open(0); return () => m.close(); } },
  'inspector/promises': { Session: (m) => { const s = new m.Session(); s.connect(); return () => s.disconnect(); } },
  module: { register: (m) => { m.register('data:text/javascript,'); }, registerHooks: (m) => { m.registerHooks({}).deregister(); } },
  perf_hooks: {
    PerformanceObserver: (m) => { const o = new m.PerformanceObserver(ignore); o.observe({ entryTypes: ['mark'] }); return () => o.disconnect(); },
    monitorEventLoopDelay: (m) => { const h = m.monitorEventLoopDelay({ resolution: 1e6 }); h.enable(); return () => h.disable(); },
  },
  domain: {
    create: (m) => { const d = m.create(); d.enter(); return () => d.exit(); },
    createDomain: (m) => { const d = m.createDomain(); d.enter(); return () => d.exit(); },
    Domain: (m) => { const d = new m.Domain(); d.enter(); return () => d.exit(); },
  },
  trace_events: { createTracing: (m) => { m.createTracing({ categories: ['node'] }); } },
  v8: {
    GCProfiler: (m) => { const p = new m.GCProfiler(); p.start(); return () => p.stop(); },
    startCpuProfile: (m) => { const p = m.startCpuProfile(); return () => p.stop(); },
  },
};
// Node.js 8 keeps the handle until memory is collected.
lasting.fs = { watchFile: (m) => { const w = m.watchFile('/nonexistent/x', ignore); if (w.unref) w.unref(); return () => m.unwatchFile('/nonexistent/x'); } };

lasting.worker_threads = {
  moveMessagePortToContext: (m) => { m.moveMessagePortToContext(new m.MessageChannel().port1, createContext()); },
};

// The worker of cluster listens for the process's events, for good.
lasting.cluster = {
  fork: (m) => {
    (m.setupPrimary || m.setupMaster).call(m, { exec: '/nonexistent/x.js', silent: true, execArgv: [] });
    m.fork();
  },
};
for (const name of ['onInit', 'onBefore', 'onAfter', 'onSettled']) lasting.v8[`promiseHooks.${name}`] = m => m.promiseHooks[name](ignore);
lasting.v8['promiseHooks.createHook'] = m => m.promiseHooks.createHook({ init: ignore });

module.exports = { busy, lasting };
