'use strict';

// Lookups of names: what Node.js asks a resolver, the system's or its own, goes to the server's proxy. The functions of
// Node.js stay: they check arguments, make errors and fill in answers as usual.

const net = require('net');
const { cares } = require('../internals');
const { ask } = require('./proxy');

const { nextTick } = process;
const { parse } = JSON;
const { apply } = Reflect;

// The queries of a channel, and the record types that they ask for.
const QUERIES = {
  queryA: 'A', queryAaaa: 'AAAA', queryAny: 'ANY', queryCaa: 'CAA', queryCname: 'CNAME', queryMx: 'MX',
  queryNaptr: 'NAPTR', queryNs: 'NS', queryPtr: 'PTR', querySoa: 'SOA', querySrv: 'SRV', queryTlsa: 'TLSA',
  queryTxt: 'TXT',
};

// The records that carry their type since Node.js 24, although it was asked for.
const TYPED = parseInt(process.versions.node, 10) < 24 ? {} : { queryCaa: 'CAA', queryMx: 'MX', querySrv: 'SRV' };

// libuv's numbers for errors of getaddrinfo, and for a bad argument.
const NUMBERS = { ENOTFOUND: -3008, EAI_AGAIN: -3001 };
const EINVAL = -22;

const V4MAPPED = cares.AI_V4MAPPED;
const IPV4_FIRST = 1; // one of the orders of newer versions
const IPV6_FIRST = 2;
const old = cares.DNS_ORDER_VERBATIM === undefined; // the order is a boolean: verbatim

// SERVICES are the names of ports for getnameinfo; other ports stay numbers.
const SERVICES = {
  21: 'ftp', 22: 'ssh', 25: 'smtp', 53: 'domain', 80: 'http', 110: 'pop3', 143: 'imap2', 443: 'https', 993: 'imaps',
};

// install replaces the native queries. path is that of the proxy's socket.
function install(path) {
  cares.getaddrinfo = (request, name, family, hints, order) => {
    query(path, 'LOOKUP ', name, (code, found) => {
      const addresses = code ? [] : ordered(ofFamily(found, family, hints), order);
      if (!code && addresses.length > 0) request.oncomplete(null, addresses);
      else complain(request, code || 'ENOTFOUND', found);
    });
    return 0;
  };
  cares.getnameinfo = (request, address, port) => {
    query(path, 'RESOLVE PTR/', reverse(address), (code, found) => {
      if (code) complain(request, code === 'ENODATA' ? 'ENOTFOUND' : code, found);
      else request.oncomplete(null, found[0], SERVICES[port] || String(port));
    });
    return 0;
  };
  installChannel(path, cares.ChannelWrap.prototype);
}

// complain fails a request of getaddrinfo or getnameinfo, which know few codes. reason is why the policy refused it.
function complain(request, code, reason) {
  giveReason(request, reason);
  request.oncomplete(NUMBERS[code] || (code === 'EGRESS_DENIED' ? code : NUMBERS.EAI_AGAIN));
}

// giveReason has the error that Node.js makes for request carry a reason, if there is one.
function giveReason(request, reason) {
  if (reason === undefined) return;
  for (const name of ['callback', 'reject']) { // reject is that of dns/promises
    const tell = request[name];
    if (typeof tell === 'function') {
      request[name] = function tellWithReason(error, ...rest) {
        return apply(tell, this, [error ? Object.assign(error, { reason }) : error, ...rest]);
      };
    }
  }
}

function ofFamily(found, family, hints) {
  if (family !== 4 && family !== 6) return found;
  const some = found.filter(address => net.isIP(address) === family);
  if (family === 6 && some.length === 0 && hints & V4MAPPED) return found.map(address => `::ffff:${address}`);
  return some;
}

function ordered(addresses, order) {
  const first = { [IPV4_FIRST]: 4, [IPV6_FIRST]: 6 }[old ? Number(!order) : order];
  if (first === undefined) return addresses;
  const isFirst = address => net.isIP(address) === first;
  return addresses.filter(isFirst).concat(addresses.filter(address => !isFirst(address)));
}

// installChannel replaces the queries of channels; each Resolver has one channel.
function installChannel(path, channel) {
  const { cancel } = channel;
  const asked = new WeakMap(); // the open queries of each channel: functions that cancel them
  const begin = (owner, request, line, name, shape) => {
    if (!asked.has(owner)) asked.set(owner, new Set());
    const waiting = asked.get(owner);
    const stop = query(path, line, name, (code, found) => {
      waiting.delete(end);
      if (code) giveReason(request, found);
      if (code) request.oncomplete(code);
      else shape(found);
    });
    function end() {
      waiting.delete(end);
      stop();
      nextTick(() => request.oncomplete('ECANCELLED'));
    }
    waiting.add(end);
    return 0;
  };
  for (const name of Object.keys(QUERIES).filter(key => channel[key])) {
    channel[name] = function queryThroughProxy(request, host) {
      return begin(this, request, `RESOLVE ${QUERIES[name]}/`, host, found => fill(name, request, found));
    };
  }
  channel.getHostByAddr = function reverseThroughProxy(request, address) {
    if (net.isIP(address) === 0) return EINVAL;
    return begin(this, request, 'RESOLVE PTR/', reverse(address), found => request.oncomplete(null, found));
  };
  channel.cancel = function cancelThroughProxy() {
    (asked.get(this) || []).forEach(end => end());
    return apply(cancel, this, []);
  };
}

// fill gives request the result as the native half of Node.js would.
function fill(name, request, found) {
  if (name === 'queryA' || name === 'queryAaaa') {
    request.oncomplete(null, found.addresses, found.ttls);
    return;
  }
  if (Array.isArray(found)) {
    for (const record of found) {
      if (name === 'queryTlsa' || (name === 'queryAny' && record.type === 'TLSA')) record.data = bytes(record.data);
      if (TYPED[name]) record.type = TYPED[name];
    }
  }
  request.oncomplete(null, found);
}

// bytes is the certificate of a TLSA record in the form of Node.js.
function bytes(hex) {
  return new Uint8Array(Buffer.from(hex, 'hex')).buffer;
}

// query asks the proxy for a name. done(code, found) is called once, unless the returned function is called first. With
// a code, found is the reason why the policy refuses the name, if it does.
function query(path, line, name, done) {
  if (name === '' || name.length > 1000 || /[\0-\x20\x7f]/.test(name)) { // no name, and nothing to put into a line
    let over = false;
    nextTick(() => over || done(line === 'LOOKUP ' ? 'ENOTFOUND' : 'EBADNAME'));
    return () => { over = true; };
  }
  return ask(path, `${line}${name}\n`, (answer) => {
    const [status, code, reason] = answer.split(' ', 3);
    if (status === '200') done(null, parse(answer.slice(4)));
    else if (status === '403') done(code, reason);
    else done(code || 'ECONNREFUSED');
  });
}

// reverse is the name for reverse lookups of an address.
function reverse(address) {
  const [text] = address.split('%');
  if (net.isIP(text) === 4) return `${text.split('.').reverse().join('.')}.in-addr.arpa`;
  return `${digits(text).split('').reverse().join('.')}.ip6.arpa`;
}

// digits writes an IPv6 address in full.
function digits(text) {
  const four = text.slice(text.lastIndexOf(':') + 1);
  const inHex = byte => Number(byte).toString(16).padStart(2, '0');
  const hex = net.isIP(four) === 4
    ? text.slice(0, -four.length) + four.split('.').map(inHex).join('').replace(/^.{4}/, '$&:')
    : text;
  const [before, after] = hex.split('::').map(half => half.split(':').filter(group => group !== ''));
  const missing = 8 - before.length - (after || []).length;
  return before.concat(Array(after ? missing : 0).fill('0'), after || []).map(group => group.padStart(4, '0')).join('');
}

module.exports = { install };
