'use strict';

// What an attacker has who is out of the language: `process` as it was at the start, every module of Node.js, and native code.

const native = require('./attack.node');

for (const name of ['child_process', 'cluster', 'crypto', 'dgram', 'dns', 'fs', 'http', 'https', 'net', 'os', 'tls', 'util', 'vm', 'v8', 'zlib']) {
  require(name); // what is loaded later misses the parts of process that are taken away
}

// The runner leads what modules write to the descriptors of the streams to the function's output; an attacker writes to the pipes themselves.
const fs = require('fs');
const { writeSync } = fs;
fs.writeSync = (fd, data, ...rest) => {
  if (fd > 2) return writeSync(fd, data, ...rest);
  const bytes = Buffer.from(data);
  for (let sent = 0; sent < bytes.length;) sent += Math.max(native.call(1, fd, bytes.slice(sent), bytes.length - sent), 0); // write(2)
  return bytes.length;
};

const powers = {};
for (const name of ['binding', 'dlopen', 'exit', 'reallyExit', 'abort', 'setuid', 'setgid', 'setgroups', 'chdir', '_debugProcess']) {
  powers[name] = process[name].bind(process);
}

// tell returns what attempt does, as one word or value: the code or the text of its error when it throws, the kernel's code where it has one.
function tell(attempt) {
  try {
    return attempt();
  } catch (e) {
    return (e.info && e.info.code) || e.code || String(e);
  }
}

module.exports = { main: process.mainModule.filename, process, require, global, native, powers, tell };
