'use strict';

// Calls before the snapshot of a worker that is put back: prepare and warmup.

const test = require('tape');
const { started } = require('./support');

const KEEPING = `let calls = 0; console.log('top ' + Backstage.env.A + ' ' + Backstage.secrets.B)
  function main(req, res) { res.send(++calls) }`;

async function prepared(code, frames) {
  const runner = await started();
  runner.load(code, undefined, undefined, { once: true });
  const all = [];
  for (let i = 0; i < frames.length; i++) all.push(await runner.call(Object.assign({ id: `g${i}` }, frames[i])));
  await runner.close();
  return all;
}

test('top-level code runs once before the calls, with variables and secrets', async (t) => {
  const [first, second, third] = await prepared(KEEPING, [
    { kind: 'prepare', env: { A: 'variable' }, secrets: { B: 'secret' } }, { env: {} }, {},
  ]);
  t.deepEqual(first.logs, ['info top variable secret']);
  t.equal(first.answer.type, 'result');
  t.equal(first.answer.reusable, true);
  t.notOk('body' in first.answer);
  t.deepEqual([second, third].map(({ answer, logs }) => [answer.body, logs.length]), [[1, 0], [2, 0]]);
});

test('a warmup is answered without what the function says', async (t) => {
  const [, first, second] = await prepared(KEEPING, [{ kind: 'prepare' }, { kind: 'warmup' }, {}]);
  t.deepEqual([first.answer.type, first.answer.reusable, 'body' in first.answer], ['result', true, false]);
  t.equal(second.answer.body, 2);
});

test('what top-level code throws is the answer, and the worker ends', async (t) => {
  const [{ answer }] = await prepared("throw new NotFound('nobody')", [{ kind: 'prepare' }]);
  t.deepEqual([answer.type, answer.reusable, answer.status, answer.message], ['error', false, 404, 'nobody']);
});

test('what is left is told in place of the answer', async (t) => {
  for (const [code, why] of [
    ['setTimeout(() => {}, 1e6)', 'a timer, a request or a promise is left'],
    ['setTimeout(() => {}, 1e6); setInterval(() => {}, 1e6)', '2 timers, requests or promises are left'],
    ['Backstage.waitUntil(new Promise(() => {}))', 'a timer, a request or a promise is left'],
  ]) {
    const [{ answer }] = await prepared(`${code}; function main() {}`, [{ kind: 'prepare' }]);
    t.deepEqual([answer.type, answer.reusable, answer.body], ['result', false, why], code);
  }
});

test('code that does not compile is told of by its first call', async (t) => {
  const [first, second] = await prepared('let let = 1', [{ kind: 'prepare' }, {}]);
  t.equal(second ? second.answer.type : first.answer.type, 'error');
});
