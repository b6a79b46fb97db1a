'use strict';

// Removes from `process` what a function that has got hold of it could read or break. Node.js itself and the modules
// need the names below. Names that a later version adds are not listed and are removed.

const { builtinModules } = require('module');

const KEPT = new Set([
  // What modules read, and what is true for every worker.
  'version', 'versions', 'arch', 'platform', 'release', 'features', 'pid', 'ppid', 'title', 'argv', 'execArgv',
  'execPath', 'env', 'config', 'browser', 'cwd', 'uptime', 'hrtime', 'nextTick', 'exitCode',
  // What Node.js looks up at run time: warnings, uncaught errors, the tick queue, events.
  'emitWarning', 'noDeprecation', 'throwDeprecation', 'traceDeprecation', 'domain', 'allowedNodeEnvironmentFlags',
  'moduleLoadList', '_fatalException', '_tickCallback', '_tickDomainCallback', '_exiting', '_events', '_eventsCount',
  '_maxListeners', '_immediateCallback', '_needImmediateCallback', 'emit',
]);

// What modules and Node.js itself load only on first use, which would be too late: some of it restores what was
// removed.
const LAZY = ['dns', 'string_decoder', 'timers', 'tls', 'url', 'util', 'worker_threads', 'zlib']
  .filter(name => builtinModules.includes(name));

// trimProcess must be called after all modules are loaded.
function trimProcess() {
  LAZY.forEach(name => require(name));
  for (const object of [process, Object.getPrototypeOf(process)]) {
    for (const name of Object.getOwnPropertyNames(object)) {
      if (!KEPT.has(name) && name !== 'constructor') Reflect.deleteProperty(object, name); // argv0 cannot be deleted
    }
  }
}

trimProcess.kept = KEPT;

module.exports = trimProcess;
