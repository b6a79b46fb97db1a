'use strict';

// What V8 has compiled once is loaded by other workers.

const { execFileSync } = require('child_process');
const test = require('tape');
const fs = require('fs');
const path = require('path');
const { started, outcome, ROOT, FLAGS } = require('./support');

const lodash = fs.readFileSync(path.join(ROOT, 'node_modules', 'lodash', 'lodash.js'), 'utf8');
const large = `${lodash}\nfunction main(req, res) { res.send(module.exports.chunk(req.body, 2)) }`;

// compiled returns the code cache of code as base64.
async function compiled(t, code) {
  const runner = await started();
  runner.load(code);
  const { answer } = await runner.call({ kind: 'compile' });
  t.deepEqual([answer.type, answer.status, answer.reusable], ['result', 200, false], 'the worker is not to be used again');
  t.deepEqual(await runner.ended, { code: 10, signal: null, stderr: '' }, 'and ends');
  return answer.body;
}

// called returns what a worker that was given cache answers.
async function called(code, cache) {
  const runner = await started();
  runner.load(code, 'ns/id.js', cache);
  const { answer } = await runner.call({ body: [1, 2, 3] });
  const again = await runner.call({ body: [4, 5] });
  await runner.close();
  return [answer.body, again.answer.body];
}

test('a worker that is given the cache of its code runs it as any other', async (t) => {
  const cache = await compiled(t, large);
  t.ok(cache.length > 100, `${cache.length} characters`);
  const want = [[[1, 2], [3]], [[4, 5]]];
  t.deepEqual(await called(large, cache), want);
  t.deepEqual(await called(large), want);
});

// rejects says whether V8, in a process of its own, rejects cache for code. (In one process it would find the code that it has just compiled.)
function rejects(code, cache) {
  const script = `
    const Loader = require('./loader');
    const { code, cache } = JSON.parse(require('fs').readFileSync(0, 'utf8'));
    const loader = Object.assign(Object.create(Loader.prototype), { code, filename: 'ns/id.js' });
    console.log(loader.script({ cachedData: Buffer.from(cache, 'base64') }).cachedDataRejected);
    process.exit();`;
  return execFileSync(process.execPath, [...FLAGS, '-e', script], { cwd: ROOT, input: JSON.stringify({ code, cache }) }).toString().trim();
}

test('V8 takes a cache of the whole code, and no other', async (t) => {
  const cache = await compiled(t, large);
  t.ok(cache.length > large.length / 3, `${cache.length} characters for ${large.length}`);
  t.equal(rejects(large, cache), 'false');
  t.equal(rejects(`${large} `, cache), 'true', 'that of other code');
  t.equal(rejects(large, Buffer.from(cache, 'base64').fill(0, 0, 16).toString('base64')), 'true', 'one of no version');
});

test('nothing of the code runs while it is compiled', async (t) => {
  const { answer, logs } = await outcome('console.log(1); throw new Error("it ran"); function main() {}', { kind: 'compile' });
  t.deepEqual([answer.type, logs], ['result', []]);
});

test('stacks are the same with a cache', async (t) => {
  const code = `${'// a line\n'.repeat(2000)}function main() { throw new Error('x') }`;
  const cache = await compiled(t, code);
  const runner = await started();
  runner.load(code, 'ns/id.js', cache);
  const { answer } = await runner.call();
  t.ok(answer.stack.includes('ns/id.js:2001:'), answer.stack);
  await runner.close();
});

test('a cache that is none is passed over', async (t) => {
  for (const cache of ['', 'AAAA', '%', Buffer.alloc(4096, 7).toString('base64')]) {
    t.deepEqual(await called(large, cache), [[[1, 2], [3]], [[4, 5]]], cache.slice(0, 8));
  }
});

test('code that does not compile has an empty cache', async (t) => {
  const { answer } = await outcome('function main( {', { kind: 'compile' });
  t.deepEqual([answer.type, answer.body], ['result', '']);
});

test('a cache that is larger than a frame may be is left out', async (t) => {
  const { answer } = await outcome('function main() {}', { kind: 'compile' }, { maxAnswer: 300 });
  t.deepEqual([answer.type, answer.body], ['result', undefined]);
});
