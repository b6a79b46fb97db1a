'use strict';

// What runs code at a time of its own choice, without a timer that could be counted: it might run in another call.

// Never replaces FinalizationRegistry for Node.js itself, whose fetch needs one. The specification allows it never to
// call back.
class Never {
  register() {}
  unregister() { return false; }
}

// withoutDeferral removes these from the built-in objects of a realm.
function withoutDeferral(builtins) {
  if (builtins === global && builtins.FinalizationRegistry) builtins.FinalizationRegistry = Never;
  else delete builtins.FinalizationRegistry;
  if (typeof builtins.Atomics === 'object') delete builtins.Atomics.waitAsync;
  delete builtins.PerformanceObserver; // would observe later calls
}

module.exports = withoutDeferral;
