'use strict';

// What a function gets as Backstage. Its own members are those of the original; newer ones are inherited, or are no
// enumerable members, so that a listing does not show them.

const { runner } = host;
const connections = require('./connections');
const { apply } = Reflect;
const { then } = Promise.prototype;
const { defineProperty, freeze } = Object;
const { stringify } = JSON;
const { slice } = String.prototype;

const MAX_TEXT = 256; // as in sandbox/internal/wire/limits.go

let queued = false; // nobody waits for the call in progress

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

// setInvocation has context know of the call that begins: what is its invocation, undefined where somebody waits.
function setInvocation(context, what) {
  const was = queued;
  queued = what !== undefined;
  if (queued) {
    defineProperty(context, 'invocation', { value: freeze(what), configurable: true, writable: true });
  } else if (was) {
    delete context.invocation;
  }
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

// progress tells how far an asynchronous call is, from 0 to 1. Other calls have nobody to tell.
const progress = freeze((part, text = '') => {
  const share = Number(part);
  if (!(share >= 0 && share <= 1)) throw new RangeError('Progress is a number from 0 to 1');
  if (!queued) return;
  runner.progress(`"part":${share},"text":${stringify(apply(slice, `${text}`, [0, MAX_TEXT]))}`);
});

// A function may have a member of that name of its own.
const told = {
  get: freeze(() => progress),
  set: freeze(function set(value) {
    defineProperty(this, 'progress', { value, writable: true, enumerable: true, configurable: true });
  }),
};
freeze(told.set.prototype);
defineProperty(Context.prototype, 'progress', told);
defineProperty(Context.prototype, 'constructor', { value: Object }); // it prints as a plain object
freeze(Context.prototype); // all calls share it

module.exports = { Context, give, setInvocation };
