'use strict';

// Compilation of WebAssembly goes on outside the event loop's sight; counted here, it is work like any other.

const { apply } = Reflect;
const { then } = Promise.prototype;

// watchWasm makes the asynchronous functions of WebAssembly call work(+1) at their start and work(-1) at their end.
function watchWasm(work) {
  if (typeof WebAssembly !== 'object') return;
  for (const name of ['compile', 'instantiate']) {
    const real = WebAssembly[name];
    WebAssembly[name] = { [name](...args) {
      work(1);
      const over = () => work(-1);
      const promise = apply(real, this, args);
      apply(then, promise, [over, over]);
      return promise;
    } }[name];
  }
}

module.exports = watchWasm;
