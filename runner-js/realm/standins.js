'use strict';

// Stand-ins for modules of Node.js that functions may not have, and that libraries load all the same: for the case that
// a certificate is in a file, that there is a terminal, or that they run in a cluster. What reaches out of the process
// throws.

const { platform, arch } = JSON.parse(host.process);
const { defineProperty, freeze, keys } = Object;

const NAMES = {
  async_hooks: ['AsyncLocalStorage', 'AsyncResource', 'createHook', 'executionAsyncId', 'triggerAsyncId'],
  child_process: ['ChildProcess', 'exec', 'execFile', 'execFileSync', 'execSync', 'fork', 'spawn', 'spawnSync'],
  http2: ['connect', 'createSecureServer', 'createServer', 'Http2ServerRequest', 'Http2ServerResponse'],
  tty: ['ReadStream', 'WriteStream'],
  worker_threads: ['Worker', 'MessageChannel', 'MessagePort', 'BroadcastChannel'],
};

// What a module has that works.
const PARTS = {
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
