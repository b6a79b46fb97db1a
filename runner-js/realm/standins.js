'use strict';

// Stand-ins for modules of Node.js that functions may not have, and that libraries load all the same: for the case that
// a certificate is in a file, that there is a terminal, or that they run in a cluster. What reaches out of the process
// throws.

const { platform, arch } = JSON.parse(host.process);
const { create, defineProperty, freeze, keys } = Object;

const NAMES = {
  async_hooks: ['AsyncLocalStorage', 'AsyncResource', 'createHook', 'executionAsyncId', 'triggerAsyncId'],
  child_process: ['ChildProcess', 'exec', 'execFile', 'execFileSync', 'execSync', 'fork', 'spawn', 'spawnSync'],
  diagnostics_channel: [],
  http2: ['connect', 'createSecureServer', 'createServer', 'Http2ServerRequest', 'Http2ServerResponse'],
  tty: ['ReadStream', 'WriteStream'],
  worker_threads: ['Worker', 'MessageChannel', 'MessagePort', 'BroadcastChannel'],
};

// What a module has that works.
const PARTS = {
  async_hooks: () => ({ AsyncResource: resources() }),
  diagnostics_channel: channels,
  fs: () => ({
    constants: {},
    existsSync: () => false,
    promises: refusing('fs.promises', host.web.names('fs.promises'), true),
  }),
  http2: () => ({ constants: {} }),
  os: () => ({
    EOL: '\n',
    arch: () => arch,
    availableParallelism: () => 1,
    constants: { signals: {}, errno: {} },
    cpus: () => [],
    endianness: () => 'LE',
    freemem: () => 0,
    homedir: () => '/tmp',
    hostname: () => 'localhost',
    loadavg: () => [0, 0, 0],
    machine: () => '',
    networkInterfaces: () => ({}),
    platform: () => platform,
    release: () => '',
    tmpdir: () => '/tmp',
    totalmem: () => 0,
    type: () => 'Linux',
    uptime: () => 0,
    userInfo: () => ({ uid: 65534, gid: 65534, username: 'nobody', homedir: '/tmp', shell: null }),
    version: () => '',
  }),
  tty: () => ({ isatty: () => false }),
  worker_threads: () => ({ isMainThread: true, parentPort: null, threadId: 0, workerData: null }),
};

// channels are those of diagnostics, anew for each call: nobody listens to them but its own code, and those of Node.js
// carry nothing here. An error of a listener is its publisher's.
function channels() {
  const made = create(null);
  class Channel {
    constructor(name) {
      this.name = name;
      this.listeners = [];
    }

    get hasSubscribers() { return this.listeners.length > 0; }

    subscribe(listener) { this.listeners = [...this.listeners, listener]; }

    unsubscribe(listener) {
      const before = this.listeners;
      this.listeners = before.filter(other => other !== listener);
      return this.listeners.length < before.length;
    }

    publish(message) {
      for (const listener of this.listeners) listener(message, this.name);
    }

    runStores(message, run, self, ...args) {
      this.publish(message);
      return run.apply(self, args);
    }
  }
  const channel = (name) => {
    if (made[name] === undefined) made[name] = new Channel(name);
    return made[name];
  };
  return {
    Channel,
    channel,
    hasSubscribers: name => channel(name).hasSubscribers,
    subscribe: (name, listener) => channel(name).subscribe(listener),
    unsubscribe: (name, listener) => channel(name).unsubscribe(listener),
    tracingChannel: name => untraced(typeof name === 'object' ? event => name[event]
      : event => channel(`tracing:${name}:${event}`)),
  };
}

// resources makes the class of work that something else calls back for. There is no context to keep for it: nothing in
// a function can set one.
function resources() {
  return class AsyncResource {
    static bind(run, type, self) { return new AsyncResource().bind(run, self); }
    asyncId() { return 0; }
    triggerAsyncId() { return 0; }
    emitDestroy() { return this; }
    runInAsyncScope(run, self, ...args) { return run.apply(self, args); }
    bind(run, self) { return self === undefined ? run : run.bind(self); }
  };
}

// untraced runs what it is given and tells nobody; channelOf(event) is a channel of its own.
function untraced(channelOf) {
  const self = {
    hasSubscribers: false,
    subscribe() {},
    unsubscribe: () => false,
    traceSync: (run, context, at, ...args) => run.apply(at, args),
    tracePromise: (run, context, at, ...args) => run.apply(at, args),
    traceCallback: (run, position, context, at, ...args) => run.apply(at, args),
  };
  for (const event of ['start', 'end', 'asyncStart', 'asyncEnd', 'error']) self[event] = channelOf(event);
  return self;
}

// refusing is an object with functions of these names, all of which throw or, with promises, reject.
function refusing(module, names, promises = false) {
  const made = {};
  for (const name of names) {
    const refused = function refused() { // libraries extend some of them
      const error = new Error(`${module}.${name} is not available in functions`);
      error.code = 'ERR_ACCESS_DENIED';
      if (promises) return Promise.reject(error);
      throw error;
    };
    made[name] = defineProperty(refused, 'name', { value: name });
  }
  return made;
}

// standIn makes that of a module, anew for each call; undefined if there is none.
function standIn(name) {
  if (host.web.standIns.indexOf(name) < 0) return undefined;
  if (name === 'fs/promises') return standIn('fs').promises;
  const made = refusing(name, NAMES[name] || host.web.names(name));
  const parts = PARTS[name] === undefined ? {} : PARTS[name]();
  for (const key of keys(parts)) made[key] = parts[key];
  return made;
}

freeze(NAMES);

module.exports = standIn;
