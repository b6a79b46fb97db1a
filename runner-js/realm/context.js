'use strict';

// What a function gets as Backstage. Its own members are those of the original; newer ones are inherited, or are no
// enumerable members, so that a listing does not show them.

const { runner } = host;
const connections = require('./connections');
const { apply } = Reflect;
const { then } = Promise.prototype;
const { defineProperty, freeze } = Object;

const none = freeze({});

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

// give makes secrets, of a frame, those of the call that context is of; undefined stands for none.
function give(context, secrets) {
  const value = secrets === undefined ? none : freeze(secrets);
  defineProperty(context, 'secrets', { value, writable: false, enumerable: false, configurable: true });
}

defineProperty(Context.prototype, 'connections', { value: connections });
// A function without secrets may have a member of that name of its own.
const placeholder = {
  get: freeze(() => none),
  set: freeze(function set(value) {
    defineProperty(this, 'secrets', { value, writable: true, enumerable: true, configurable: true });
  }),
};
freeze(placeholder.set.prototype);
defineProperty(Context.prototype, 'secrets', placeholder);
defineProperty(Context.prototype, 'constructor', { value: Object }); // it prints as a plain object
freeze(Context.prototype); // all calls share it

module.exports = { Context, give };
