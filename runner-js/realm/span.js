'use strict';

// What a function gets as Backstage.span: the span of its call, with the methods of an OpenTracing span. If the host
// traces the call, the tags and child spans are sent; otherwise nothing happens.

const { freeze, keys, setPrototypeOf } = Object;
const { apply } = Reflect;
const { stringify } = JSON;
const { slice } = String.prototype;
const { get, set } = WeakMap.prototype;
const { min, max } = Math;
const { now } = Date;

// Same limits as in sandbox/internal/wire/span.go, in bytes.
const MAX_SPANS = 64;
const MAX_TAGS = 16;
const MAX_NAME = 128;
const MAX_KEY = 64;
const MAX_TEXT = 256;

const makeContext = () => freeze({ toTraceId: () => '', toSpanId: () => '' });

const context = makeContext();

class Span {
  context() { return context; }

  tracer() { return tracer; }

  setOperationName() { return this; }

  setBaggageItem() { return this; }

  getBaggageItem() {}

  setTag() { return this; }

  addTags() { return this; }

  log() { return this; }

  logEvent() {}

  finish() {}
}

freeze(Span.prototype); // the next call shares it

const tracer = freeze({
  startSpan: () => new Span(),
  inject() {},
  extract: () => null,
});

const cut = (value, length) => apply(slice, String(value), [0, length]);

// addTag keeps booleans and numbers and turns everything else into text.
function addTag(tags, key, value) {
  const name = cut(key, MAX_KEY);
  const plain = typeof value === 'boolean' || (typeof value === 'number' && value - value === 0);
  const kept = plain ? value : cut(value, MAX_TEXT);
  for (let i = 0; i < tags.length; i++) {
    if (tags[i].name === name) {
      tags[i].value = kept;
      return;
    }
  }
  if (tags.length < MAX_TAGS) tags[tags.length] = { name, value: kept };
}

// Only strings, numbers and booleans reach stringify: an object could have its own toJSON.
function textOf(tags) {
  let text = '';
  for (let i = 0; i < tags.length; i++) {
    text += `${i === 0 ? '' : ','}[${stringify(tags[i].name)},${stringify(tags[i].value)}]`;
  }
  return `[${text}]`;
}

// record returns the span of a traced call, and flush, which sends its tags. send takes the members of a span frame;
// elapsed returns the milliseconds since the call began.
function record(send, elapsed) {
  const numbers = new WeakMap(); // of spans and their contexts
  const base = now() - elapsed();
  let made = 0;

  // moment turns a time that the function gave, in milliseconds since 1970, or now, into one within the call.
  const moment = (time) => {
    const late = elapsed();
    return typeof time === 'number' ? max(0, min(time - base, late)) || 0 : late;
  };

  const recorder = freeze({
    startSpan(name, options) {
      if (made > MAX_SPANS) return new Span();
      const { childOf, startTime, tags } = options || {};
      const parent = (childOf !== null && typeof childOf === 'object' && apply(get, numbers, [childOf])) || 0;
      const { span } = make(parent, name, moment(startTime));
      return tags ? span.addTags(tags) : span;
    },
    inject() {},
    extract: () => null,
  });

  // make creates the next span; the first one, number 0, is that of the call.
  const make = (parent, name, start) => {
    const number = made;
    made += 1;
    const tags = [];
    let operation = cut(name, MAX_NAME);
    let open = number > 0;
    const own = makeContext();
    const span = {
      context: () => own,
      tracer: () => recorder,
      setOperationName(value) { operation = cut(value, MAX_NAME); return span; },
      setTag(key, value) { addTag(tags, key, value); return span; },
      addTags(values) {
        for (const key of keys(values)) addTag(tags, key, values[key]);
        return span;
      },
      finish(time) {
        if (!open) return;
        open = false;
        const duration = max(0, moment(time) - start);
        const timing = `"start":${start},"duration":${duration}`;
        send(`"span":${number},"parent":${parent},"name":${stringify(operation)},${timing},"tags":${textOf(tags)}`);
      },
    };
    apply(set, numbers, [span, number]);
    apply(set, numbers, [own, number]);
    return { span: setPrototypeOf(span, Span.prototype), tags };
  };

  const { span, tags } = make(0, '', 0);
  const flush = () => {
    if (tags.length > 0) send(`"span":0,"tags":${textOf(tags)}`);
  };
  return { span, flush };
}

module.exports = { Span, record };
