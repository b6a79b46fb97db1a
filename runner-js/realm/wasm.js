'use strict';

// The event loop does not see the compilation of WebAssembly; counted here, it is work like any other.

const { apply } = Reflect;
const { then } = Promise.prototype;

// watchWasm makes the asynchronous functions of WebAssembly call work(+1), which returns whether there is a call, at
// their start and work(-1) at their end.
function watchWasm(work) {
  if (typeof WebAssembly !== 'object') return;
  const names = ['compile', 'instantiate', 'compileStreaming', 'instantiateStreaming'];
  for (const name of names.filter(known => WebAssembly[known])) {
    const real = WebAssembly[name];
    WebAssembly[name] = { [name](...args) {
      const counted = work(1); // Node.js itself compiles something before the first call
      const over = () => { if (counted) work(-1); };
      const promise = apply(real, this, args);
      apply(then, promise, [over, over]);
      return promise;
    } }[name];
  }
}

module.exports = watchWasm;
