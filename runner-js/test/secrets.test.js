'use strict';

// Backstage.secrets: what the frame of a call has, for that call.

const test = require('tape');
const { started } = require('./support');

const modern = parseInt(process.versions.node, 10) >= 18;

async function answers(code, frames, load) {
  const runner = await started();
  runner.load(code, undefined, undefined, load);
  const all = [];
  for (let i = 0; i < frames.length; i++) {
    const { answer } = await runner.call(Object.assign({ id: `g${i}` }, frames[i]));
    all.push(answer.type === 'result' ? answer.body : answer.text);
  }
  await runner.close();
  return all;
}

test('secrets are frozen, and no enumerable member of Backstage', async (t) => {
  const code = `function main(req, res) {
    const { secrets } = Backstage
    const faults = []
    for (const change of [() => { secrets.A = 1 }, () => { secrets.B = 1 }, () => { delete secrets.A }, () => { Backstage.secrets = {} }]) {
      try { change() } catch (e) { faults.push(e.name) }
    }
    res.send([secrets, faults, Object.keys(Backstage).indexOf('secrets'), Object.keys(Object.assign({}, Backstage))])
  }`;
  const [body] = await answers(code, [{ secrets: { A: 'x' } }]);
  t.deepEqual(body[0], { A: 'x' });
  t.deepEqual(body[1], ['TypeError', 'TypeError', 'TypeError', 'TypeError']);
  t.equal(body[2], -1);
  t.equal(body[3].indexOf('secrets'), -1, 'nor of a copy');
});

test('a call without secrets has an empty object, and may have a member of that name', async (t) => {
  const code = `function main(req, res) {
    const before = [typeof Backstage.secrets, Object.keys(Backstage.secrets), Object.isFrozen(Backstage.secrets)]
    Backstage.secrets = { mine: 1 }
    res.send([before, Backstage.secrets, Object.keys(Backstage)])
  }`;
  const seen = [['object', [], true], { mine: 1 }, ['modules', 'env', 'config', 'request', 'response', 'span', 'secrets']];
  t.deepEqual(await answers(code, [{}, {}]), [seen, seen]);
});

test('what runs once has those of its first call, and each call its own', async (t) => {
  const code = `const first = Backstage.secrets.A
    function main(req, res) { res.send([first, Backstage.secrets.A]) }`;
  t.deepEqual(await answers(code, [{ secrets: { A: '1' } }, { secrets: { A: '2' } }], { once: true }), [['1', '1'], ['1', '2']]);
});

test('a web handler has them in its env, before variables', { skip: !modern }, async (t) => {
  const code = `module.exports = { async fetch(request, env) {
    return new Response(JSON.stringify([env.A, env.B, Object.keys(env), process.env.A, Backstage.secrets.A]))
  } }`;
  const runner = await started();
  runner.load(code, undefined, undefined, { web: true });
  const { answer } = await runner.call({ id: 'g1', env: { A: 'variable', B: 'b' }, secrets: { A: 'secret' } });
  await runner.close();
  t.equal(Buffer.from(answer.bytes || '', 'base64').toString(), '["secret","b",["A","B"],"variable","secret"]');
});
