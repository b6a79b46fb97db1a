'use strict';

// tooLarge is an error that answers 413.
function tooLarge(message) {
  return Object.assign(new Error(message), { statusCode: 413 });
}

module.exports = tooLarge;
