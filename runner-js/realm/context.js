'use strict';

// What a function gets as Backstage. Its own members are those that there always were; what came later is inherited, and not to be seen in a listing.

const { runner } = host;
const { apply } = Reflect;
const { then } = Promise.prototype;
const { defineProperty, freeze } = Object;

class Context {
  constructor(modules, env) {
    this.modules = modules;
    this.env = env;
    this.config = {};
  }

  // waitUntil lets promise, and what it takes to settle it, go on after the answer. What it is rejected with is an unhandled rejection unless somebody
  // handles it.
  waitUntil(promise) {
    const over = runner.waits();
    apply(then, new Promise(resolve => resolve(promise)), [over, (error) => {
      over();
      throw error;
    }]);
  }
}

defineProperty(Context.prototype, 'constructor', { value: Object }); // it is shown as any object
freeze(Context.prototype); // every call sees it

module.exports = Context;
