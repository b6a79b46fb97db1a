'use strict';

// The headers Cookie and Set-Cookie.

const { decoded } = require('./percent');

const TOKEN = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;
const ATTRIBUTE = /^[\x20-\x3a\x3c-\x7e]*$/; // the value of one: no semicolon, no control character
const SAME_SITE = { strict: 'Strict', lax: 'Lax', none: 'None' };

// parse returns the cookies of the header by name, in an object without a prototype. Of two with the same name the
// first counts: it is the one with the longer path. Values are decoded if they can be.
function parse(header) {
  const cookies = Object.create(null);
  if (typeof header !== 'string') return cookies;
  for (const pair of header.split(';')) {
    const equals = pair.indexOf('=');
    const name = pair.slice(0, equals).trim();
    if (equals > 0 && name !== '' && !(name in cookies)) cookies[name] = valueOf(pair.slice(equals + 1).trim());
  }
  return cookies;
}

function valueOf(text) {
  return decoded(/^"[^]*"$/.test(text) ? text.slice(1, -1) : text);
}

// format is the value of a header Set-Cookie. The options are those of Express: maxAge is in milliseconds.
function format(name, value, options) {
  if (!TOKEN.test(name)) throw new TypeError(`The name of a cookie must be a token ["${String(name)}"]`);
  const { maxAge, domain, path = '/', expires, httpOnly, secure, sameSite, partitioned } = Object(options);
  let text = `${name}=${encodeURIComponent(String(value))}`;
  const add = (attribute, content) => {
    if (!ATTRIBUTE.test(content)) throw new TypeError(`${attribute} of a cookie has a bad value ["${content}"]`);
    text += `; ${attribute}=${content}`;
  };
  const ages = maxAge !== undefined && maxAge !== null;
  if (ages) add('Max-Age', String(seconds(maxAge)));
  if (domain) add('Domain', String(domain));
  if (path) add('Path', String(path));
  const until = expires === undefined && ages ? new Date(Date.now() + Number(maxAge)) : expires;
  if (until) add('Expires', new Date(until).toUTCString());
  if (httpOnly) text += '; HttpOnly';
  if (secure) text += '; Secure';
  if (partitioned) text += '; Partitioned';
  if (sameSite) add('SameSite', siteOf(sameSite));
  return text;
}

function seconds(maxAge) {
  const number = Number(maxAge);
  if (!(Math.abs(number) < 8.64e15)) throw new TypeError('maxAge of a cookie must be a number of milliseconds');
  return Math.floor(number / 1000);
}

function siteOf(sameSite) {
  const site = sameSite === true ? 'Strict' : SAME_SITE[String(sameSite).toLowerCase()];
  if (typeof site !== 'string') throw new TypeError('sameSite of a cookie must be "strict", "lax" or "none"');
  return site;
}

module.exports = { parse, format };
