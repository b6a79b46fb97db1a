'use strict';

// What a function gets as Backstage. Its own members are those of the original; newer ones are inherited, or are no
// enumerable members, so that a listing does not show them.

const { runner } = host;
const connections = require('./connections');
const { apply } = Reflect;
const { then } = Promise.prototype;
const { assign, defineProperty, freeze } = Object;
const { stringify } = JSON;
const { now } = Date;
const { slice } = String.prototype;

const MAX_TEXT = 256; // as in sandbox/internal/wire/limits.go

// The call in progress: what it is called if nobody waits for it, when it began, and its own time limit in
// milliseconds.
let queued;
let begun = 0;
let timeout;
let invocation = null; // what it sees of that, once it has looked

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

// setInvocation begins a call: what is its name among those that nobody waits for, own its time limit, if it has one.
function setInvocation(what, own) {
  queued = what;
  begun = now();
  timeout = own;
  invocation = null;
}

// about is what the call in progress sees as its invocation. Its deadline is in milliseconds since 1970.
function about() {
  if (invocation === null) {
    const lasts = timeout === undefined ? runner.timeout() : timeout;
    invocation = freeze(assign({}, queued, { deadline: begun + lasts }));
  }
  return invocation;
}

defineProperty(Context.prototype, 'connections', { value: connections });
// progress tells how far an asynchronous call is, from 0 to 1. Other calls have nobody to tell.
const progress = freeze((part, text = '') => {
  const share = Number(part);
  if (!(share >= 0 && share <= 1)) throw new RangeError('Progress is a number from 0 to 1');
  if (queued === undefined) return;
  runner.progress(`"part":${share},"text":${stringify(apply(slice, `${text}`, [0, MAX_TEXT]))}`);
});

// inherit has contexts see what get returns as name. A function may have a member of that name of its own.
function inherit(name, get) {
  const accessor = {
    get: freeze(get),
    set: freeze(function set(value) {
      defineProperty(this, name, { value, writable: true, enumerable: true, configurable: true });
    }),
  };
  freeze(accessor.set.prototype);
  defineProperty(Context.prototype, name, accessor);
}

inherit('secrets', () => none);
inherit('progress', () => progress);
inherit('invocation', () => about());
defineProperty(Context.prototype, 'constructor', { value: Object }); // it prints as a plain object
freeze(Context.prototype); // all calls share it

module.exports = { Context, give, setInvocation };
