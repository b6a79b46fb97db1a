'use strict';

// Bytes and text. What is needed of Node.js is taken here, before functions run.

const { Buffer } = host;
const { apply, getOwnPropertyDescriptor, getPrototypeOf } = Reflect;
const { from } = Buffer;
const { base64Slice, utf8Slice, latin1Slice, ucs2Slice, slice, indexOf } = Buffer.prototype;
const { isView } = ArrayBuffer;
const { toString } = Object.prototype;
const lengthIn = getOwnPropertyDescriptor(getPrototypeOf(Uint8Array.prototype), 'byteLength').get;

// The names of encodings that are read, as the header Content-Type has them.
const ENCODINGS = Object.assign(Object.create(null), {
  'utf-8': utf8Slice, utf8: utf8Slice, 'us-ascii': utf8Slice, ascii: utf8Slice,
  'iso-8859-1': latin1Slice, latin1: latin1Slice, 'utf-16le': ucs2Slice,
});

// sizeOf is the number of bytes of value if it is a Buffer or another typed array, of whatever realm; else -1.
function sizeOf(value) {
  if (!isView(value)) return -1;
  try {
    return apply(lengthIn, value, []);
  } catch (error) {
    return -1; // a DataView
  }
}

// bytesOf is what an answer's text or bytes are: a typed array. Nothing is no bytes.
function bytesOf(value) {
  if (typeof value === 'string') return ofText(value);
  if (value === undefined || value === null) return new Uint8Array(0);
  if (sizeOf(value) >= 0) return value;
  if (apply(toString, value, []) === '[object ArrayBuffer]') return new Uint8Array(value);
  throw new TypeError('res.end and res.write take text, a Buffer or another typed array; res.end takes a stream too');
}

// base64 is the bytes of a typed array from start to end, as text.
function base64(bytes, start, end) {
  return apply(base64Slice, bytes, [start, end]);
}

// ofBase64 and ofText return a new Buffer.
function ofBase64(text) {
  return apply(from, Buffer, [text, 'base64']);
}

function ofText(text) {
  return apply(from, Buffer, [text, 'utf8']);
}

// part is the bytes of a Buffer from start to end, in the same memory.
function part(buffer, start, end) {
  return apply(slice, buffer, [start, end]);
}

// find is where wanted, a Buffer, begins in buffer at start or later; -1 if it does not.
function find(buffer, wanted, start) {
  return apply(indexOf, buffer, [wanted, start]);
}

// decoderOf is what decodes that charset; undefined if it is not known.
function decoderOf(charset) {
  return ENCODINGS[charset.toLowerCase()];
}

// textOf is buffer as text, without a byte order mark. decoder is for UTF-8 unless it is given.
function textOf(buffer, decoder = utf8Slice) {
  const text = apply(decoder, buffer, [0, apply(lengthIn, buffer, [])]);
  return decoder !== latin1Slice && text.charCodeAt(0) === 0xFEFF ? text.slice(1) : text;
}

// bytewise is buffer as text with one character per byte.
function bytewise(buffer) {
  return textOf(buffer, latin1Slice);
}

// ofBytewise undoes bytewise.
function ofBytewise(text) {
  return apply(from, Buffer, [text, 'latin1']);
}

module.exports = { bytesOf, sizeOf, base64, ofBase64, ofText, part, find, decoderOf, textOf, bytewise, ofBytewise };
