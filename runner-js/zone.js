'use strict';

// The time zone that calls see: the server's, or the one that a function's variable TZ names.

const fs = require('fs');
const path = require('path');

const DATA = '/usr/share/zoneinfo'; // also inside a jail: sandbox/internal/worker/zone.go
const NAME = /^[A-Za-z0-9_+-]+(?:\/[A-Za-z0-9_+-]+)*$/;
const NO_ZONE = /^(?:localtime|posixrules|Factory|right\/.*)$/; // same as in internal/config/zone.go
const MAGIC = 'TZif'; // RFC 9636; there are other files among the zones
const POSIX = 'posix/';
const HALF_A_YEAR = 182 * 24 * 3600e3;

const { env } = process;
const { openSync, readSync, closeSync } = fs;
const { apply } = Reflect;
const { exec, test } = RegExp.prototype;
const { DateTimeFormat } = Intl;

// Later versions of Node.js change their zone when TZ is set.
const old = parseInt(process.versions.node, 10) < 13;
const [icu] = process.versions.icu.split('.');
const addon = path.join(__dirname, 'build', 'zone.node');
const { choose: chooseOld } = old && fs.existsSync(addon) ? require(addon) : {};

const servers = env.TZ || '';
let asked = servers; // what the last call asked for
let present = servers; // the zone in force

// set makes a zone that of the process. Without the addon an old Node.js accepts only a zone that is set before its
// first look at the time. ICU knows no zone by its name below posix/.
function set(name) {
  if (chooseOld) chooseOld(name.slice(0, POSIX.length) === POSIX ? name.slice(POSIX.length) : name, icu);
  else env.TZ = name;
  present = name;
}

// isInForce says whether dates are in the zone of that name, as far as now and half a year from now can tell.
function isInForce(name) {
  const hour = new DateTimeFormat('en-US', { timeZone: name, hour: 'numeric', hour12: false });
  return [0, HALF_A_YEAR].every((later) => {
    const date = new Date(Date.now() + later);
    return parseInt(hour.format(date), 10) % 24 === date.getHours();
  });
}

function isThere(name) {
  if (name === 'UTC') return true;
  if (apply(test, NO_ZONE, [name])) return false;
  try {
    return begins(`${DATA}/${name}`) === MAGIC;
  } catch (error) {
    return false; // no such file, or a directory
  }
}

// begins reads the first bytes of a file.
function begins(file) {
  const fd = apply(openSync, fs, [file, 'r']);
  try {
    const bytes = Buffer.alloc(MAGIC.length);
    apply(readSync, fs, [fd, bytes, 0, MAGIC.length, 0]);
    return bytes.latin1Slice(0, MAGIC.length);
  } finally {
    apply(closeSync, fs, [fd]);
  }
}

// choose makes the zone of that name visible from here on; the server's if the name is empty or undefined. It returns
// an error text, once for each change; empty if all is well.
function choose(name) {
  const wanted = name || servers;
  if (wanted === asked) return '';
  asked = wanted;
  const known = wanted === servers || (apply(exec, NAME, [wanted]) !== null && isThere(wanted));
  const next = (known ? wanted : servers) || 'UTC';
  if (next !== (present || 'UTC')) set(next);
  if (!known) {
    return `TZ=${wanted} is not a name of the time zone database, such as America/Sao_Paulo: ` +
      'the zone of the server applies';
  }
  if (!old || chooseOld || isInForce(next)) return '';
  return `TZ=${wanted} comes too late for this worker: Node.js ${process.version} needs zone.node, which make `
    + 'setup builds where there is a C compiler';
}

if (chooseOld && servers !== '') set(servers); // Node.js has done it itself, but Intl does not know every name
delete env.ICU_TIMEZONE_FILES_DIR; // Node.js has read it

module.exports = choose;
