'use strict';

// An emitter of events as Node.js has it, made of objects of the function's own realm.

const { apply, ownKeys } = Reflect;
const { assign, create } = Object;

// emitting gives self the methods of an emitter, and returns it.
function emitting(self) {
  const entries = create(null); // lists by the names of events; a list is never changed
  const of = name => entries[name] || [];
  const listenersOf = name => of(name).map(({ listener }) => listener);

  function set(name, list) {
    if (list.length > 0) entries[name] = list;
    else delete entries[name];
    return self;
  }

  function add(name, entry, first) {
    if (typeof entry.listener !== 'function') {
      throw new TypeError('The "listener" argument must be of type function');
    }
    return set(name, first ? [entry].concat(of(name)) : of(name).concat(entry));
  }

  function remove(name, isIt) {
    const list = of(name);
    for (let i = list.length - 1; i >= 0; i--) {
      if (isIt(list[i])) return set(name, list.slice(0, i).concat(list.slice(i + 1)));
    }
    return self;
  }

  function emit(name, ...args) {
    const list = of(name);
    if (list.length === 0 && name === 'error') throw unhandled(args[0]);
    for (let i = 0; i < list.length; i++) {
      const entry = list[i];
      if (entry.once) {
        if (entry.over) continue;
        entry.over = true;
        remove(name, other => other === entry);
      }
      apply(entry.listener, self, args);
    }
    return list.length > 0;
  }

  const on = (name, listener) => add(name, { listener }, false);
  const off = (name, listener) => remove(name, entry => entry.listener === listener);
  let most = 10;
  return assign(self, {
    on,
    addListener: on,
    prependListener: (name, listener) => add(name, { listener }, true),
    once: (name, listener) => add(name, { listener, once: true, over: false }, false),
    prependOnceListener: (name, listener) => add(name, { listener, once: true, over: false }, true),
    off,
    removeListener: off,
    removeAllListeners(...names) {
      for (const name of names.length > 0 ? names : ownKeys(entries)) delete entries[name];
      return self;
    },
    emit,
    listeners: listenersOf,
    rawListeners: listenersOf,
    listenerCount: name => of(name).length,
    eventNames: () => ownKeys(entries),
    setMaxListeners(count) { most = count; return self; },
    getMaxListeners: () => most,
  });
}

function unhandled(error) {
  return error instanceof Error ? error : new Error(`Unhandled error. (${error})`);
}

module.exports = emitting;
