'use strict';

// Media types by the short names that res.type takes. Text says its charset.

const TYPES = Object.assign(Object.create(null), {
  html: 'text/html; charset=utf-8',
  htm: 'text/html; charset=utf-8',
  text: 'text/plain; charset=utf-8',
  txt: 'text/plain; charset=utf-8',
  css: 'text/css; charset=utf-8',
  csv: 'text/csv; charset=utf-8',
  md: 'text/markdown; charset=utf-8',
  js: 'text/javascript; charset=utf-8',
  mjs: 'text/javascript; charset=utf-8',
  sse: 'text/event-stream; charset=utf-8',
  xml: 'application/xml; charset=utf-8',
  json: 'application/json; charset=utf-8',
  ndjson: 'application/x-ndjson; charset=utf-8',
  form: 'application/x-www-form-urlencoded',
  bin: 'application/octet-stream',
  pdf: 'application/pdf',
  zip: 'application/zip',
  gz: 'application/gzip',
  wasm: 'application/wasm',
  png: 'image/png',
  jpg: 'image/jpeg',
  jpeg: 'image/jpeg',
  gif: 'image/gif',
  webp: 'image/webp',
  avif: 'image/avif',
  svg: 'image/svg+xml',
  ico: 'image/x-icon',
  mp3: 'audio/mpeg',
  mp4: 'video/mp4',
  woff2: 'font/woff2',
});

// typeOf is the media type of a name such as html or .html, and of what has a slash itself.
function typeOf(name) {
  const text = String(name);
  return text.indexOf('/') >= 0 ? text : TYPES[text.replace(/^\./, '').toLowerCase()] || TYPES.bin;
}

module.exports = typeOf;
