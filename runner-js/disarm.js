'use strict';

// Takes from `process` what a function that has got hold of it could read or break with. Node.js itself and the modules go on with
// what is named here; a name that a later version adds is not, and goes.

const { builtinModules } = require('module');

const KEPT = new Set([
  // What modules ask for, and what is true of every worker.
  'version', 'versions', 'arch', 'platform', 'release', 'features', 'pid', 'ppid', 'title', 'argv', 'execArgv', 'execPath', 'env', 'config',
  'browser', 'cwd', 'uptime', 'hrtime', 'nextTick', 'exitCode',
  // What Node.js looks up at run time: warnings, uncaught errors, the queue of ticks, events.
  'emitWarning', 'noDeprecation', 'throwDeprecation', 'traceDeprecation', 'domain', 'allowedNodeEnvironmentFlags', 'moduleLoadList',
  '_fatalException', '_tickCallback', '_tickDomainCallback', '_exiting', '_events', '_eventsCount', '_maxListeners',
  '_immediateCallback', '_needImmediateCallback', 'emit',
]);

// What modules and Node.js itself load only when they are first used, which is too late then: some put back what was taken away.
const LAZY = ['dns', 'string_decoder', 'timers', 'tls', 'url', 'util', 'worker_threads', 'zlib'].filter(name => builtinModules.includes(name));

// disarm must be called when all modules are loaded.
function disarm() {
  LAZY.forEach(name => require(name));
  for (const object of [process, Object.getPrototypeOf(process)]) {
    for (const name of Object.getOwnPropertyNames(object)) {
      if (!KEPT.has(name) && name !== 'constructor') Reflect.deleteProperty(object, name); // argv0 stays
    }
  }
}

disarm.kept = KEPT;

module.exports = disarm;
