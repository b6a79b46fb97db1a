'use strict';

// What a function gets as Backstage. Its own members are those of the original; newer ones are inherited, so that a
// listing does not show them.

const { runner } = host;
const connections = require('./connections');
const { apply } = Reflect;
const { then } = Promise.prototype;
const { defineProperty, freeze } = Object;

class Context {
  constructor(modules, env) {
    this.modules = modules;
    this.env = env;
    this.config = {};
  }

  // waitUntil lets promise, and the work that it needs to settle, go on after the answer. Its rejection is an unhandled
  // rejection unless somebody handles it.
  waitUntil(promise) {
    const over = runner.waits();
    apply(then, new Promise(resolve => resolve(promise)), [over, (error) => {
      over();
      throw error;
    }]);
  }
}

defineProperty(Context.prototype, 'connections', { value: connections });
defineProperty(Context.prototype, 'constructor', { value: Object }); // it prints as a plain object
freeze(Context.prototype); // all calls share it

module.exports = Context;
