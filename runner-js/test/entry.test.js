'use strict';

// What is called of code: main, or what it exports, also as an ES module.

const test = require('tape');
const { started, inTurn } = require('./support');

const outcome = inTurn(test);

const modern = parseInt(process.versions.node, 10) >= 18;

// idle is a runner that calls may have next: all that it has answered has left it reusable.
let idle = null;
test.onFinish(() => idle && idle.close());

// calls returns the answers of calls with these bodies in one runner.
async function calls(code, bodies, load) {
  const runner = idle || await started();
  idle = null;
  runner.load(code, undefined, undefined, load);
  const all = [];
  for (const body of bodies) {
    const result = await runner.call({ id: `g${all.length}`, body });
    all.push(result);
    if (!result.answer.reusable) break;
  }
  if (all[all.length - 1].answer.reusable) idle = runner;
  else await runner.close();
  return all;
}

const bodiesOf = all => all.map(({ answer }) => (answer.type === 'result' ? answer.body : answer.text));

test('what code without main exports is called', async (t) => {
  for (const code of [
    'module.exports = (req, res) => res.send(req.body)', 'module.exports = async req => req.body', 'exports.main = (req, res) => { res.send(req.body) }',
    'exports.default = function (req, res) { res.send(req.body) }', 'exports.default = () => 1; exports.main = async req => req.body',
    'module.exports = () => 1; module.exports.main = (req, res) => res.send(req.body)', 'module.exports = req => Promise.resolve(req.body)',
    'exports.main = () => 1; async function main(req) { return req.body }', 'class A { static main(req, res) { res.send(req.body) } } module.exports = A',
  ]) {
    t.deepEqual(bodiesOf(await calls(code, [1, 2])), [1, 2], code);
    t.equal((await outcome(code, { kind: 'check' })).answer.type, 'result', code);
  }
});

test('what else is exported is not called', async (t) => {
  const [{ answer }] = await calls('exports.other = () => 1', [1]);
  t.equal(answer.text, 'ReferenceError: main is not defined');
  t.equal((await calls('let main; exports.x = 1', [1]))[0].answer.type, 'error');
  t.ok(/is not called/.test((await outcome('exports.other = () => 1', { kind: 'check' })).answer.text));
});

const MODULES = [
  ['export default (req, res) => res.send(req.body)', 'default'],
  ['export default function (req, res) { res.send(req.body) }', 'default function'],
  ['export default function handler(req, res) { res.send(req.body) }\n// the end', 'default function with a name'],
  ['export default class { static main() {} }\nexport async function main(req) { return req.body }', 'main of its own'],
  ['export async function main(req, res) { return req.body }', 'main'],
  ['export const main = async req => req.body', 'main as a constant'],
  ['const handler = async req => req.body;\nexport { handler as default };', 'a list'],
  ['const handler = async req => req.body\nexport default handler\n;[1].map(x => x)', 'without a semicolon'],
  ["import { inspect } from 'node:util'; import * as path from 'path'; import util, { format as f } from 'util';\nimport 'events';\nexport default async req => (path.sep === '/' && util.inspect === inspect && f('%s', req.body) ? req.body : 0)", 'imports'],
  ["import { Buffer } from 'buffer'; import process from 'node:process';\nexport default async req => (process.cwd() === '/' && Buffer.from('a').length === 1 ? req.body : 0)", 'imports of names of the contract'],
  ["export * as u from 'util'; export { inspect as default2 } from 'util'; export * from 'path';\nexport default async req => req.body", 'exports of others'],
  ["export const { a, b: [c], ...d } = { a: 1, b: [2], e: 3 }; export let x = 1, y;\nexport default async req => ((await import('node:util')).inspect(a + c + d.e) === '6' ? req.body : 0)", 'patterns and import()'],
  ['function main(req, res) { res.send(req.body) }\nexport {}', 'main beside exports'],
  ['export default (async req => req.body)', 'in parentheses'],
  ['export /* default */ default { main: async req => req.body }.main', 'a comment before default'],
  ['export // default\n/* default\n*/ default async function (req) { return req.body }', 'comments of any kind before default'],
  ["/* <!-- */ const text = '<!--' + `<!--`; export default async req => (text === '<!--<!--' ? req.body : 0)", '<!-- in a text'],
  ['export\ndefault\n(class { static async main() {} }, async req => req.body);', 'over lines'],
];

test('an ES module is lowered where V8 refuses it', { skip: !modern }, async (t) => {
  for (const [code, name] of MODULES) {
    const bodies = /\b(?:util|buffer)\b/.test(code) ? [1] : [1, 2]; // a module of Node.js ends the worker
    t.deepEqual(bodiesOf(await calls(code, bodies, { web: true })), bodies, name);
  }
  t.equal((await outcome(MODULES[0][0], { kind: 'check' })).answer.type, 'result');
  t.ok((await outcome(MODULES[0][0], { kind: 'compile' })).answer.body.length > 0, 'has a code cache');
});

test('errors of an ES module have its own places', { skip: !modern }, async (t) => {
  const thrown = (await calls("import { inspect } from 'util';\n\nexport default function (req) {\n  throw new Error('x'); }", [1], { web: true }))[0].answer;
  t.equal(thrown.frames.split('\n')[0], 'at default (ns/id.js:4)');
  for (const [code, fault] of [
    ['export const a = 1;\nlet b = ;', 'SyntaxError: Unexpected token at ns/id.js:2:9: let b = ;'],
    ['export const a = 1;\nconst x = await a;', 'SyntaxError: await at the top level is not available in functions: await in main at ns/id.js:2:11: const x = await a;'],
    ['export default 1;\n  import.meta.url', 'SyntaxError: import.meta is not available in functions at ns/id.js:2:3: import.meta.url'],
    ["import x from 'no-such';\nexport default () => x", "Error: Cannot find module 'no-such'"],
    ['export default 1;\nfor await (const x of []) {}', 'SyntaxError: await at the top level is not available in functions: await in main at ns/id.js:2:1: for await'],
    ['export const a = 1;\nlet b = a<!--a;', 'SyntaxError: <!-- is not available in modules: put spaces between the operators at ns/id.js:2:10'],
    [`export default ${'['.repeat(3000)}${']'.repeat(3000)}`, ''],
  ]) {
    const { answer } = await outcome(code, { kind: 'check' });
    t.ok(answer.text.startsWith(fault), `${answer.text.slice(0, 200)}`);
  }
});

test('earlier versions of Node.js refuse an ES module', { skip: modern }, async (t) => {
  const hint = ' (ES modules need Node.js 18 or later: choose one with "runtime")';
  for (const code of ['export default 1', 'import x from "y"']) {
    const want = `SyntaxError: Unexpected token ${code.slice(0, 6)} at ns/id.js:1:1: ${code}${hint}`;
    t.equal((await outcome(code, { kind: 'check' })).answer.text, want);
  }
  const { text } = (await outcome('const import1 = export1 +', { kind: 'check' })).answer;
  t.notOk(text.includes('ES modules'), text);
});

const ONCE = { once: true };

test('with "init":"once" the top-level code runs once, and what it has acts on the call in progress', async (t) => {
  const code = `
    console.log('init');
    let count = 0;
    const first = Backstage.request;
    Backstage.modules['./own'] = () => 'own';
    const send = value => Backstage.response.send(value);
    const later = setTimeout;
    async function main(req, res) {
      console.log('call ' + req.body);
      if (Backstage.request !== req || Backstage.response !== res) throw new Error('of another call');
      later(() => send([++count, req.body, first.body, require('./own'), Backstage.env.A]), 1);
      await new Promise(() => {});
    }`;
  const all = await calls(code, ['a', 'b', 'c'], ONCE);
  t.deepEqual(bodiesOf(all), ['a', 'b', 'c'].map((body, i) => [i + 1, body, 'a', 'own', undefined]).map(row => row.map(cell => (cell === undefined ? null : cell))));
  t.deepEqual(all.map(({ logs }) => logs), [['info init', 'info call a'], ['info call b'], ['info call c']]);
});

test('what is exported is called each time, too, and a failure of the top-level code is tried again', async (t) => {
  t.deepEqual(bodiesOf(await calls('let n = 0; module.exports = async () => ++n', [1, 2, 3], ONCE)), [1, 2, 3]);
  t.deepEqual(bodiesOf(await calls('if (Backstage.request.body === 1) throw new Error("not yet"); let n = 0; async function main() { return ++n }', [1, 2, 3], ONCE)),
    ['Error: not yet', 1, 2]);
});

test('work that the top-level code leaves ends the worker of "init":"once"', async (t) => {
  t.equal((await calls('setInterval(() => {}, 1e6); function main(req, res) { res.send(1) }', [1, 2], ONCE)).length, 1);
  t.equal((await calls('Array.prototype.forged = 1; function main(req, res) { res.send(1) }', [1, 2], ONCE)).length, 1);
});

test('a check runs the top-level code alone, and a call after it runs it again', async (t) => {
  const runner = await started();
  runner.load('let n = 0; n++; function main(req, res) { res.send(n++) }', undefined, undefined, ONCE);
  t.equal((await runner.call({ kind: 'check' })).answer.type, 'result');
  t.deepEqual([(await runner.call()).answer.body, (await runner.call()).answer.body], [1, 2]);
  await runner.close();
});
