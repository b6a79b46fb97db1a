'use strict';

// Backstage.invocation and Backstage.progress: what asynchronous calls have.

const test = require('tape');
const { started } = require('./support');

// called returns what one call of code brings.
async function called(code, request) {
  const runner = await started();
  runner.load(code);
  const result = await runner.call(request);
  await runner.close();
  return result;
}

const queued = { id: 'q1', attempt: 2 };

test('an asynchronous call knows which one it is, and tells how far it is', async (t) => {
  const { notices, answer } = await called(`function main(req, res) {
    Backstage.progress(0.25, 'a quarter');
    Backstage.progress('1');
    res.send(Backstage.invocation);
  }`, { queued });
  const { deadline } = answer.body;
  t.deepEqual(answer.body, Object.assign({}, queued, { deadline }));
  t.deepEqual(notices.map(({ part, text }) => [part, text]), [[0.25, 'a quarter'], [1, '']]);
});

test('other calls have nobody to tell', async (t) => {
  const { notices, answer } = await called(`function main(req, res) {
    Backstage.progress(0.25);
    res.send({ invocation: Object.keys(Backstage.invocation), keys: Object.keys(Backstage) });
  }`);
  t.deepEqual(notices, []);
  t.deepEqual(answer.body.invocation, ['deadline']);
  t.notOk(answer.body.keys.some(key => key === 'invocation' || key === 'progress'), 'a listing does not show them');
});

test('progress is from 0 to 1, and its text is short', async (t) => {
  const { notices, answer } = await called(`function main(req, res) {
    Backstage.progress(0.5, 'x'.repeat(1000));
    const faults = [-1, 1.1, NaN, 'half', {}].map((part) => {
      try { Backstage.progress(part); } catch (e) { return e.name + ': ' + e.message; }
    });
    res.send(faults);
  }`, { queued });
  t.equal(notices[0].text.length, 256);
  t.equal(notices.length, 1);
  answer.body.forEach(fault => t.equal(fault, 'RangeError: Progress is a number from 0 to 1'));
});

test('no more notices are sent than the host takes', async (t) => {
  const { notices } = await called(`function main(req, res) {
    for (let i = 0; i < 10050; i++) Backstage.progress(0.5);
    res.send(1);
  }`, { queued });
  t.equal(notices.length, 10000);
});

test('nothing is told after the answer', async (t) => {
  const { notices } = await called(`function main(req, res) {
    res.send(1);
    Backstage.progress(1);
    Backstage.waitUntil(new Promise(resolve => setTimeout(() => { Backstage.progress(1); resolve(); }, 5)));
  }`, { queued });
  t.ok(notices.length <= 1);
});

test('every call knows when it has to have answered', async (t) => {
  const code = `function main(req, res) {
    const { invocation } = Backstage;
    const again = Backstage.invocation === invocation && Object.isFrozen(invocation);
    Backstage.invocation = 'mine';
    res.send([invocation.deadline - Date.now(), again, Backstage.invocation]);
  }`;
  const runner = await started({ timeout: 50000 });
  runner.load(code);
  for (const [frame, most] of [[{}, 50000], [{ timeout: 9000 }, 9000], [{ queued }, 50000]]) {
    const { answer } = await runner.call(Object.assign({ id: `g${most}` }, frame));
    const [left, again, mine] = answer.body;
    t.ok(left > 0 && left <= most, `${left} ms of ${most}`);
    t.equal(again, true);
    t.equal(mine, 'mine', 'and may have a member of that name');
  }
  await runner.close();
});
