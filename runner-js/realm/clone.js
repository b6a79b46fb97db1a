'use strict';

// structuredClone with results of the function's own realm. What is not plain data, such as a Blob or anything that is
// to be transferred, is cloned by Node.js.

const { apply, ownKeys, getOwnPropertyDescriptor } = Reflect;
const { defineProperty } = Object;
const { isArray } = Array;
const { toString } = Object.prototype;
const { slice } = ArrayBuffer.prototype;
const { isView } = ArrayBuffer;

const TYPED = /^\[object ((?:Big)?(?:Int|Uint|Float)\d+(?:Clamped)?Array)\]$/;
const ERROR = /^(?:Eval|Range|Reference|Syntax|Type|URI)?Error$/;

// cloner returns a structuredClone; outside is that of Node.js.
function cloner(outside) {
  return function structuredClone(value, options) {
    const transfers = options && options.transfer && options.transfer.length > 0;
    if (arguments.length === 0 || transfers) return apply(outside, undefined, arguments);
    return copy(value, new Map(), outside);
  };
}

function copy(value, seen, outside) {
  if (typeof value === 'function' || typeof value === 'symbol') return outside(value); // throws
  if (typeof value !== 'object' || value === null) return value;
  if (seen.has(value)) return seen.get(value);
  const tag = apply(toString, value, []);
  const fill = (made, parts) => {
    seen.set(value, made);
    parts(made);
    return made;
  };
  const again = part => copy(part, seen, outside);
  if (isArray(value)) return fill(new Array(value.length), made => copyKeys(value, made, again));
  if (isView(value) || tag === '[object ArrayBuffer]') return fill(copyBytes(value, tag, again), () => {});
  if (value instanceof Error) return fill(copyError(value, again), () => {});
  switch (tag) {
    case '[object Date]': return fill(new Date(apply(Date.prototype.getTime, value, [])), () => {});
    case '[object RegExp]': return fill(new RegExp(value.source, value.flags), () => {});
    case '[object Map]':
      return fill(new Map(), made => Array.from(value).forEach(([key, item]) => made.set(again(key), again(item))));
    case '[object Set]': return fill(new Set(), made => Array.from(value).forEach(item => made.add(again(item))));
    case '[object Boolean]': case '[object Number]': case '[object String]':
      return fill(Object(value.valueOf()), () => {});
    case '[object Object]': return fill({}, made => copyKeys(value, made, again));
    default: return outside(value);
  }
}

function copyKeys(from, to, again) {
  for (const key of ownKeys(from)) {
    if (typeof key === 'string' && getOwnPropertyDescriptor(from, key).enumerable) {
      defineProperty(to, key, { value: again(from[key]), writable: true, enumerable: true, configurable: true });
    }
  }
}

// copyBytes keeps that several views are of one buffer.
function copyBytes(value, tag, again) {
  if (tag === '[object ArrayBuffer]') return apply(slice, value, [0]);
  const buffer = again(value.buffer);
  const [, name] = TYPED.exec(tag) || [];
  const Type = name ? everything[name] : DataView;
  return new Type(buffer, value.byteOffset, name ? value.length : value.byteLength);
}

function copyError(error, again) {
  const Type = ERROR.test(error.name) ? everything[error.name] : Error;
  const made = new Type(String(error.message));
  const parts = { stack: String(error.stack) };
  if ('cause' in error) parts.cause = again(error.cause);
  for (const key of Object.keys(parts)) {
    defineProperty(made, key, { value: parts[key], writable: true, configurable: true });
  }
  return made;
}

const everything = Function('return this')();

module.exports = cloner;
