'use strict';

// What of the thread pool, of other threads and of streams of bytes is at work when it has returned.

const { PassThrough } = require('stream');

const ignore = () => {};
const big = Buffer.alloc(1e5);
const ec = { namedCurve: 'P-256' };

// aes starts work with a key: to import it takes no time.
const aes = work => ({ subtle }) => {
  subtle.importKey('raw', new Uint8Array(16), 'AES-GCM', true, ['encrypt', 'decrypt', 'wrapKey', 'unwrapKey']).then(key => work(subtle, key)).catch(ignore);
};
const hmac = work => ({ subtle }) => {
  subtle.importKey('raw', new Uint8Array(16), { name: 'HMAC', hash: 'SHA-256' }, true, ['sign', 'verify']).then(key => work(subtle, key)).catch(ignore);
};
const password = work => ({ subtle }) => {
  subtle.importKey('raw', new Uint8Array(16), 'PBKDF2', false, ['deriveKey', 'deriveBits']).then(key => work(subtle, key)).catch(ignore);
};
const gcm = { name: 'AES-GCM', iv: new Uint8Array(12) };
const pbkdf2 = { name: 'PBKDF2', hash: 'SHA-256', salt: new Uint8Array(16), iterations: 1000 };

const subtle = {
  digest: (m) => { m.subtle.digest('SHA-256', big); },
  generateKey: (m) => { m.subtle.generateKey({ name: 'AES-GCM', length: 128 }, true, ['encrypt']); },
  encrypt: aes((s, key) => s.encrypt(gcm, key, big)),
  decrypt: aes((s, key) => s.decrypt(gcm, key, big)),
  wrapKey: aes((s, key) => s.wrapKey('raw', key, key, gcm)),
  unwrapKey: aes((s, key) => s.unwrapKey('raw', big, key, gcm, 'AES-GCM', true, ['encrypt'])),
  sign: hmac((s, key) => s.sign('HMAC', key, big)),
  verify: hmac((s, key) => s.verify('HMAC', key, new Uint8Array(32), big)),
  deriveBits: password((s, key) => s.deriveBits(pbkdf2, key, 128)),
  deriveKey: password((s, key) => s.deriveKey(pbkdf2, key, { name: 'AES-GCM', length: 128 }, true, ['encrypt'])),
};

const kem = work => (m) => {
  m.subtle.generateKey({ name: 'ML-KEM-512' }, true, ['encapsulateBits', 'decapsulateBits'])
    .then(keys => work(m.subtle, keys)).catch(ignore);
};
for (const name of ['encapsulateBits', 'encapsulateKey', 'decapsulateBits', 'decapsulateKey', 'getPublicKey']) {
  subtle[name] = kem((s, { publicKey, privateKey }) => s[name]({ name: 'ML-KEM-512' }, name.startsWith('e') ? publicKey : privateKey, big));
}

const crypto = {
  pbkdf2: (m) => { m.pbkdf2('a', 'b', 1000, 16, 'sha1', ignore); },
  randomFill: (m) => { m.randomFill(Buffer.alloc(1e5), ignore); },
  randomInt: (m) => { m.randomInt(10, ignore); },
  scrypt: (m) => { m.scrypt('a', 'b', 16, ignore); },
  argon2: (m) => { m.argon2('argon2id', { message: 'a', nonce: Buffer.alloc(16), parallelism: 1, tagLength: 16, memory: 64, passes: 1 }, ignore); },
  checkPrime: (m) => { m.checkPrime(Buffer.from([251]), ignore); },
  generatePrime: (m) => { m.generatePrime(64, ignore); },
  hkdf: (m) => { m.hkdf('sha256', 'a', 'b', 'c', 16, ignore); },
  generateKeyPair: (m) => { m.generateKeyPair('ec', ec, ignore); },
  generateKey: (m) => { m.generateKey('aes', { length: 128 }, ignore); },
};
for (const name of ['randomBytes', 'pseudoRandomBytes', 'prng', 'rng']) crypto[name] = (m) => { m[name](1e5, ignore); };
for (const name of Object.keys(subtle)) crypto[`subtle.${name}`] = subtle[name];

// With a callback these go to the thread pool, in versions that take one.
const pair = (m, type, options) => m.generateKeyPairSync(type, options);
crypto.sign = (m) => { m.sign('sha256', big, pair(m, 'ec', ec).privateKey, ignore); };
crypto.verify = (m) => { m.verify('sha256', big, pair(m, 'ec', ec).publicKey, big, ignore); };
crypto.diffieHellman = (m) => {
  const { privateKey, publicKey } = pair(m, 'x25519');
  if (m.diffieHellman.length > 1) m.diffieHellman({ privateKey, publicKey }, ignore);
  else return null;
};
crypto.encapsulate = (m) => { m.encapsulate(pair(m, 'ml-kem-512').publicKey, ignore); };
crypto.decapsulate = (m) => { const { privateKey, publicKey } = pair(m, 'ml-kem-512'); m.decapsulate(privateKey, m.encapsulate(publicKey).ciphertext, ignore); };

const zlib = {};
for (const kind of ['Deflate', 'Inflate', 'Gzip', 'Gunzip', 'DeflateRaw', 'InflateRaw', 'Unzip', 'BrotliCompress', 'BrotliDecompress', 'ZstdCompress',
  'ZstdDecompress']) {
  const simple = kind[0].toLowerCase() + kind.slice(1);
  zlib[kind] = (m) => { new m[kind]().on('error', ignore).write(big); };
  zlib[`create${kind}`] = (m) => { m[`create${kind}`]().on('error', ignore).write(big); };
  zlib[simple] = (m) => { m[simple](big, ignore); };
}

// piped reads a stream of zlib, which is at work.
const piped = m => (m.createGzip().on('error', ignore));

module.exports = {
  crypto,
  zlib,
  sqlite: { backup: (m) => { m.backup(new m.DatabaseSync(':memory:'), ':memory:').catch(ignore); } },
  stream: {
    pipeline: (m) => { const from = new PassThrough(); m.pipeline(from, piped(require('zlib')), new PassThrough(), ignore); from.end(big); },
    compose: (m) => { const s = m.compose(piped(require('zlib')), new PassThrough()); s.on('error', ignore); s.write(big); },
  },
  'stream/promises': {
    pipeline: (m) => { const from = new PassThrough(); m.pipeline(from, piped(require('zlib')), new PassThrough()).catch(ignore); from.end(big); },
  },
  'stream/web': {
    CompressionStream: (m) => { new m.CompressionStream('gzip').writable.getWriter().write(new Uint8Array(big)); },
    DecompressionStream: (m) => { new m.DecompressionStream('gzip').writable.getWriter().write(new Uint8Array(big)).catch(ignore); },
  },
  vm: { measureMemory: (m) => { m.measureMemory({ execution: 'eager' }); } },
  worker_threads: {
    Worker: (m) => { const w = new m.Worker('', { eval: true }); w.unref(); return () => w.terminate(); },
    MessageChannel: (m) => { const { port1 } = new m.MessageChannel(); return () => port1.close(); },
    MessagePort: (m) => { const { port1, port2 } = new m.MessageChannel(); port1.unref(); return () => port2.close(); },
    BroadcastChannel: (m) => { const c = new m.BroadcastChannel('x'); c.unref(); return () => c.close(); },
    'locks.request': (m) => { let end; m.locks.request('a', () => new Promise((resolve) => { end = resolve; })); return () => end(); },
  },
};
