'use strict';

// A monotonic clock: it counts from its start and nobody can set it.

const { hrtime } = process;

// start returns a function that returns the milliseconds since now.
function start() {
  const began = hrtime.call(process);
  return () => {
    const [seconds, nanoseconds] = hrtime.call(process, began);
    return seconds * 1e3 + nanoseconds / 1e6;
  };
}

module.exports = { start };
