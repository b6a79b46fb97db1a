'use strict';

// A library of promises that runs on immediates and, like Bluebird, has the process emit an event of its own making.

module.exports = {
  reject(reason) {
    setImmediate(() => process.emit('unhandledRejection', reason, {}));
  },
};
