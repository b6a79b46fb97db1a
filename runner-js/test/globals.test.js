'use strict';

// What a function finds around it.

const test = require('tape');
const { started, inTurn } = require('./support');

const outcome = inTurn(test);
const withLodash = inTurn(test, { modules: ['lodash'] });

const NAMES = [
  'Backstage', 'Buffer', 'console', 'exports', 'module', 'setTimeout', 'clearTimeout', 'require', 'relativeRequire', 'NotModified',
  'BadRequest', 'NotFound', 'UnprocessableEntity', 'InternalServerError',
];

// answer returns what code sends.
async function answer(code, request, changes) {
  const { answer: frame } = await outcome(code, request, changes);
  return frame.type === 'result' ? frame.body : frame;
}

const send = what => `function main(req, res) { res.send(${what}) }`;

test('a function finds the names of the contract and the language', async (t) => {
  t.deepEqual(await answer(send(`${JSON.stringify(NAMES)}.filter(name => eval('typeof ' + name) === 'undefined')`)), []);
  const language = ['Intl', 'WebAssembly', 'eval', 'Function', 'Promise', 'Map', 'Symbol', 'Proxy', 'Reflect', 'Uint8Array', 'JSON', 'Math', 'Date'];
  t.deepEqual(await answer(send(`${JSON.stringify(language)}.filter(name => eval('typeof ' + name) === 'undefined')`)), []);
});

test('setInterval is a global, whose name code may take', async (t) => {
  t.equal(await answer(send('typeof setInterval')), 'function');
  t.equal(await answer(`const setInterval = 1; ${send('setInterval')}`), 1);
  for (const change of ['setInterval = undefined', 'setInterval.x = 1', 'Object.setPrototypeOf(setInterval, null)']) {
    const runner = await started();
    runner.load(`function main(req, res) { const seen = [typeof setInterval, setInterval.x, setInterval instanceof Function].join(); ${change}; res.send(seen) }`);
    for (let i = 0; i < 2; i++) t.equal((await runner.call({ id: `g${i}` })).answer.body, 'function,,true', change);
    await runner.close();
  }
});

test('a function does not find what is not of the contract', async (t) => {
  const absent = ['process', 'global', 'GLOBAL', 'root', 'setImmediate', 'clearInterval', 'clearImmediate', 'URL',
    'TextEncoder', 'queueMicrotask', '__dirname', '__filename', 'performance', 'AbortController', 'structuredClone', 'Response', 'Request', 'host'];
  t.deepEqual(await answer(send(`${JSON.stringify(absent)}.filter(name => eval('typeof ' + name) !== 'undefined')`)), []);
});

test('code is strict, and the names of the contract are taken', async (t) => {
  t.equal(await answer(send('(function () { return this === undefined })()')), true);
  for (const name of NAMES) {
    const frame = await answer(`const ${name} = 1; function main() {}`);
    t.ok(/has already been declared/.test(frame.message), `${name}: ${frame.message}`);
  }
});

test('no constructor leads to code outside of the realm', async (t) => {
  for (const way of [
    'Buffer', 'Buffer.from', 'require("lodash")', 'require("lodash").map', 'console.log', 'setTimeout', 'setTimeout(() => {}, 0)', 'require', 'relativeRequire("a")',
    'req', 'res', 'res.send', 'Backstage', 'Backstage.span.log', 'new BadRequest()', '(() => { try { require("x") } catch (e) { return e } })()',
    '(() => { try { Buffer.from(null) } catch (e) { return e } })()',
  ]) {
    const { answer: { body: got } } = await withLodash(`function main(req, res) {
      let found;
      try { found = ${way}.constructor.constructor('return typeof process')() } catch (e) { found = e.name }
      res.send(found);
    }`);
    t.ok(got === 'undefined' || got === 'EvalError', `${way}: ${got}`);
  }
});

test('req has what the host sent and nothing else', async (t) => {
  const request = { method: 'GET', headers: { host: 'a', __proto__: null }, query: { a: ['1'] }, body: [1] };
  t.deepEqual(await answer(send('[Object.keys(req), req, req.constructor.name]'), request),
    [['method', 'headers', 'query', 'body'], { method: 'GET', headers: { host: 'a' }, query: { a: ['1'] }, body: [1] }, 'Request']);
  const names = JSON.parse('{"__proto__":"p","constructor":"c"}');
  t.deepEqual(await answer(send('Object.keys(req.query).map(name => [name, req.query[name]])'), { query: names }), [['__proto__', 'p'], ['constructor', 'c']]);
});

test('Backstage', async (t) => {
  t.deepEqual(await answer(send('Object.keys(Backstage)')), ['modules', 'env', 'config', 'request', 'response', 'span']);
  t.deepEqual(await answer(send('[Backstage.request === req, Backstage.response === res, Backstage.modules, Backstage.config]')), [true, true, {}, {}]);
  t.equal(await answer(send('typeof Backstage.span.setTag("a", 1).addTags({}).log({}).finish()')), 'undefined');
});

test('env is the shared one, frozen, or a copy with the variables of the function', async (t) => {
  const shared = { env: { A: 'shared', B: 'shared' } };
  const code = 'function main(req, res) { Backstage.env.C = 1; res.send(Backstage.env) }';
  t.ok(/C/.test((await answer(code, {}, shared)).message), 'adding to the shared one is an error');
  t.deepEqual(await answer(code, { env: { B: 'own' } }, shared), { A: 'shared', B: 'own', C: 1 });
  t.deepEqual(await answer(send('Backstage.env'), { env: JSON.parse('{"__proto__":"p","toString":"s"}') }, { env: JSON.parse('{"__proto__":"q","x":"1"}') }),
    JSON.parse('{"__proto__":"p","x":"1","toString":"s"}'));
  t.equal(await answer('throw Backstage.env.A', { kind: 'check' }, shared).then(frame => frame.message), 'shared', 'a check sees the shared one');
});

test('own modules, global modules and no others', async (t) => {
  const code = `
    Backstage.modules['./lib/a'] = () => ({ name: 'a', b: relativeRequire('lib')('./b') });
    Backstage.modules['./lib/b'] = () => 'b';
    function main(req, res) { res.send([require('./lib/a'), typeof require('lodash').map]) }`;
  t.deepEqual(await answer(code, {}, { modules: ['lodash'] }), [{ name: 'a', b: 'b' }, 'function']);
  t.equal((await answer(send("require('fs')"), {}, { modules: ['lodash'] })).message, "Cannot find module 'fs'");
  t.equal((await answer(send("require('lodash/fp')"), {}, { modules: ['lodash'] })).message, "Cannot find module 'lodash/fp'");
});

test('what a call leaves in its own objects the next call does not see', async (t) => {
  const runner = await started();
  runner.load(`
    const seen = [Object.keys(exports), Object.keys(module), Object.keys(Backstage.modules), Object.keys(Backstage.config), console.x, require.x, setTimeout.x];
    let calls = 0;
    function main(req, res) {
      exports.x = module.x = Backstage.modules.x = Backstage.config.x = console.x = require.x = setTimeout.x = 1;
      res.send([seen, ++calls]);
    }`);
  for (let i = 0; i < 3; i++) {
    const { answer: frame } = await runner.call();
    t.deepEqual(frame.body, [[[], ['exports'], [], [], null, null, null], 1]);
    t.equal(frame.reusable, true);
  }
  await runner.close();
});
