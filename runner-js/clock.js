'use strict';

// A clock that nothing sets: it counts from when it is started.

const { hrtime } = process;

// start returns a function that tells the milliseconds since now.
function start() {
  const began = hrtime.call(process);
  return () => {
    const [seconds, nanoseconds] = hrtime.call(process, began);
    return seconds * 1e3 + nanoseconds / 1e6;
  };
}

module.exports = { start };
