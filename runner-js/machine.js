'use strict';

// What the module os says about the machine, its users and its network. A worker sees none of them, and Node.js would
// throw.

const os = require('os');

const HOME = '/tmp';
const NOBODY = 65534;

const ANSWERS = {
  cpus: () => [{ model: '', speed: 0, times: { user: 0, nice: 0, sys: 0, idle: 0, irq: 0 } }],
  homedir: () => HOME,
  networkInterfaces: () => ({}),
  getNetworkInterfaces: () => ({}), // also its name in Node.js 8
  userInfo(options) {
    const text = options && options.encoding === 'buffer' ? value => Buffer.from(value) : value => value;
    return { uid: NOBODY, gid: NOBODY, username: text('nobody'), homedir: text(HOME), shell: null };
  },
};

// hide must be called before modules are loaded, which may keep the functions.
function hide() {
  for (const name of Object.keys(ANSWERS).filter(known => os[known])) os[name] = ANSWERS[name];
}

module.exports = hide;
