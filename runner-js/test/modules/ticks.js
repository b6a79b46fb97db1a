'use strict';

// Throws where no call of it can catch it.
module.exports = () => process.nextTick(() => { throw new Error('a tick'); });
