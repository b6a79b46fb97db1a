'use strict';

// What runs code at a time of its own choice, without a timer that could be counted: it might be in another call.

// Never stands in where Node.js itself wants a FinalizationRegistry, as its fetch does. That it calls nobody back is allowed to it.
class Never {
  register() {}
  unregister() { return false; }
}

// withoutDeferral removes it from the built-in objects of a realm.
function withoutDeferral(builtins) {
  if (builtins === global && builtins.FinalizationRegistry) builtins.FinalizationRegistry = Never;
  else delete builtins.FinalizationRegistry;
  if (typeof builtins.Atomics === 'object') delete builtins.Atomics.waitAsync;
  delete builtins.PerformanceObserver; // would hear what later calls do
}

module.exports = withoutDeferral;
