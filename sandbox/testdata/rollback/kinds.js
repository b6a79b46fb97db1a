// A function that does what real ones do, and leaves what they may leave: one kind of call for each name in the body.
const _ = require('lodash');
const uuid = require('uuid');
const async = require('async');
const crypto = require('crypto');
const fs = require('fs');
const zlib = require('zlib');

const G = Function('return this')();
const LETTERS = 'abcdefghijklmnopqrstuvwxyz';

function fib(n) { return n < 2 ? n : fib(n - 1) + fib(n - 2); }
function leave(object, name, value) { try { object[name] = value; } catch (e) { /* it is frozen */ } }

const kinds = {
  nothing: () => 'ok',
  // what earlier calls have left, which is nothing
  look: () => [G.n, ({}).polluted, [].extra, _.leak, async.leak, uuid.leak, Buffer.leak, G.late, typeof G.secret,
    Object.keys(_).length > 100, 'x'.leak, G.list && G.list.length, (() => {}).leak, _.templateSettings.leak,
    new Error('x').leak, Object.keys(require.cache || {}).length, fs.existsSync('/tmp/left')],
  set: (b) => {
    G.n = (G.n || 0) + 1; G.secret = b.secret; G.list = [b.secret, `${b.secret}x`];
    Object.defineProperty(Object.prototype, 'polluted', { value: b.secret, configurable: true });
    [].constructor.prototype.extra = b.secret;
    [_, async, uuid, _.templateSettings, Buffer, Error.prototype].forEach(o => leave(o, 'leak', b.secret));
    String.prototype.leak = b.secret; Function.prototype.leak = b.secret;
    return G.n;
  },
  timer: (b) => {
    setTimeout(() => { G.late = b.secret; }, 1); _.debounce(() => { G.late = 2; }, 1)();
    Promise.resolve().then(() => { G.p = 1; });
    return 'armed';
  },
  interval: (b) => { setInterval(() => { G.late = b.secret; }, 1000); return 'armed'; },
  late: (b, res) => { setTimeout(() => { res.send({ r: 'late' }); }, 2); },
  promise: () => new Promise((resolve) => { setTimeout(resolve, 1); }).then(() => 'resolved'),
  pending: () => { new Promise(() => {}).then(() => 1); return 'never'; },
  secret: (b) => {
    const keep = [];
    for (let i = 0; i < 300; i++) keep.push(Buffer.from(b.secret + i), `${b.secret}-${i}`, { [`k${b.secret}`]: i });
    const t = new Uint8Array(100000);
    for (let i = 0; i < b.secret.length; i++) t[5000 + i] = b.secret.charCodeAt(i);
    keep.push(t, Buffer.alloc(300000, b.secret)); G.keep = keep;
    return keep.length;
  },
  garbage: () => {
    let x = [];
    for (let r = 0; r < 40; r++) { x = []; for (let i = 0; i < 5000; i++) x.push({ i, s: `v${i}` }); }
    return x.length;
  },
  big: () => { const x = []; for (let i = 0; i < 200000; i++) x.push({ a: i }); return x.length; },
  strings: () => {
    let s = 'abc';
    while (s.length < 4e5) s += s;
    const t = s.replace(/b/g, 'BB');
    return [s.length, t.length, t.indexOf('BBc', 1e5)];
  },
  buffers: () => {
    const l = [];
    for (let i = 0; i < 8; i++) l.push(Buffer.alloc(1 << 20, i));
    return l.reduce((n, b) => n + b[77], 0);
  },
  recurse: () => { let d = 0; const f = () => { d++; f(); }; try { f(); } catch (e) { return [e.name, d > 1000]; } return 0; },
  throws: () => { throw new TypeError('thrown'); },
  throwdeep: () => { const f = n => (n ? f(n - 1) : null.x); return f(50); },
  regexp: () => {
    const r = new RegExp('(a+)(b|c)*[^d-f]{2,5}\\d+', 'gi'); const s = 'aaabbcxx123 aabcyy77 AAAcczz9 '.repeat(200);
    let n = 0;
    for (let m = r.exec(s); m !== null; m = r.exec(s)) n += m.index;
    return n;
  },
  jit: () => { let s = 0; for (let i = 0; i < 2e5; i++) s = (s * 31 + i) | 0; return [s, fib(18)]; },
  typed: () => {
    const f = new Float64Array(20000); let s = 0;
    for (let i = 0; i < f.length; i++) f[i] = Math.sin(i);
    for (let i = 0; i < f.length; i++) s += f[i];
    return s.toFixed(6);
  },
  json: () => JSON.parse(JSON.stringify(_.times(2000, i => ({ id: i, n: `name${i}`, t: [i, i + 1] })))).length,
  sort: () => { const a = _.times(5000, i => (i * 7919) % 5003); a.sort((x, y) => x - y); return [a[0], a[100], a[4999]]; },
  lodash: () => [_.template('a<%= x %>b')({ x: 1 }), _.groupBy([1, 2, 3, 4], n => n % 2), _.chunk(_.range(10), 3).length],
  map: () => {
    const m = new Map(); const w = new WeakMap(); const k = {};
    for (let i = 0; i < 20000; i++) m.set(`k${i}`, i);
    w.set(k, 1);
    return [m.size, m.get('k777'), w.get(k)];
  },
  generator: () => { function* g() { for (let i = 0; i < 1000; i++) yield i * 2; } return [...g()].length; },
  intl: () => [new Date(0).toLocaleString('pt-BR', { timeZone: 'America/Sao_Paulo', timeZoneName: 'long' }),
    (1234.5).toLocaleString('de'), 'a'.localeCompare('b', 'sv')],
  date: () => [new Date(0).toISOString(), new Date(2020, 1, 1).getFullYear()],
  random: () => [Math.random(), Math.random(), uuid.v4(), crypto.randomBytes(8).toString('hex'), _.random(1e15)].map(String),
  compile: () => Function('a', 'return a * 2')(21),
  proxy: () => { const p = new Proxy({}, { get: (t, k) => k }); return p.hello + Reflect.ownKeys(p).length; },
  wasm: () => {
    const code = [0, 97, 115, 109, 1, 0, 0, 0, 1, 7, 1, 96, 2, 127, 127, 1, 127, 3, 2, 1, 0, 7, 7, 1, 3, 97, 100, 100, 0, 0,
      10, 9, 1, 7, 0, 32, 0, 32, 1, 106, 11];
    return new WebAssembly.Instance(new WebAssembly.Module(new Uint8Array(code))).exports.add(40, 2);
  },
  wasmlater: () => {
    const code = [0, 97, 115, 109, 1, 0, 0, 0, 1, 5, 1, 96, 0, 1, 127, 3, 2, 1, 0, 7, 5, 1, 1, 102, 0, 0, 10, 6, 1, 4, 0, 65, 42, 11];
    return WebAssembly.instantiate(new Uint8Array(code)).then(made => made.instance.exports.f());
  },
  log: () => { console.log('line'); console.error('line 2', { a: 1 }); return 'logged'; },
  http: (b, res) => {
    require('request')(`http://127.0.0.1:9/${b.secret}`, { timeout: 500 }, (e) => { res.send({ r: e !== null }); });
  },
  hash: b => crypto.createHash('sha256').update('x').digest('hex').slice(0, 8),
  cipher: () => {
    const c = crypto.createCipheriv('aes-128-cbc', Buffer.alloc(16, 1), Buffer.alloc(16, 2));
    return c.update('text', 'utf8', 'hex') + c.final('hex');
  },
  gzip: () => zlib.gunzipSync(zlib.gzipSync(Buffer.alloc(100000, 'x'))).length,
  read: () => fs.readFileSync('/dev/null').length,
  sparse: () => { const a = []; a[1e6] = 1; a.length = 10; return a.length; },
  symbols: (b) => { G[Symbol.for(b.secret)] = 1; return Object.getOwnPropertySymbols(G).length < 9; },
  closures: () => { const all = []; for (let i = 0; i < 3000; i++) all.push(() => LETTERS[i % 26]); return all.map(f => f()).join('').length; },
  classes: () => { class A { get x() { return 1; } } class B extends A { get x() { return super.x + 1; } } return new B().x; },
  // these leave what cannot be put back
  file: (b) => { fs.writeFileSync('/tmp/left', b.secret); return 'written'; },
  threads: (b, res) => { crypto.pbkdf2('a', 'b', 1, 8, 'sha1', (e, key) => { res.send({ r: key.toString('hex') }); }); },
};

function main(req, res) {
  const b = req.body;
  const r = kinds[b.kind](b, res);
  if (r === undefined) return;
  if (r && typeof r.then === 'function') r.then(v => res.send({ r: v })); else res.send({ r });
}
